import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Condition,
  ConditionFailedError,
  type Item,
  type Key,
  type Table,
  type Value,
  type WriteOp,
} from "../../../shared/ports/table.ts";
import type { TableUnderTest } from "../table.contract.ts";
import { FUTURE_SECONDS, freshPartition, PAST_SECONDS, sortKeysOf } from "./builders.ts";

const PARTITIONS = ["p", "p\x01"];
const SORT_KEYS = ["a", "a#", "é", "\uFFFD", "\u{1F600}"];
const NAMES = ["n", "m", "constructor"];

const value: fc.Arbitrary<number | string | boolean> = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom("", "\uFFFD", "\u{1F600}"),
  fc.boolean(),
);
const name = fc.constantFrom(...NAMES);
const orderable = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom("", "\uFFFD"));
const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ kind: fc.constantFrom("absent", "present") }),
  fc.record({ kind: fc.constantFrom("equals", "notEquals"), attribute: name, value }),
  fc.record({
    kind: fc.constantFrom("lessThan", "greaterThan"),
    attribute: name,
    value: orderable,
  }),
  fc.record({ kind: fc.constantFrom("attributeAbsent", "attributePresent"), attribute: name }),
);
const key = fc.record({ pk: fc.constantFrom(...PARTITIONS), sk: fc.constantFrom(...SORT_KEYS) });
const index = fc.record({ pk: fc.constantFrom("i", "j"), sk: fc.constantFrom("x", "\u{1F600}") });
const expiry = fc.constantFrom(PAST_SECONDS, FUTURE_SECONDS);
const conditions = fc.array(condition, { maxLength: 1 });
const optional = { requiredKeys: ["key", "attributes"] satisfies ("key" | "attributes")[] };

const changes = fc
  .uniqueArray(fc.tuple(name, fc.constantFrom("set", "remove", "add"), value), {
    selector: ([attribute]) => attribute,
  })
  .map((list) => ({
    set: Object.fromEntries(list.filter(([, how]) => how === "set").map(([at, , to]) => [at, to])),
    remove: list.filter(([, how]) => how === "remove").map(([at]) => at),
    add: Object.fromEntries(list.filter(([, how]) => how === "add").map(([at]) => [at, 2])),
  }));

const op: fc.Arbitrary<WriteOp> = fc.oneof(
  fc.record({
    op: fc.constant("put" as const),
    item: fc.record(
      { key, attributes: fc.dictionary(name, value), index, expiresAtSeconds: expiry },
      optional,
    ),
    conditions,
  }),
  fc
    .tuple(
      key,
      changes,
      fc.option(index),
      fc.option(expiry),
      fc.integer({ min: 0, max: 3 }),
      conditions,
    )
    .map(([at, change, place, seconds, which, guards]) => ({
      op: "update" as const,
      key: at,
      ...change,
      ...(which % 2 === 0 && { index: place }),
      ...(which > 1 && { expiresAtSeconds: seconds }),
      conditions: guards,
    })),
  fc.record({ op: fc.constant("delete" as const), key, conditions }),
  fc.record({ op: fc.constant("check" as const), key, conditions }),
);
const keyOf = (write: WriteOp): Key => (write.op === "put" ? write.item.key : write.key);
const textOf = ({ pk, sk }: Key) => `${pk}\0${sk}`;
const transaction = fc.uniqueArray(op, {
  minLength: 1,
  maxLength: 4,
  selector: (write) => textOf(keyOf(write)),
});

type Outcome = "written" | "type error" | readonly number[];

/** The contract in its plainest words, with none of the adapters' code. */
class Model {
  readonly #items = new Map<string, Item>();

  live(at: Key): Item | undefined {
    const item = this.#items.get(textOf(at));
    return item?.expiresAtSeconds === PAST_SECONDS ? undefined : item;
  }

