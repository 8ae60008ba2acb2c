import { createWorkerFunction } from "../../lambda/worker-function.ts";
import { consumeMessages } from "../consume-messages.ts";

/** Gives events to every consumer within the registry: those that complete documents and indexes. */
export const handler = createWorkerFunction("index", ({ services, count }) => {
  const consumers = services.events.consumers.filter(({ name }) => name !== "webhooks");
  return async (event) => {
    const { consumed, failures } = await consumeMessages(event, consumers, services.stores.log);
    count("events", consumed);
    count("failedEvents", failures.batchItemFailures.length);
    return failures;
  };
});
