import * as z from "zod";
import { fromStream } from "../../shared/adapters/dynamodb/stream-image.ts";
import type { Item } from "../../shared/ports/table.ts";

/**
 * What we read of a DynamoDB stream's event with new images
 * (https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html).
 */
const streamEvent = z.object({
  Records: z.array(
    z.object({
      eventName: z.string().optional(),
      dynamodb: z.object({
        SequenceNumber: z.string(),
        NewImage: z.record(z.string(), z.unknown()).optional(),
      }),
    }),
  ),
});

const OUTBOX = "OUTBOX#";

/** An event's row as it was inserted. */
export interface InsertedRow {
  readonly sequenceNumber: string;
  readonly item: Item;
}

/**
 * The rows of the outbox that a stream's event inserts, in their order; everything else in it is left out, as the event
 * source's filter does before.
 *
 * @throws {Error} for rows that are not ours.
 */
export function insertedEvents(given: unknown): readonly InsertedRow[] {
  return streamEvent.parse(given).Records.flatMap(({ eventName, dynamodb }) => {
    if (eventName !== "INSERT" || dynamodb.NewImage === undefined) return [];
    const item = fromStream(dynamodb.NewImage);
    if (!item.key.pk.startsWith(OUTBOX)) return [];
    return [{ sequenceNumber: dynamodb.SequenceNumber, item }];
  });
}
