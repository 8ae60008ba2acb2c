import { createWorkerFunction } from "../../lambda/worker-function.ts";
import { consumeMessages } from "../consume-messages.ts";

/** Gives events to the consumer that calls webhooks; a registry without one has nothing to do here. */
export const handler = createWorkerFunction("webhooks", ({ services, count }) => {
  const consumers = services.events.consumers.filter(({ name }) => name === "webhooks");
  return async (event) => {
    const { consumed, failures } = await consumeMessages(event, consumers, services.stores.log);
    count("events", consumed);
    count("failedEvents", failures.batchItemFailures.length);
    return failures;
  };
});
