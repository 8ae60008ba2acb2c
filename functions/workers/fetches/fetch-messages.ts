import * as z from "zod";
import type { FetchOrder } from "../../../shared/ports/fetch-queue.ts";
import type { Services } from "../../../shared/services/services.ts";
import { createFetchers } from "../../fetchers.ts";
import { type Consumption, queueEvent } from "../consume-messages.ts";

/** An order as it lies in the queue: its fields as JSON. */
const orderSchema = z.object({
  registry: z.string().min(1),
  registryId: z.string().min(1),
  packageName: z.string().min(1),
  version: z.string(),
  path: z.string().min(1),
}) satisfies z.ZodType<FetchOrder>;

/** Carries out the orders of a batch. What is no order, and what our own stores fail with, comes again. */
export async function fetchMessages(given: unknown, services: Services): Promise<Consumption> {
  const { Records } = queueEvent.parse(given);
  const fetchers = createFetchers(services);
  const failed: string[] = [];
  for (const { messageId, body } of Records) {
    try {
      const order = orderSchema.parse(JSON.parse(body));
      await services.orderedFetches.fetch(order, ({ ecosystem }) => fetchers[ecosystem]);
    } catch (error) {
      services.stores.log.error("fetch.broken", error, { messageId });
      failed.push(messageId);
    }
  }
  return {
    consumed: Records.length - failed.length,
    failures: { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) },
  };
}
