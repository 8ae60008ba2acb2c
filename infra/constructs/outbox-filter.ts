import { FilterCriteria } from "aws-cdk-lib/aws-lambda";
import { PARTITION_KEY } from "../../shared/adapters/dynamodb/schema.ts";
import { OUTBOX_PREFIX } from "../../shared/records/outbox.ts";

/**
 * Of the table's changes, only new events of the outbox start the function: all others cost nothing
 * (https://docs.aws.amazon.com/lambda/latest/dg/with-ddb-filtering.html).
 */
export function outboxFilters(): readonly ReturnType<typeof FilterCriteria.filter>[] {
  return [
    FilterCriteria.filter({
      eventName: ["INSERT"],
      dynamodb: { Keys: { [PARTITION_KEY]: { S: [{ prefix: OUTBOX_PREFIX }] } } },
    }),
  ];
}
