import { insertedEvents } from "../../lambda/stream-event.ts";
import { createWorkerFunction } from "../../lambda/worker-function.ts";

/**
 * Carries the events of the table's stream into the consumers' queues. Lambda repeats the batch from the first record
 * that failed (https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html).
 */
export const handler = createWorkerFunction("stream", ({ carrier, count }) => async (event) => {
  const rows = insertedEvents(event);
  const failed = await carrier.carry(rows.map(({ item }) => item));
  count("events", rows.length - failed.size);
  count("failedEvents", failed.size);
  const failures = rows.filter((_, position) => failed.has(position));
  return {
    batchItemFailures: failures.map(({ sequenceNumber }) => ({ itemIdentifier: sequenceNumber })),
  };
});
