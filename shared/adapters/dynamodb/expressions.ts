import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { Condition, UpdateOp, Value } from "../../ports/table.ts";
import { indexToWire, toWire, wireName } from "./marshal.ts";
import {
  EXPIRY_ATTRIBUTE,
  INDEX_PARTITION_KEY,
  INDEX_SORT_KEY,
  MARKER_ATTRIBUTE,
  PARTITION_KEY,
} from "./schema.ts";

/**
 * Collects the names and values of one request's expressions. Every name goes through a placeholder: some
 * of ours are reserved words or hold dots, and all of them begin with `@`.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ExpressionAttributeNames.html
 */
export class Placeholders {
  readonly #names = new Map<string, string>();
  readonly #values: AttributeValue[] = [];

  /** The placeholder of a stored name; the same name gets the same one. */
  name(stored: string): string {
    const known = this.#names.get(stored);
    if (known !== undefined) return known;
    const placeholder = `#n${this.#names.size}`;
    this.#names.set(stored, placeholder);
    return placeholder;
  }

  /** A new placeholder for a value. */
  value(value: AttributeValue): string {
    return `:v${this.#values.push(value) - 1}`;
  }

  /** The request's fields. DynamoDB refuses empty maps, so unused ones are absent. */
  fields(): {
    ExpressionAttributeNames?: Record<string, string>;
    ExpressionAttributeValues?: Record<string, AttributeValue>;
  } {
    const names = [...this.#names].map(([stored, placeholder]) => [placeholder, stored] as const);
    const values = this.#values.map((value, at) => [`:v${at}`, value] as const);
    return {
      ...(names.length > 0 && { ExpressionAttributeNames: Object.fromEntries(names) }),
      ...(values.length > 0 && { ExpressionAttributeValues: Object.fromEntries(values) }),
    };
  }
}

/**
 * The condition expression for conditions of the port, `undefined` when there are none. An item that has
 * expired and is not yet removed counts as absent: conditions that ask for something also ask that it has
 * not expired, conditions that ask for an absence are content that it has.
 */
export function conditionExpression(
  conditions: readonly Condition[],
  nowSeconds: number,
  placeholders: Placeholders,
): string | undefined {
  if (conditions.length === 0) return undefined;
  const expiry = placeholders.name(EXPIRY_ATTRIBUTE);
  const now = placeholders.value(toWire(nowSeconds));
  const translations = conditions.map((condition) => translate(condition, placeholders));
  const clauses = translations.map(({ asks, clause }) =>
    asks === "something" ? clause : `(${clause} OR ${expiry} <= ${now})`,
  );
  if (translations.some(({ asks }) => asks === "something")) {
    clauses.push(`(attribute_not_exists(${expiry}) OR ${expiry} > ${now})`);
  }
  return clauses.join(" AND ");
}

/** Holds on an item that has not expired, and where there is none. */
export function notExpired(nowSeconds: number, placeholders: Placeholders): string {
  const expiry = placeholders.name(EXPIRY_ATTRIBUTE);
  const now = placeholders.value(toWire(nowSeconds));
  return `(attribute_not_exists(${expiry}) OR ${expiry} > ${now})`;
}

interface Translation {
  readonly asks: "something" | "an absence";
  readonly clause: string;
}

function translate(condition: Condition, placeholders: Placeholders): Translation {
  switch (condition.kind) {
    case "absent":
      return absence(`attribute_not_exists(${placeholders.name(PARTITION_KEY)})`);
    case "present":
      return something(`attribute_exists(${placeholders.name(PARTITION_KEY)})`);
    case "attributeAbsent":
      return absence(`attribute_not_exists(${placeholders.name(wireName(condition.attribute))})`);
    case "attributePresent":
      return something(`attribute_exists(${placeholders.name(wireName(condition.attribute))})`);
    case "equals":
      return something(comparison(condition.attribute, "=", condition.value, placeholders));
    case "lessThan":
      return something(comparison(condition.attribute, "<", condition.value, placeholders));
    case "greaterThan":
      return something(comparison(condition.attribute, ">", condition.value, placeholders));
    case "notEquals": {
      const unequal = comparison(condition.attribute, "<>", condition.value, placeholders);
      const name = placeholders.name(wireName(condition.attribute));
      return absence(`(attribute_not_exists(${name}) OR ${unequal})`);
    }
  }
  throw new TypeError(`an unknown condition: ${JSON.stringify(condition satisfies never)}`);
}

function something(clause: string): Translation {
  return { asks: "something", clause };
}

function absence(clause: string): Translation {
  return { asks: "an absence", clause };
}

function comparison(
  attribute: string,
  operator: "=" | "<>" | "<" | ">",
  value: string | number | boolean,
  placeholders: Placeholders,
): string {
  return `${placeholders.name(wireName(attribute))} ${operator} ${placeholders.value(toWire(value))}`;
}

/** The update expression for an update's changes; it always sets something, so that it always creates. */
export function updateExpression(op: UpdateOp, placeholders: Placeholders): string {
  const set: string[] = [];
  const assign = (name: string, value: AttributeValue) =>
    set.push(`${placeholders.name(name)} = ${placeholders.value(value)}`);
  const assignValue = ([name, value]: [string, Value]) => assign(wireName(name), toWire(value));
  Object.entries(op.set ?? {}).forEach(assignValue);
  if (op.index) {
    for (const [name, value] of Object.entries(indexToWire(op.index))) assign(name, value);
  }
  if (typeof op.expiresAtSeconds === "number") {
    assign(EXPIRY_ATTRIBUTE, toWire(op.expiresAtSeconds));
  }
  const add = Object.entries(op.add ?? {}).map(
    ([name, amount]) =>
      `${placeholders.name(wireName(name))} ${placeholders.value(toWire(amount))}`,
  );
  if (set.length + add.length === 0) assign(MARKER_ATTRIBUTE, toWire(0));
  const removed = [
    ...(op.remove ?? []).map(wireName),
    ...(op.index === null ? [INDEX_PARTITION_KEY, INDEX_SORT_KEY] : []),
    ...(op.expiresAtSeconds === null ? [EXPIRY_ATTRIBUTE] : []),
  ].map((name) => placeholders.name(name));
  return [clause("SET", set), clause("REMOVE", removed), clause("ADD", add)]
    .filter((part) => part !== "")
    .join(" ");
}

function clause(keyword: string, parts: readonly string[]): string {
  return parts.length === 0 ? "" : `${keyword} ${parts.join(", ")}`;
}
