import { describe, expect, test } from "vitest";
import { ConditionFailedError, type WriteOp } from "../../../shared/ports/table.ts";
import type { TableUnderTest } from "../table.contract.ts";
import { freshPartition, putOf, rejectionOf, sortKeysOf } from "./builders.ts";

/** Transactions are all or nothing. */
export function describeTransactions(table: TableUnderTest): void {
  describe("transactions", () => {
    const hundred = (pk: string): WriteOp[] =>
      Array.from({ length: 100 }, (_, at) =>
        putOf(pk, String(at).padStart(3, "0"), { at }, { conditions: [{ kind: "absent" }] }),
      );

    test("100 operations succeed as a whole", async () => {
      const pk = freshPartition();
      await table.current.write(hundred(pk));
      expect(await sortKeysOf(table.current, { pk, limit: 30 })).toHaveLength(100);
    });

    test("100 operations fail as a whole, and every failed one is named", async () => {
      const pk = freshPartition();
      await table.current.write([putOf(pk, "007"), putOf(pk, "099")]);
      const error = await rejectionOf(table.current.write(hundred(pk)));
      expect(error).toBeInstanceOf(ConditionFailedError);
      expect(error).toHaveProperty("failedOps", [7, 99]);
      expect(await sortKeysOf(table.current, { pk, limit: 30 })).toEqual(["007", "099"]);
    });

    test("all kinds of operations go together", async () => {
      const pk = freshPartition();
      await table.current.write([putOf(pk, "b", { n: 1 }), putOf(pk, "c"), putOf(pk, "d")]);
      await table.current.write([
        putOf(pk, "a"),
        { op: "update", key: { pk, sk: "b" }, add: { n: 1 } },
        { op: "delete", key: { pk, sk: "c" } },
        { op: "check", key: { pk, sk: "d" }, conditions: [{ kind: "present" }] },
      ]);
      expect(await sortKeysOf(table.current, { pk, limit: 30 })).toEqual(["a", "b", "d"]);
    });

    test("a transaction of nothing is done at once", async () => {
      await table.current.write([]);
    });

    test("two operations for one key are refused, whatever they are", async () => {
      const pk = freshPartition();
      const key = { pk, sk: "a" };
      const check: WriteOp = { op: "check", key, conditions: [{ kind: "absent" }] };
      const error = await rejectionOf(table.current.write([check, putOf(pk, "a")]));
      expect(error).toBeInstanceOf(TypeError);
      expect(await table.current.get(key)).toBeUndefined();
    });

    test("an attribute that one update changes twice is refused", async () => {
      const key = { pk: freshPartition(), sk: "a" };
      const set = { n: 1 };
      for (const other of [{ remove: ["n"] }, { add: { n: 1 } }]) {
        const error = await rejectionOf(
          table.current.write([{ op: "update", key, set, ...other }]),
        );
        expect(error).toBeInstanceOf(TypeError);
      }
    });

    test("a failed transaction does not harm the ones beside it", async () => {
      const pk = freshPartition();
      await table.current.write([putOf(pk, "taken")]);
      const results = await Promise.allSettled(
        Array.from({ length: 10 }, (_, at) =>
          table.current.write([
            putOf(pk, `own-${at}`),
            putOf(
              pk,
              at % 2 === 0 ? "taken" : `free-${at}`,
              {},
              { conditions: [{ kind: "absent" }] },
            ),
          ]),
        ),
      );
      const succeeded = results.map((result) => result.status === "fulfilled");
      expect(succeeded).toEqual([false, true, false, true, false, true, false, true, false, true]);
      const keys = await sortKeysOf(table.current, { pk, limit: 30 });
      expect(keys.filter((sk) => sk.startsWith("own-"))).toEqual([
        "own-1",
        "own-3",
        "own-5",
        "own-7",
        "own-9",
      ]);
    });
  });
}
