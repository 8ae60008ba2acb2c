import { gunzipSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AppendableGzip,
  appendGzip,
  buildGzip,
  readClosing,
  recloseGzip,
} from "../../../shared/services/appendable-gzip.ts";

const textOf = (document: AppendableGzip): string => gunzipSync(document.gzip).toString("utf8");

async function appendAll(entries: readonly string[], closings: readonly string[]) {
  let document = await buildGzip("{", [], ",", "}");
  for (const [position, entry] of entries.entries()) {
    document = await appendGzip(document, ",", entry, closings[position] ?? "}");
  }
  return document;
}

describe("a gzip document that grows at its end", () => {
  it("reads the same whether its entries were appended one by one or built at once", async () => {
    const entry = fc.string({ unit: "grapheme", maxLength: 30_000, size: "max" });
    await fc.assert(
      fc.asyncProperty(
        fc.array(entry, { maxLength: 12 }),
        fc.string(),
        async (entries, closing) => {
          const closings = entries.map((_, position) => `${position}${closing}`);
          const appended = await appendAll(entries, closings);
          const built = await buildGzip("{", entries, ",", closings.at(-1) ?? "}");
          expect(textOf(appended)).toBe(textOf(built));
          expect(appended.lengthBytes).toBe(built.lengthBytes);
          expect(appended.entryCount).toBe(entries.length);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("gives back its closing and takes another", async () => {
    const document = await appendAll(["a".repeat(100_000), "é", "b"], ["}1", "}2", "}3ü"]);
    expect(await readClosing(document)).toBe("}3ü");
    const reclosed = await recloseGzip(document, "}4");
    expect(textOf(reclosed)).toBe(`{${"a".repeat(100_000)},é,b}4`);
  });

  it("leaves the sealed run as it was, so that an append costs no more for a long document", async () => {
    const entries = Array.from(
      { length: 300 },
      (_, n) => `"1.0.${n}":${JSON.stringify("x".repeat(900))}`,
    );
    const before = await appendAll(entries, []);
    const after = await appendGzip(before, ",", '"2.0.0":1', "}");
    expect(before.sealedBytes).toBeGreaterThan(0);
    expect(after.gzip.subarray(0, before.sealedBytes)).toEqual(
      before.gzip.subarray(0, before.sealedBytes),
    );
    expect(after.openLengthBytes).toBeLessThan(70_000);
  });
});
