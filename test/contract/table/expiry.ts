import { describe, expect, test } from "vitest";
import { ConditionFailedError } from "../../../shared/ports/table.ts";
import type { TableUnderTest } from "../table.contract.ts";
import {
  FUTURE_SECONDS,
  freshPartition,
  PAST_SECONDS,
  pagesOf,
  putOf,
  rejectionOf,
  sortKeysOf,
} from "./builders.ts";

/** From its second on, an expired item is not there, whether or not it has been removed. */
export function describeExpiry(table: TableUnderTest): void {
  describe("expiry", () => {
    test("an expired item is returned by nothing", async () => {
      const pk = freshPartition();
      const nowSeconds = Math.floor(Date.now() / 1000);
      const index = { pk: `${pk}#index`, sk: "1" };
      await table.current.write([
        putOf(pk, "a", {}, { index, expiresAtSeconds: PAST_SECONDS }),
        putOf(pk, "b", {}, { index, expiresAtSeconds: nowSeconds }),
        putOf(pk, "c", {}, { index, expiresAtSeconds: FUTURE_SECONDS }),
      ]);
      const keys = ["a", "b", "c"].map((sk) => ({ pk, sk }));
      expect(await table.current.get({ pk, sk: "a" })).toBeUndefined();
      const many = await table.current.getMany(keys);
      expect(many.map((item) => item?.key.sk)).toEqual([undefined, undefined, "c"]);
      expect(await sortKeysOf(table.current, { pk, limit: 1 })).toEqual(["c"]);
      expect(await sortKeysOf(table.current, { pk: index.pk, index: true, limit: 1 })).toEqual([
        "c",
      ]);
    });

    test("a page goes on past expired items until it has one that is not", async () => {
      const pk = freshPartition();
      await table.current.write([
        ...Array.from({ length: 20 }, (_, at) =>
          putOf(pk, `a${String(at).padStart(2, "0")}`, {}, { expiresAtSeconds: PAST_SECONDS }),
        ),
        putOf(pk, "b"),
        putOf(pk, "c"),
      ]);
      const page = await table.current.query({ pk, limit: 1 });
      expect(page.items.map((item) => item.key.sk)).toEqual(["b"]);
      const [full] = await pagesOf(table.current, { pk, limit: 2 });
      expect(full?.items.map((item) => item.key.sk)).toEqual(["b", "c"]);
    });

    test("an update of an expired item starts from nothing", async () => {
      const pk = freshPartition();
      const index = { pk: `${pk}#index`, sk: "1" };
      const old = { index, expiresAtSeconds: PAST_SECONDS };
      await table.current.write([
        putOf(pk, "a", { n: 5, old: 1 }, old),
        putOf(pk, "b", { n: 5 }, old),
      ]);
      await table.current.write([{ op: "update", key: { pk, sk: "a" }, add: { n: 1 } }]);
      await table.current.write([
        { op: "update", key: { pk, sk: "b" }, add: { n: 1 }, index },
        putOf(pk, "c"),
      ]);
      expect(await table.current.get({ pk, sk: "a" })).toEqual(putOf(pk, "a", { n: 1 }).item);
      expect(await table.current.get({ pk, sk: "b" })).toEqual(
        putOf(pk, "b", { n: 1 }, { index }).item,
      );
      expect(await sortKeysOf(table.current, { pk: index.pk, index: true, limit: 5 })).toEqual([
        "b",
      ]);
    });

    test("a failure beside the update of an expired item names exactly the failed operations", async () => {
      const pk = freshPartition();
      const old = { expiresAtSeconds: PAST_SECONDS };
      await table.current.write([
        putOf(pk, "a", { n: 5 }, old),
        putOf(pk, "b", {}, old),
        putOf(pk, "c"),
      ]);
      const error = await rejectionOf(
        table.current.write([
          { op: "update", key: { pk, sk: "a" }, add: { n: 1 } },
          { op: "update", key: { pk, sk: "b" }, set: { n: 1 }, conditions: [{ kind: "present" }] },
          { op: "check", key: { pk, sk: "c" }, conditions: [{ kind: "absent" }] },
        ]),
      );
      expect(error).toBeInstanceOf(ConditionFailedError);
      expect(error).toHaveProperty("failedOps", [1, 2]);
      expect(await table.current.get({ pk, sk: "a" })).toBeUndefined();
    });

    test("50 concurrent adds to an expired counter count 50", async () => {
      const key = { pk: freshPartition(), sk: "counter" };
      await table.current.write([
        putOf(key.pk, key.sk, { n: 900 }, { expiresAtSeconds: PAST_SECONDS }),
      ]);
      await Promise.all(
        Array.from({ length: 50 }, () =>
          table.current.write([{ op: "update", key, add: { n: 1 } }]),
        ),
      );
      expect((await table.current.get(key))?.attributes["n"]).toBe(50);
    });

    test("an update can prolong an item and make it permanent", async () => {
      const key = { pk: freshPartition(), sk: "a" };
      await table.current.write([
        putOf(key.pk, key.sk, { n: 1 }, { expiresAtSeconds: FUTURE_SECONDS }),
      ]);
      await table.current.write([{ op: "update", key, expiresAtSeconds: FUTURE_SECONDS + 1 }]);
      expect((await table.current.get(key))?.expiresAtSeconds).toBe(FUTURE_SECONDS + 1);
      await table.current.write([{ op: "update", key, expiresAtSeconds: null }]);
      expect(await table.current.get(key)).toEqual({ key, attributes: { n: 1 } });
      await table.current.write([{ op: "update", key, expiresAtSeconds: PAST_SECONDS }]);
      expect(await table.current.get(key)).toBeUndefined();
    });
  });
}
