import * as z from "zod";
import type { RegistryEvent } from "../../shared/domain/audit.ts";
import type { Log } from "../../shared/ports/log.ts";
import type { EventConsumer } from "../../shared/services/events.ts";
import { fromMessage } from "./event-message.ts";

/** What we read of an SQS event (https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html). */
export const queueEvent = z.object({
  Records: z.array(z.object({ messageId: z.string(), body: z.string() })),
});

/** Messages that must come again (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html). */
export interface BatchFailures {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

/** What became of a batch. */
export interface Consumption {
  readonly consumed: number;
  readonly failures: BatchFailures;
}

interface Received {
  readonly messageId: string;
  readonly event: RegistryEvent;
}

/**
 * Gives the messages of a queue to consumers, all at once, and one by one when that fails: then only those that fail by
 * themselves come again, and end in the queue's dead-letter queue.
 */
export async function consumeMessages(
  given: unknown,
  consumers: readonly EventConsumer[],
  log: Log,
): Promise<Consumption> {
  const { Records } = queueEvent.parse(given);
  const failed = new Set<string>();
  const received: Received[] = [];
  for (const { messageId, body } of Records) {
    try {
      received.push({ messageId, event: fromMessage(body) });
    } catch (error) {
      log.error("events.unreadable", error, { messageId });
      failed.add(messageId);
    }
  }
  for (const consumer of consumers) {
    for (const messageId of await consume(consumer, received, log)) failed.add(messageId);
  }
  return {
    consumed: Records.length - failed.size,
    failures: { batchItemFailures: [...failed].map((itemIdentifier) => ({ itemIdentifier })) },
  };
}

/** Gives the messages that failed. */
async function consume(
  consumer: EventConsumer,
  received: readonly Received[],
  log: Log,
): Promise<readonly string[]> {
  if (received.length === 0) return [];
  try {
    await consumer.consume(received.map(({ event }) => event));
    return [];
  } catch (error) {
    if (received.length === 1) {
      log.error("events.delivery-failed", error, {
        consumer: consumer.name,
        event: received[0]?.event.id,
      });
      return received.map(({ messageId }) => messageId);
    }
  }
  const failed: string[] = [];
  for (const message of received) failed.push(...(await consume(consumer, [message], log)));
  return failed;
}
