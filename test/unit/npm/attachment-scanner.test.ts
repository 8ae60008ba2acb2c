import * as fc from "fast-check";
import { expect, test } from "vitest";
import { AttachmentScanner } from "../../../functions/npm/intake/attachment-scanner.ts";

interface Scanned {
  readonly residual: unknown;
  readonly attachments: readonly { readonly name: string; readonly text: string }[];
}

/** Scans a text that arrives in pieces of the given lengths. */
function scan(text: string, lengths: readonly number[] = []): Scanned {
  const scanner = new AttachmentScanner({ maxResidualBytes: 10_000_000, maxDepth: 50 });
  const attachments: { name: string; pieces: Uint8Array[] }[] = [];
  const bytes = Buffer.from(text);
  let position = 0;
  const ends = [...lengths.map((length) => (position += length)), bytes.length];
  let start = 0;
  for (const end of ends) {
    for (const event of scanner.feed(bytes.subarray(start, end))) {
      const last = attachments.at(-1);
      if (event.kind === "begin") attachments.push({ name: event.name, pieces: [] });
      else if (event.kind === "text" && last !== undefined) last.pieces.push(event.bytes);
    }
    start = Math.max(start, Math.min(end, bytes.length));
  }
  return {
    residual: JSON.parse(scanner.residual()),
    attachments: attachments.map(({ name, pieces }) => ({
      name,
      text: Buffer.concat(pieces).toString("utf8"),
    })),
  };
}

const attachmentName = fc
  .string({ minLength: 1, maxLength: 12 })
  .filter((name) => !name.endsWith(".sigstore") && name !== "__proto__");

test("whatever the pieces, a tarball's data is taken out and everything else is kept", () => {
  fc.assert(
    fc.property(
      fc.jsonValue({ maxDepth: 4 }),
      attachmentName,
      fc.string({ unit: "grapheme" }),
      fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 20 }),
      (other, name, data, lengths) => {
        const document = {
          before: other,
          _attachments: { [name]: { length: 1, data, more: other } },
          after: other,
        };
        const { residual, attachments } = scan(JSON.stringify(document), lengths);
        expect(
          attachments.map((found) => ({ ...found, text: JSON.parse(`"${found.text}"`) })),
        ).toEqual([{ name, text: data }]);
        const expected = JSON.parse(JSON.stringify(document));
        expected["_attachments"][name].data = "";
        expect(residual).toEqual(expected);
      },
    ),
  );
});

test("data at other places, and provenance, stays", () => {
  const documents = [
    { data: "x", _attachments: { data: "x" } },
    { a: { _attachments: { n: { data: "x" } } } },
    { _attachments: { n: { deeper: { data: "x" } } } },
    { _attachments: [{ data: "x" }] },
    { _attachments: { n: [{ data: "x" }, "data", "x"] } },
    { _attachments: { "a.sigstore": { data: '{"x":"\\""}' } } },
    { _attachments: { n: { data: 5, x: "data" } } },
  ];
  for (const document of documents) {
    expect(scan(JSON.stringify(document))).toEqual({ residual: document, attachments: [] });
  }
});

test("keys are compared by what they mean, not by how they are written", () => {
  const { attachments } = scan('{"\\u005fattachments":{"a\\u002etgz":{"d\\u0061ta":"x"}}}');
  expect(attachments).toEqual([{ name: "a.tgz", text: "x" }]);
});

test("many backslashes in a row are read once", () => {
  const text = JSON.stringify({ a: "\\".repeat(400_000), b: '\\"'.repeat(100_000) });
  const started = performance.now();
  scan(text);
  expect(performance.now() - started).toBeLessThan(1000);
});

test("nesting, length and a bracket too many are refused", () => {
  const scanner = () => new AttachmentScanner({ maxResidualBytes: 100, maxDepth: 3 });
  const feed = (text: string) => () => [...scanner().feed(Buffer.from(text))];
  expect(feed("[[[")).not.toThrow();
  expect(feed("[[[[")).toThrow(/nested/);
  expect(feed("]")).toThrow(/not valid JSON/);
  expect(feed(`"${"x".repeat(200)}"`)).toThrow(/larger than 100 bytes/);
});