  all(): Item[] {
    return [...this.#items.values()].filter((item) => this.live(item.key) !== undefined);
  }

  write(ops: readonly WriteOp[]): Outcome {
    const failed = ops.flatMap((write, at) =>
      (write.conditions ?? []).every((guard) => this.#holds(guard, this.live(keyOf(write))))
        ? []
        : [at],
    );
    if (failed.length > 0) return failed;
    const impossible = ops.some(
      (write) =>
        write.op === "update" &&
        Object.keys(write.add ?? {}).some((at) => {
          const old = this.#attribute(this.live(write.key), at);
          return old !== undefined && typeof old !== "number";
        }),
    );
    if (impossible) return "type error";
    for (const write of ops) this.#apply(write);
    return "written";
  }

  #apply(write: WriteOp): void {
    if (write.op === "put") this.#items.set(textOf(write.item.key), write.item);
    if (write.op === "delete") this.#items.delete(textOf(write.key));
    if (write.op !== "update") return;
    const old = this.live(write.key);
    const attributes = new Map(Object.entries(old?.attributes ?? {}));
    for (const [at, to] of Object.entries(write.set ?? {})) attributes.set(at, to);
    for (const at of write.remove ?? []) attributes.delete(at);
    for (const [at, by] of Object.entries(write.add ?? {})) {
      attributes.set(at, Number(attributes.get(at) ?? 0) + by);
    }
    const place = write.index === undefined ? old?.index : write.index;
    const seconds =
      write.expiresAtSeconds === undefined ? old?.expiresAtSeconds : write.expiresAtSeconds;
    this.#items.set(textOf(write.key), {
      key: write.key,
      attributes: Object.fromEntries(attributes),
      ...(place && { index: place }),
      ...(seconds && { expiresAtSeconds: seconds }),
    });
  }

  #attribute(item: Item | undefined, at: string): Value | undefined {
    return new Map(Object.entries(item?.attributes ?? {})).get(at);
  }

  #holds(guard: Condition, item: Item | undefined): boolean {
    if (guard.kind === "absent") return item === undefined;
    if (guard.kind === "present") return item !== undefined;
    const actual = this.#attribute(item, guard.attribute);
    if (guard.kind === "attributeAbsent") return actual === undefined;
    if (guard.kind === "attributePresent") return actual !== undefined;
    if (guard.kind === "equals") return actual === guard.value;
    if (guard.kind === "notEquals") return actual !== guard.value;
    const sign = guard.kind === "lessThan" ? 1 : -1;
    if (typeof actual === "number" && typeof guard.value === "number") {
      return sign * (guard.value - actual) > 0;
    }
    if (typeof actual !== "string" || typeof guard.value !== "string") return false;
    return sign * Buffer.compare(Buffer.from(guard.value), Buffer.from(actual)) > 0;
  }
}

function inPartition(prefix: string, write: WriteOp): WriteOp {
  const moved = <Place extends Key>(place: Place) => ({ ...place, pk: `${prefix}${place.pk}` });
  if (write.op === "put") {
    const { item } = write;
    const place = item.index && { index: moved(item.index) };
    return { ...write, item: { ...item, key: moved(item.key), ...place } };
  }
  if (write.op === "update" && write.index) {
    return { ...write, key: moved(write.key), index: moved(write.index) };
  }
  return { ...write, key: moved(write.key) };
}

async function outcomeOf(table: Table, ops: readonly WriteOp[]): Promise<Outcome> {
  try {
    await table.write(ops);
    return "written";
  } catch (error) {
    if (error instanceof ConditionFailedError) return error.failedOps;
    if (error instanceof TypeError) return "type error";
    throw error;
  }
}

async function expectSame(table: Table, model: Model, prefix: string): Promise<void> {
  for (const pk of PARTITIONS.map((part) => prefix + part)) {
    for (const sk of SORT_KEYS) expect(await table.get({ pk, sk })).toEqual(model.live({ pk, sk }));
    const found = await sortKeysOf(table, { pk, limit: 2 });
    const kept = SORT_KEYS.filter((sk) => model.live({ pk, sk }) !== undefined);
    expect(found).toEqual(kept);
  }
  for (const pk of ["i", "j"].map((part) => prefix + part)) {
    const found = await sortKeysOf(table, { pk, index: true, limit: 2, descending: true });
    const indexed = model.all().filter((item) => item.index?.pk === pk);
    expect(found.toSorted()).toEqual(indexed.map((item) => item.key.sk).toSorted());
  }
}

/** Any sequence of transactions does to a table what it does to the model. */
export function describeModel(table: TableUnderTest): void {
  describe("random transactions", () => {
    test("have the same results as in a plain model", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(transaction, { maxLength: 12 }), async (transactions) => {
          const prefix = `${freshPartition()}#`;
          const model = new Model();
          for (const ops of transactions) {
            const own = ops.map((write) => inPartition(prefix, write));
            expect(await outcomeOf(table.current, own)).toEqual(model.write(own));
          }
          await expectSame(table.current, model, prefix);
        }),
        { numRuns: 100 },
      );
    });
  });
}
