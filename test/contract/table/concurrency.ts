import { describe, expect, test } from "vitest";
import { ConditionFailedError } from "../../../shared/ports/table.ts";
import type { TableUnderTest } from "../table.contract.ts";
import { freshPartition, putOf } from "./builders.ts";

/** Races have one winner, and sums are right. */
export function describeConcurrency(table: TableUnderTest): void {
  describe("concurrency", () => {
    test("of 50 creators of one key exactly one wins", async () => {
      const key = { pk: freshPartition(), sk: "a" };
      const results = await Promise.allSettled(
        Array.from({ length: 50 }, (_, winner) =>
          table.current.write([
            putOf(key.pk, key.sk, { winner }, { conditions: [{ kind: "absent" }] }),
          ]),
        ),
      );
      const winners = results.flatMap((result, at) => (result.status === "fulfilled" ? [at] : []));
      expect(winners).toHaveLength(1);
      expect((await table.current.get(key))?.attributes["winner"]).toBe(winners[0]);
      for (const result of results) {
        if (result.status === "rejected") {
          expect(result.reason).toBeInstanceOf(ConditionFailedError);
        }
      }
    });

    test("50 concurrent adds count 50", async () => {
      const key = { pk: freshPartition(), sk: "counter" };
      await Promise.all(
        Array.from({ length: 50 }, (_, at) =>
          table.current.write(
            at % 2 === 0
              ? [{ op: "update", key, add: { n: 1 } }]
              : [{ op: "update", key, add: { n: 1 } }, putOf(key.pk, `own-${at}`)],
          ),
        ),
      );
      expect((await table.current.get(key))?.attributes["n"]).toBe(50);
    });

    test("50 concurrent transfers between 6 accounts leave a serial result", async () => {
      const pk = freshPartition();
      const accounts = Array.from({ length: 6 }, (_, at) => ({ pk, sk: `account-${at}` }));
      await table.current.write(
        accounts.map(({ sk }) => putOf(pk, sk, { balance: 100, version: 0 })),
      );
      const transfer = async (number: number): Promise<void> => {
        const from = accounts[number % 6];
        const to = accounts[(number * 5 + 1) % 6];
        if (from === undefined || to === undefined || from === to) return;
        for (;;) {
          const [giver, taker] = await table.current.getMany([from, to]);
          const amount = (number % 7) + 1;
          try {
            await table.current.write([
              move(
                from,
                Number(giver?.attributes["balance"]) - amount,
                giver?.attributes["version"],
              ),
              move(to, Number(taker?.attributes["balance"]) + amount, taker?.attributes["version"]),
              putOf(pk, `receipt-${String(number).padStart(2, "0")}`, { amount }),
            ]);
            return;
          } catch (error) {
            if (!(error instanceof ConditionFailedError)) throw error;
          }
        }
      };
      await Promise.all(Array.from({ length: 50 }, (_, number) => transfer(number)));
      const after = await table.current.getMany(accounts);
      const receipts = await table.current.query({ pk, range: { prefix: "receipt-" }, limit: 100 });
      const sum = (name: string) =>
        after.reduce((total, item) => total + Number(item?.attributes[name]), 0);
      expect(sum("balance")).toBe(600);
      expect(sum("version")).toBe(2 * receipts.items.length);
      const expected = accounts.map(() => 100);
      for (const { key, attributes } of receipts.items) {
        const number = Number(key.sk.slice("receipt-".length));
        const from = number % 6;
        const to = (number * 5 + 1) % 6;
        expected[from] = (expected[from] ?? 0) - Number(attributes["amount"]);
        expected[to] = (expected[to] ?? 0) + Number(attributes["amount"]);
      }
      expect(after.map((item) => item?.attributes["balance"])).toEqual(expected);
    });
  });
}

function move(key: { pk: string; sk: string }, balance: number, version: unknown) {
  if (typeof version !== "number") throw new Error("the account has no version");
  return {
    op: "update" as const,
    key,
    set: { balance },
    add: { version: 1 },
    conditions: [{ kind: "equals" as const, attribute: "version", value: version }],
  };
}
