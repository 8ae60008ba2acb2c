import { beforeAll, describe, expect, test } from "vitest";
import { KeyTooLargeError, type SortRange } from "../../../shared/ports/table.ts";
import type { TableUnderTest } from "../table.contract.ts";
import { freshPartition, putOf, rejectionOf, sortKeysOf } from "./builders.ts";

// In UTF-8 order. JavaScript's own order would put U+1F600 and U+10FFFF before U+FFFD.
const SORTED = [
  "\x01",
  "a",
  "a#",
  "a#1",
  "a#10",
  "a#2",
  "a$",
  "ab",
  "b",
  "z",
  "\x7F",
  "\x80",
  "é",
  "é#1",
  "\uD7FF",
  "\uE000",
  "\uFFFD",
  "\u{10000}",
  "\u{1F600}",
  "\u{10FFFF}",
  "\u{10FFFF}\u{10FFFF}",
];

const RANGES: readonly SortRange[] = [
  {},
  { prefix: "" },
  { prefix: "a" },
  { prefix: "a#" },
  { prefix: "a#1" },
  { prefix: "é" },
  { prefix: "\x7F" },
  { prefix: "\uD7FF" },
  { prefix: "\u{1F600}" },
  { prefix: "\u{10FFFF}" },
  { prefix: "none" },
  { from: "a#1" },
  { from: "a#1x" },
  { from: "\uFFFD" },
  { from: "" },
  { after: "a#1" },
  { after: "a#1x" },
  { after: "" },
  { to: "b" },
  { to: "a#1x" },
  { to: "" },
  { before: "b" },
  { before: "é" },
  { before: "" },
  { before: "\u{10000}" },
  { from: "a#", to: "b" },
  { from: "a#", before: "b" },
  { after: "a#", to: "b" },
  { after: "a#", before: "b" },
  { from: "b", to: "b" },
  { from: "b", before: "b" },
  { after: "b", to: "b" },
  { from: "b", to: "a" },
  { prefix: "a", after: "a#1" },
  { prefix: "a", before: "a$" },
  { prefix: "a#", from: "a", to: "z" },
  { prefix: "a#", from: "b" },
  { prefix: "\u{10FFFF}", after: "\u{10FFFF}" },
  { from: "a", after: "a", to: "\uFFFD", before: "\uFFFD" },
  { from: "a#2", after: "a" },
];

function expected(range: SortRange): string[] {
  const bytes = (text: string) => Buffer.from(text, "utf8");
  const compare = (sk: string, bound: string) => Buffer.compare(bytes(sk), bytes(bound));
  return SORTED.filter(
    (sk) =>
      (range.prefix === undefined || sk.startsWith(range.prefix)) &&
      (range.from === undefined || compare(sk, range.from) >= 0) &&
      (range.after === undefined || compare(sk, range.after) > 0) &&
      (range.to === undefined || compare(sk, range.to) <= 0) &&
      (range.before === undefined || compare(sk, range.before) < 0),
  );
}

/** Sort keys are ordered and bounded by their UTF-8 bytes, on the table and on the index. */
export function describeRanges(table: TableUnderTest): void {
  describe("ranges", () => {
    const pk = freshPartition();
    const indexPk = `${pk}#index`;

    beforeAll(async () => {
      // Neighbouring partitions, whose items no range may reach.
      const neighbours = [`${pk}\x01`, `${pk}a`, pk.slice(0, -1), `${pk}\u{10FFFF}`];
      await table.current.write([
        ...SORTED.map((sk, at) =>
          putOf(pk, sk, {}, { index: { pk: `${pk}#by-number`, sk: `${at}` } }),
        ),
        ...neighbours.flatMap((other) => ["a", "\u{10FFFF}"].map((sk) => putOf(other, sk))),
      ]);
      await table.current.write([
        ...SORTED.map((sk) => putOf(`${pk}#indexed`, sk, {}, { index: { pk: indexPk, sk } })),
        putOf(`${pk}#x`, "1", {}, { index: { pk: `${indexPk}\x01`, sk: "a" } }),
        putOf(`${pk}#x`, "2", {}, { index: { pk: indexPk.slice(0, -1), sk: "x" } }),
      ]);
    });

    test.each(RANGES)("%j", async (range) => {
      const ascending = expected(range);
      const descending = ascending.toReversed();
      for (const query of [{ pk }, { pk: indexPk, index: true }]) {
        for (const limit of [1, 3, 100]) {
          const up = await sortKeysOf(table.current, { ...query, range, limit });
          expect(up, `limit ${limit}`).toEqual(ascending);
          const down = await sortKeysOf(table.current, {
            ...query,
            range,
            limit,
            descending: true,
          });
          expect(down, `limit ${limit}, descending`).toEqual(descending);
        }
      }
    });

    test("a bound that cannot be a key is refused", async () => {
      const query = (range: SortRange) => table.current.query({ pk, range, limit: 1 });
      expect(await rejectionOf(query({ from: "a\0" }))).toBeInstanceOf(TypeError);
      expect(await rejectionOf(query({ prefix: "\uD800" }))).toBeInstanceOf(TypeError);
      expect(await rejectionOf(query({ to: "x".repeat(1025) }))).toBeInstanceOf(KeyTooLargeError);
      expect(await rejectionOf(table.current.query({ pk, limit: 0 }))).toBeInstanceOf(TypeError);
      expect(await rejectionOf(table.current.query({ pk: "", limit: 1 }))).toBeInstanceOf(
        TypeError,
      );
    });
  });
}
