import type { Item, Key, UpdateOp, Value } from "../../ports/table.ts";
import { checkItemSize } from "../../ports/table-limits.ts";
import { checkNumber, isList } from "../../ports/table-values.ts";

/** An item's value in LMDB, as a list because that is quicker to decode than a map. */
export type StoredItem = readonly [
  sizeBytes: number,
  attributes: Record<string, Value>,
  indexPk: string | null,
  indexSk: string | null,
  expiresAtSeconds: number | null,
];

/** Whether an item is still there for readers at a Unix second. */
export function isLive(stored: StoredItem, nowSeconds: number): boolean {
  return stored[4] === null || stored[4] > nowSeconds;
}

/** The item that a freshly read value stands for; takes over the value's attributes. */
export function toItem(key: Key, stored: StoredItem): Item {
  const [, attributes, indexPk, indexSk, expiresAtSeconds] = stored;
  for (const name in attributes) {
    const value = attributes[name];
    if (typeof value === "object") attributes[name] = withPlainBytes(value);
  }
  return {
    key,
    attributes,
    ...(indexPk !== null && indexSk !== null && { index: { pk: indexPk, sk: indexSk } }),
    ...(expiresAtSeconds !== null && { expiresAtSeconds }),
  };
}

// lmdb decodes bytes as Buffers, whose slice() shares memory where that of the port's Uint8Array copies.
function withPlainBytes(value: Value): Value {
  if (typeof value !== "object") return value;
  if (value instanceof Uint8Array) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  if (isList(value)) return value.map(withPlainBytes);
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, withPlainBytes(member)]),
  );
}

/**
 * The stored value of an item.
 *
 * @throws {ItemTooLargeError}
 */
export function toStored(item: Item): StoredItem {
  return [
    checkItemSize(item),
    { ...item.attributes },
    item.index?.pk ?? null,
    item.index?.sk ?? null,
    item.expiresAtSeconds ?? null,
  ];
}

/**
 * What an update makes of an item, or of nothing.
 *
 * @throws {ItemTooLargeError}
 * @throws {TypeError} when `add` meets an attribute that is not a number, or leaves the range of numbers.
 */
export function updated(op: UpdateOp, live: StoredItem | undefined): StoredItem {
  const before: Item = live === undefined ? { key: op.key, attributes: {} } : toItem(op.key, live);
  const attributes: Record<string, Value> = { ...before.attributes, ...op.set };
  for (const name of op.remove ?? []) delete attributes[name];
  for (const [name, amount] of Object.entries(op.add ?? {})) {
    const value = Object.hasOwn(attributes, name) ? attributes[name] : 0;
    if (typeof value !== "number") throw new TypeError(`cannot add to the attribute ${name}`);
    checkNumber(value + amount);
    attributes[name] = value + amount;
  }
  const index = op.index === undefined ? before.index : op.index;
  const expires = op.expiresAtSeconds === undefined ? before.expiresAtSeconds : op.expiresAtSeconds;
  return toStored({
    key: op.key,
    attributes,
    ...(index && { index }),
    ...(expires !== undefined && expires !== null && { expiresAtSeconds: expires }),
  });
}
