import { describe, expect, test } from "vitest";
import {
  type Condition,
  ConditionFailedError,
  type Key,
  type WriteOp,
} from "../../../shared/ports/table.ts";
import type { TableUnderTest } from "../table.contract.ts";
import { freshPartition, PAST_SECONDS, putOf, rejectionOf } from "./builders.ts";

const ATTRIBUTES = { n: 5, s: "m\u{1F600}", b: true };

interface Case {
  readonly title: string;
  readonly condition: Condition;
  readonly onPresent: boolean;
  readonly onAbsent: boolean;
}

const CASES: readonly Case[] = [
  { title: "absent", condition: { kind: "absent" }, onPresent: false, onAbsent: true },
  { title: "present", condition: { kind: "present" }, onPresent: true, onAbsent: false },
  ...comparisons(
    "equals",
    [
      ["the same number", "n", 5, true],
      ["another number", "n", 6, false],
      ["the number as text", "n", "5", false],
      ["the same text", "s", "m\u{1F600}", true],
      ["the same boolean", "b", true, true],
      ["another boolean", "b", false, false],
      ["an absent attribute", "x", 5, false],
      ["a name that every object has", "constructor", "x", false],
    ],
    false,
  ),
  ...comparisons(
    "notEquals",
    [
      ["the same number", "n", 5, false],
      ["another number", "n", 6, true],
      ["the number as text", "n", "5", true],
      ["the same boolean", "b", true, false],
      ["an absent attribute", "x", 5, true],
    ],
    true,
  ),
  ...comparisons(
    "lessThan",
    [
      ["a larger number", "n", 5.5, true],
      ["an equal number", "n", 5, false],
      ["a number with more digits", "n", 10, true],
      ["a text", "n", "9", false],
      ["a larger text", "s", "n", true],
      // U+1F600 is above U+FFFD in UTF-8 and below it in UTF-16.
      ["a text that only UTF-16 calls larger", "s", "m\uFFFD", false],
      ["an absent attribute", "x", 5, false],
    ],
    false,
  ),
  ...comparisons(
    "greaterThan",
    [
      ["a smaller number", "n", -1, true],
      ["an equal number", "n", 5, false],
      ["a text that only UTF-8 calls smaller", "s", "m\uFFFD", true],
      ["a boolean attribute", "b", 0, false],
      ["an absent attribute", "x", 5, false],
    ],
    false,
  ),
  {
    title: "attributeAbsent of a present one",
    condition: { kind: "attributeAbsent", attribute: "n" },
    onPresent: false,
    onAbsent: true,
  },
  {
    title: "attributeAbsent of an absent one",
    condition: { kind: "attributeAbsent", attribute: "x" },
    onPresent: true,
    onAbsent: true,
  },
  {
    title: "attributePresent of a present one",
    condition: { kind: "attributePresent", attribute: "n" },
    onPresent: true,
    onAbsent: false,
  },
  {
    title: "attributePresent of an absent one",
    condition: { kind: "attributePresent", attribute: "x" },
    onPresent: false,
    onAbsent: false,
  },
];

function comparisons(
  kind: "equals" | "notEquals" | "lessThan" | "greaterThan",
  rows: readonly (readonly [string, string, string | number | boolean, boolean])[],
  onAbsent: boolean,
): Case[] {
  return rows.map(([what, attribute, value, onPresent]) => ({
    title: `${kind} ${what}`,
    condition: comparison(kind, attribute, value),
    onPresent,
    onAbsent,
  }));
}

function comparison(
  kind: "equals" | "notEquals" | "lessThan" | "greaterThan",
  attribute: string,
  value: string | number | boolean,
): Condition {
  if (kind === "equals" || kind === "notEquals") return { kind, attribute, value };
  if (typeof value === "boolean") throw new TypeError("booleans have no order");
  return { kind, attribute, value };
}

const OPERATIONS: Readonly<
  Record<WriteOp["op"], (key: Key, conditions: readonly Condition[]) => WriteOp>
> = {
  put: (key, conditions) => ({ op: "put", item: { key, attributes: { done: 1 } }, conditions }),
  update: (key, conditions) => ({ op: "update", key, set: { done: 1 }, conditions }),
  delete: (key, conditions) => ({ op: "delete", key, conditions }),
  check: (key, conditions) => ({ op: "check", key, conditions }),
};

const AFTERWARDS: Readonly<Record<WriteOp["op"], (live: boolean) => unknown>> = {
  put: () => ({ done: 1 }),
  update: (live) => (live ? { ...ATTRIBUTES, done: 1 } : { done: 1 }),
  delete: () => undefined,
  check: (live) => (live ? ATTRIBUTES : undefined),
};

const STATES = ["present", "absent", "expired"] as const;

/** Every condition, on every state of an item, in every operation, alone and among others. */
export function describeConditions(table: TableUnderTest): void {
  describe.each(["put", "update", "delete", "check"] as const)("a conditional %s", (op) => {
    test.each(CASES)("with $title", async ({ condition, onPresent, onAbsent }) => {
      for (const state of STATES) {
        for (const company of ["alone", "in company"]) {
          const pk = freshPartition();
          const key = { pk, sk: "subject" };
          if (state === "present") await table.current.write([putOf(pk, key.sk, ATTRIBUTES)]);
          if (state === "expired") {
            const expiresAtSeconds = PAST_SECONDS;
            await table.current.write([putOf(pk, key.sk, ATTRIBUTES, { expiresAtSeconds })]);
          }
          const ops = [OPERATIONS[op](key, [condition])];
          if (company === "in company") ops.unshift(putOf(pk, "company"));
          const expected = state === "present" ? onPresent : onAbsent;
          const before = await table.current.get(key);
          const where = `${state}, ${company}`;
          if (expected) {
            await table.current.write(ops);
            const after = await table.current.get(key);
            expect(after?.attributes, where).toEqual(AFTERWARDS[op](state === "present"));
            expect(after?.expiresAtSeconds, where).toBeUndefined();
          } else {
            const error = await rejectionOf(table.current.write(ops));
            expect(error, where).toBeInstanceOf(ConditionFailedError);
            expect(error, where).toHaveProperty("failedOps", [ops.length - 1]);
            expect(await table.current.get(key), where).toEqual(before);
            expect(await table.current.get({ pk, sk: "company" }), where).toBeUndefined();
          }
        }
      }
    });
  });

  test("all conditions of an operation must hold", async () => {
    const pk = freshPartition();
    const key = { pk, sk: "a" };
    await table.current.write([putOf(pk, "a", ATTRIBUTES)]);
    const write = (n: number) =>
      table.current.write([
        {
          op: "update",
          key,
          set: { seen: n },
          conditions: [
            { kind: "present" },
            { kind: "equals", attribute: "n", value: n },
            { kind: "attributeAbsent", attribute: "x" },
          ],
        },
      ]);
    expect(await rejectionOf(write(4))).toBeInstanceOf(ConditionFailedError);
    await write(5);
    expect((await table.current.get(key))?.attributes["seen"]).toBe(5);
  });
}
