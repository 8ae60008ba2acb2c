import { createWorkerFunction } from "../../lambda/worker-function.ts";
import { consumeMessages } from "../consume-messages.ts";

/** Within the function's time-out, with room for the request under way; what is left is due again. */
const DELIVERY_MS = 20_000;

/** Gives events to the consumer that notes what webhooks must hear, and delivers what is due. */
export const handler = createWorkerFunction("webhooks", ({ services, count }) => {
  const consumers = services.events.consumers.filter(({ name }) => name === "webhooks");
  return async (event) => {
    const { consumed, failures } = await consumeMessages(event, consumers, services.stores.log);
    try {
      await services.webhookDeliverer.deliverDue(AbortSignal.timeout(DELIVERY_MS));
    } catch (error) {
      // The events are noted: to take them again would put them among the dead letters. The schedule delivers.
      services.stores.log.error("webhooks.delivery-failed", error);
    }
    count("events", consumed);
    count("failedEvents", failures.batchItemFailures.length);
    return failures;
  };
});
