import { SendMessageBatchCommand, SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { RegistryEvent } from "../../shared/domain/audit.ts";
import type { FetchOrder, FetchQueue } from "../../shared/ports/fetch-queue.ts";
import type { EventQueue } from "../workers/event-carrier.ts";
import { toMessage } from "../workers/event-message.ts";

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html */
const MAX_MESSAGES = 10;

/** An SQS queue. Ten of our events, of some hundred bytes each, are far below what one call may carry. */
export class SqsQueue implements EventQueue {
  readonly name: string;
  readonly #client: SQSClient;
  readonly #url: string;

  constructor(name: string, client: SQSClient, url: string) {
    this.name = name;
    this.#client = client;
    this.#url = url;
  }

  async send(events: readonly RegistryEvent[]): Promise<ReadonlySet<number>> {
    const failed = new Set<number>();
    for (let start = 0; start < events.length; start += MAX_MESSAGES) {
      const answer = await this.#client.send(
        new SendMessageBatchCommand({
          QueueUrl: this.#url,
          Entries: events.slice(start, start + MAX_MESSAGES).map((event, position) => ({
            Id: String(start + position),
            MessageBody: toMessage(event),
          })),
        }),
      );
      for (const { Id } of answer.Failed ?? []) failed.add(Number(Id));
    }
    return failed;
  }
}

/** Leads to the worker `fetches`. */
export class SqsFetchQueue implements FetchQueue {
  readonly #client: SQSClient;
  readonly #url: string;

  constructor(client: SQSClient, url: string) {
    this.#client = client;
    this.#url = url;
  }

  async send(order: FetchOrder): Promise<void> {
    const MessageBody = JSON.stringify(order);
    await this.#client.send(new SendMessageCommand({ QueueUrl: this.#url, MessageBody }));
  }
}
