import { describe, expect, test } from "vitest";
import type { Attributes } from "../../../shared/ports/table.ts";
import type { TableUnderTest } from "../table.contract.ts";
import { FUTURE_SECONDS, freshPartition, putOf, rejectionOf, sortKeysOf } from "./builders.ts";

const EVERY_KIND: Attributes = {
  text: "text",
  emptyText: "",
  unicode: "é 😀 \u{10FFFF} \uFFFD",
  zero: 0,
  negative: -12,
  fraction: 0.1,
  seventeenDigits: 0.30000000000000004,
  safeInteger: Number.MAX_SAFE_INTEGER,
  huge: 9.98e125,
  tiny: 1.5e-129,
  yes: true,
  no: false,
  bytes: new Uint8Array([0, 255, 1, 128]),
  emptyBytes: new Uint8Array(0),
  list: [1, "two", [true, new Uint8Array([3])], {}],
  emptyList: [],
  map: { inner: { deep: [{ deeper: "value" }] }, "a b": "c", constructor: "ours" },
  emptyMap: {},
  pk: "not the key",
  sk: "nor this",
  gsi1pk: "nor that",
  expiresAtSeconds: "nor a time",
  name: "a reserved word",
  "with.dot": 1,
  "#hash:colon": 2,
};

/** What is put is what is read. `reopen` brings the same data back where that can be done. */
export function describeItems(table: TableUnderTest, reopen: () => Promise<void>): void {
  describe("items", () => {
    test("an absent item is undefined", async () => {
      expect(await table.current.get({ pk: freshPartition(), sk: "none" })).toBeUndefined();
    });

    test("every kind of value comes back as it was put, also after a reopening", async () => {
      const pk = freshPartition();
      const index = { pk: `${pk}#index`, sk: "place" };
      const put = putOf(pk, "é", EVERY_KIND, { index, expiresAtSeconds: FUTURE_SECONDS });
      await table.current.write([put]);
      expect(await table.current.get(put.item.key)).toEqual(put.item);
      await reopen();
      expect(await table.current.get(put.item.key)).toEqual(put.item);
      const page = await table.current.query({ pk, limit: 5 });
      expect(page.items).toEqual([put.item]);
    });

    test("getMany keeps the order of its keys, with absences and repetitions", async () => {
      const pk = freshPartition();
      await table.current.write([putOf(pk, "a", { n: 1 }), putOf(pk, "b", { n: 2 })]);
      const keys = ["b", "none", "a", "b"].map((sk) => ({ pk, sk }));
      const items = await table.current.getMany(keys);
      expect(items.map((item) => item?.attributes["n"])).toEqual([2, undefined, 1, 2]);
      expect(await table.current.getMany([])).toEqual([]);
    });

    test("getMany reads 100 items that are more than one answer of the store can hold", async () => {
      const pk = freshPartition();
      const keys = Array.from({ length: 100 }, (_, at) => ({ pk, sk: `${at}` }));
      for (const { sk } of keys) {
        await table.current.write([putOf(pk, sk, { bytes: new Uint8Array(200_000), sk })]);
      }
      const items = await table.current.getMany(keys);
      expect(items.map((item) => item?.attributes["sk"])).toEqual(keys.map((key) => key.sk));
      expect(await rejectionOf(table.current.getMany([...keys, { pk, sk: "x" }]))).toBeInstanceOf(
        TypeError,
      );
    });

    test("a put replaces the whole item and its place in the index", async () => {
      const pk = freshPartition();
      const index = { pk: `${pk}#index`, sk: "1" };
      await table.current.write([
        putOf(pk, "a", { old: 1 }, { index, expiresAtSeconds: FUTURE_SECONDS }),
      ]);
      await table.current.write([putOf(pk, "a", { new: 2 })]);
      expect(await table.current.get({ pk, sk: "a" })).toEqual(putOf(pk, "a", { new: 2 }).item);
      expect(await sortKeysOf(table.current, { pk: index.pk, index: true, limit: 5 })).toEqual([]);
    });

    test("an update sets, removes and adds, and leaves the rest alone", async () => {
      const pk = freshPartition();
      const key = { pk, sk: "a" };
      const index = { pk: `${pk}#index`, sk: "1" };
      await table.current.write([
        putOf(
          pk,
          "a",
          { keep: "k", change: 1, drop: true, count: 40 },
          { index, expiresAtSeconds: FUTURE_SECONDS },
        ),
      ]);
      await table.current.write([
        {
          op: "update",
          key,
          set: { change: [2] },
          remove: ["drop", "never"],
          add: { count: 2, fresh: -1 },
        },
      ]);
      expect(await table.current.get(key)).toEqual({
        key,
        attributes: { keep: "k", change: [2], count: 42, fresh: -1 },
        index,
        expiresAtSeconds: FUTURE_SECONDS,
      });
    });

    test("an update moves an item in the index, and null takes it out", async () => {
      const pk = freshPartition();
      const key = { pk, sk: "a" };
      const inIndex = (sk: string) =>
        sortKeysOf(table.current, { pk: `${pk}#${sk}`, index: true, limit: 5 });
      await table.current.write([putOf(pk, "a", {}, { index: { pk: `${pk}#1`, sk: "x" } })]);
      expect(await inIndex("1")).toEqual(["a"]);
      await table.current.write([{ op: "update", key, index: { pk: `${pk}#2`, sk: "x" } }]);
      expect([await inIndex("1"), await inIndex("2")]).toEqual([[], ["a"]]);
      await table.current.write([{ op: "update", key, index: null }]);
      expect(await inIndex("2")).toEqual([]);
      expect(await table.current.get(key)).toEqual({ key, attributes: {} });
    });

    test("deleting takes an item out of the index; deleting nothing is no error", async () => {
      const pk = freshPartition();
      const index = { pk: `${pk}#index`, sk: "1" };
      await table.current.write([putOf(pk, "a", {}, { index })]);
      await table.current.write([{ op: "delete", key: { pk, sk: "a" } }]);
      await table.current.write([{ op: "delete", key: { pk, sk: "a" } }]);
      expect(await table.current.get({ pk, sk: "a" })).toBeUndefined();
      expect(await sortKeysOf(table.current, { pk: index.pk, index: true, limit: 5 })).toEqual([]);
    });

    test("an update creates an absent item, even when it sets nothing", async () => {
      const pk = freshPartition();
      await table.current.write([{ op: "update", key: { pk, sk: "set" }, set: { a: 1 } }]);
      await table.current.write([{ op: "update", key: { pk, sk: "bare" } }]);
      await table.current.write([
        { op: "update", key: { pk, sk: "removed" }, remove: ["x"] },
        { op: "update", key: { pk, sk: "expiry" }, expiresAtSeconds: null },
      ]);
      const page = await table.current.query({ pk, limit: 9 });
      expect(page.items.map((item) => [item.key.sk, item.attributes])).toEqual([
        ["bare", {}],
        ["expiry", {}],
        ["removed", {}],
        ["set", { a: 1 }],
      ]);
    });

    test("adding to what is not a number is a TypeError and changes nothing", async () => {
      const pk = freshPartition();
      const key = { pk, sk: "a" };
      await table.current.write([putOf(pk, "a", { text: "1" })]);
      const add = { op: "update" as const, key, add: { text: 1 } };
      expect(await rejectionOf(table.current.write([add]))).toBeInstanceOf(TypeError);
      const several = table.current.write([putOf(pk, "b"), add]);
      expect(await rejectionOf(several)).toBeInstanceOf(TypeError);
      expect(await sortKeysOf(table.current, { pk, limit: 5 })).toEqual(["a"]);
    });

    test("the store answers a ping", async () => {
      await table.current.ping();
    });
  });
}
