import { describe, expect, test } from "vitest";
import {
  ItemTooLargeError,
  KeyTooLargeError,
  MAX_ITEM_BYTES,
  MAX_KEY_BYTES,
  MAX_SORT_KEY_BYTES,
  TransactionTooLargeError,
  type Value,
} from "../../../shared/ports/table.ts";
import { itemSizeBytes } from "../../../shared/ports/table-limits.ts";
import type { TableUnderTest } from "../table.contract.ts";
import { freshPartition, putOf, rejectionOf, sortKeysOf } from "./builders.ts";

/** What is too large or cannot be kept is refused by type, before anything is written. */
export function describeLimits(table: TableUnderTest): void {
  describe("limits", () => {
    test("an item of exactly the largest size is kept, one byte more is refused", async () => {
      const pk = freshPartition();
      const overhead = itemSizeBytes(putOf(pk, "a", { bytes: new Uint8Array(0) }).item);
      const filler = new Uint8Array(MAX_ITEM_BYTES - overhead).fill(7);
      await table.current.write([putOf(pk, "a", { bytes: filler })]);
      expect((await table.current.get({ pk, sk: "a" }))?.attributes["bytes"]).toEqual(filler);
      const more = putOf(pk, "b", { bytes: new Uint8Array(filler.length + 1) });
      expect(await rejectionOf(table.current.write([more]))).toBeInstanceOf(ItemTooLargeError);
      expect(await rejectionOf(table.current.write([putOf(pk, "c"), more]))).toBeInstanceOf(
        ItemTooLargeError,
      );
      expect(await sortKeysOf(table.current, { pk, limit: 5 })).toEqual(["a"]);
    });

    test("an update that makes an item too large is refused", async () => {
      const pk = freshPartition();
      const key = { pk, sk: "a" };
      const half = new Uint8Array(MAX_ITEM_BYTES / 2);
      await table.current.write([putOf(pk, "a", { one: half })]);
      const update = { op: "update" as const, key, set: { two: half } };
      expect(await rejectionOf(table.current.write([update]))).toBeInstanceOf(ItemTooLargeError);
      const error = await rejectionOf(table.current.write([putOf(pk, "b"), update]));
      expect(error).toBeInstanceOf(ItemTooLargeError);
      expect(await sortKeysOf(table.current, { pk, limit: 5 })).toEqual(["a"]);
    });

    test("101 operations are refused", async () => {
      const pk = freshPartition();
      const ops = Array.from({ length: 101 }, (_, at) => putOf(pk, `${at}`));
      const error = await rejectionOf(table.current.write(ops));
      expect(error).toBeInstanceOf(TransactionTooLargeError);
    });

    test("more than 4 MB are refused, a little less is kept", async () => {
      const pk = freshPartition();
      const puts = (count: number, bytes: number) =>
        Array.from({ length: count }, (_, at) =>
          putOf(pk, `${at}`, { bytes: new Uint8Array(bytes) }),
        );
      const error = await rejectionOf(table.current.write(puts(11, 400_000)));
      expect(error).toBeInstanceOf(TransactionTooLargeError);
      expect(await sortKeysOf(table.current, { pk, limit: 5 })).toEqual([]);
      await table.current.write(puts(10, 409_000));
      expect(await sortKeysOf(table.current, { pk, limit: 5 })).toHaveLength(10);
    });

    test("the longest keys are kept, longer ones are refused in every operation", async () => {
      const partition = freshPartition();
      const pk = partition.padEnd(MAX_KEY_BYTES - MAX_SORT_KEY_BYTES, "p");
      const sk = "é".repeat(MAX_SORT_KEY_BYTES / 2);
      const index = { pk: pk.replace("test", "indx"), sk };
      await table.current.write([putOf(pk, sk, {}, { index })]);
      expect(await table.current.get({ pk, sk })).toBeDefined();
      expect(await sortKeysOf(table.current, { pk: index.pk, index: true, limit: 1 })).toEqual([
        sk,
      ]);
      for (const key of [
        { pk: `${pk}p`, sk },
        { pk: partition, sk: `${sk}s` },
      ]) {
        for (const attempt of [
          () => table.current.get(key),
          () => table.current.getMany([key]),
          () => table.current.write([{ op: "delete", key }]),
          () => table.current.write([putOf(key.pk, key.sk)]),
          () => table.current.write([putOf(partition, "a", {}, { index: key })]),
          () => table.current.write([{ op: "update", key: { pk, sk }, index: key }]),
        ]) {
          expect(await rejectionOf(attempt())).toBeInstanceOf(KeyTooLargeError);
        }
      }
    });

    test.each([
      ["an empty partition", "", "a"],
      ["an empty sort key", "p", ""],
      ["a NUL", "p\0q", "a"],
      ["a NUL in the sort key", "p", "a\0"],
      ["a lone surrogate", "p", "\uD800"],
    ])("a key with %s is refused", async (_what, pk, sk) => {
      expect(await rejectionOf(table.current.get({ pk, sk }))).toBeInstanceOf(TypeError);
      expect(await rejectionOf(table.current.write([putOf(pk, sk)]))).toBeInstanceOf(TypeError);
    });

    const deep = (levels: number): Value => (levels === 0 ? 1 : [deep(levels - 1)]);
    const unkeepable: readonly (readonly [string, () => Record<string, Value>])[] = [
      ["NaN", () => ({ n: Number.NaN })],
      ["an infinity", () => ({ n: [Number.POSITIVE_INFINITY] })],
      ["a number beyond 38 digits of magnitude 125", () => ({ n: 1e126 })],
      ["a number next to nothing", () => ({ n: 1e-131 })],
      ["a lone surrogate", () => ({ s: "\uDC00" })],
      ["an empty attribute name", () => ({ "": 1 })],
      ["a member that would be a prototype", () => JSON.parse('{"m":{"__proto__":{"n":1}}}')],
      ["an attribute that would be a prototype", () => JSON.parse('{"__proto__":1}')],
      ["a null", () => JSON.parse('{"n":null}')],
      ["33 levels", () => ({ list: deep(33) })],
    ];
    test.each(unkeepable)("a value with %s is refused", async (_what, attributes) => {
      const pk = freshPartition();
      const put = table.current.write([putOf(pk, "a", attributes())]);
      expect(await rejectionOf(put)).toBeInstanceOf(TypeError);
      const update = table.current.write([
        { op: "update", key: { pk, sk: "a" }, set: attributes() },
      ]);
      expect(await rejectionOf(update)).toBeInstanceOf(TypeError);
      expect(await table.current.get({ pk, sk: "a" })).toBeUndefined();
    });

    test("adding NaN or beyond the largest number is refused", async () => {
      const key = { pk: freshPartition(), sk: "a" };
      const nan = table.current.write([{ op: "update", key, add: { n: Number.NaN } }]);
      expect(await rejectionOf(nan)).toBeInstanceOf(TypeError);
    });

    test.each([-1, 1.5, 2 ** 48])(
      "an expiry of %d seconds is refused",
      async (expiresAtSeconds) => {
        const put = putOf(freshPartition(), "a", {}, { expiresAtSeconds });
        expect(await rejectionOf(table.current.write([put]))).toBeInstanceOf(TypeError);
      },
    );
  });
}
