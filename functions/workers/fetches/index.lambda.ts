import { createWorkerFunction } from "../../lambda/worker-function.ts";
import { LISTING_FORMATS } from "../../listing-formats.ts";
import { fetchMessages } from "./fetch-messages.ts";

/** Fetches the files of upstreams that requests had no time for, one message at a time. */
export const handler = createWorkerFunction(
  "fetches",
  ({ services, count }) =>
    async (event) => {
      const { consumed, failures } = await fetchMessages(event, services);
      count("events", consumed);
      count("failedEvents", failures.batchItemFailures.length);
      return failures;
    },
  LISTING_FORMATS,
);
