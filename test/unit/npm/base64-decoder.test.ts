import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Base64Decoder } from "../../../functions/npm/intake/base64-decoder.ts";

function decode(text: string, pieces: readonly number[] = []): Buffer {
  const decoder = new Base64Decoder();
  const decoded: Buffer[] = [];
  let rest = text;
  for (const length of pieces) {
    decoded.push(decoder.write(Buffer.from(rest.slice(0, length))));
    rest = rest.slice(length);
  }
  decoded.push(decoder.write(Buffer.from(rest)));
  decoder.end();
  return Buffer.concat(decoded);
}

test("bytes come back whatever the pieces, and however JSON writes the characters", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(fc.integer({ min: 0, max: 20 })),
      fc.boolean(),
      (bytes, pieces, escape) => {
        const text = Buffer.from(bytes).toString("base64");
        const written = escape ? text.replaceAll("/", "\\/").replaceAll("+", "\\u002b") : text;
        expect(decode(written, pieces).equals(Buffer.from(bytes))).toBe(true);
      },
    ),
  );
});

test("what is decoded is exactly what base64 of those bytes is", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...'ABab01+/=-_ \n\\"é'.split("")), maxLength: 24 }),
      (text) => {
        let decoded: Buffer | undefined;
        try {
          decoded = decode(text);
        } catch {
          return;
        }
        expect(decoded.toString("base64")).toBe(text.replaceAll("\\/", "/"));
      },
    ),
  );
});

test.each([
  "A",
  "AB",
  "ABC",
  "QUJ",
  "QQ=",
  "QR==",
  "QUK=",
  "====",
  "Q===",
  "QQ==QUJD",
  "QU=D",
  "QUJD\\",
  "QUJD\\u00",
  "QUJD\\n",
])("%j is refused", (text) => {
  expect(() => decode(text)).toThrow(/not valid base64/);
  expect(() => decode(text, [1, 1, 1, 1, 1])).toThrow(/not valid base64/);
});
