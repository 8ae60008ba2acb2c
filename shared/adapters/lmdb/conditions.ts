import type { Condition, Value } from "../../ports/table.ts";
import { compareUtf8 } from "../../ports/table-range.ts";

/** The attributes of the item under a condition; `undefined` for an absent or expired one. */
export type Current = Readonly<Record<string, Value>> | undefined;

/** Whether one condition holds. */
export function holds(condition: Condition, current: Current): boolean {
  switch (condition.kind) {
    case "absent":
      return current === undefined;
    case "present":
      return current !== undefined;
    case "equals":
      return attribute(current, condition.attribute) === condition.value;
    case "notEquals":
      return attribute(current, condition.attribute) !== condition.value;
    case "lessThan":
      return order(attribute(current, condition.attribute), condition.value) < 0;
    case "greaterThan":
      return order(attribute(current, condition.attribute), condition.value) > 0;
    case "attributeAbsent":
      return attribute(current, condition.attribute) === undefined;
    case "attributePresent":
      return attribute(current, condition.attribute) !== undefined;
  }
  throw new TypeError(`an unknown condition: ${JSON.stringify(condition satisfies never)}`);
}

function attribute(current: Current, name: string): Value | undefined {
  // Own properties only: a condition on "constructor" must not see Object's.
  return current !== undefined && Object.hasOwn(current, name) ? current[name] : undefined;
}

function order(value: Value | undefined, bound: string | number): number {
  if (typeof value === "number" && typeof bound === "number") return value - bound;
  if (typeof value === "string" && typeof bound === "string") return compareUtf8(value, bound);
  return Number.NaN;
}
