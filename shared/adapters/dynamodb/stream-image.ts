import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import * as z from "zod";
import type { Item } from "../../ports/table.ts";
import { itemFromWire } from "./marshal.ts";

/** Attributes as Lambda hands them on from a stream: as on the wire, with bytes in base64. */
const attribute: z.ZodType<AttributeValue> = z.lazy(() =>
  z.union([
    z.strictObject({ S: z.string() }),
    z.strictObject({ N: z.string() }),
    z.strictObject({ BOOL: z.boolean() }),
    z.strictObject({
      B: z.base64().transform((text) => new Uint8Array(Buffer.from(text, "base64"))),
    }),
    z.strictObject({ L: z.array(attribute) }),
    z.strictObject({ M: z.record(z.string(), attribute) }),
  ]),
);

const image = z.record(z.string(), attribute);

/** The item of a stream record's image. @throws {Error} for one that is not of our table. */
export function fromStream(given: unknown): Item {
  return itemFromWire(image.parse(given));
}
