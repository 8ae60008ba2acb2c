import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { IndexKey, Item, Key, Value } from "../../ports/table.ts";
import { isList } from "../../ports/table-values.ts";
import {
  ATTRIBUTE_PREFIX,
  EXPIRY_ATTRIBUTE,
  INDEX_PARTITION_KEY,
  INDEX_SORT_KEY,
  PARTITION_KEY,
  SORT_KEY,
} from "./schema.ts";

/** An item on the wire. */
export type WireItem = Record<string, AttributeValue>;

/** A value on the wire. Numbers travel as their shortest decimal text, which reads back as the same double. */
export function toWire(value: Value): AttributeValue {
  if (typeof value === "string") return { S: value };
  if (typeof value === "number") return { N: String(value) };
  if (typeof value === "boolean") return { BOOL: value };
  if (value instanceof Uint8Array) return { B: value };
  if (isList(value)) return { L: value.map(toWire) };
  return {
    M: Object.fromEntries(Object.entries(value).map(([name, member]) => [name, toWire(member)])),
  };
}

/**
 * Reverses {@link toWire}.
 *
 * @throws {TypeError} on a type that we never write (sets, NULL).
 */
export function fromWire(value: AttributeValue): Value {
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return Number(value.N);
  if (value.BOOL !== undefined) return value.BOOL;
  if (value.B !== undefined) return plainBytes(value.B);
  if (value.L !== undefined) return value.L.map(fromWire);
  if (value.M !== undefined) {
    return Object.fromEntries(
      Object.entries(value.M).map(([name, member]) => [name, fromWire(member)]),
    );
  }
  throw new TypeError(`an attribute of type ${Object.keys(value).join()} is not ours`);
}

// The SDK decodes into Buffers, whose slice() shares memory where that of the port's Uint8Array copies.
function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** An item's key on the wire. */
export function keyToWire(key: Key): WireItem {
  return { [PARTITION_KEY]: { S: key.pk }, [SORT_KEY]: { S: key.sk } };
}

/** An index key on the wire. */
export function indexToWire(index: IndexKey): WireItem {
  return { [INDEX_PARTITION_KEY]: { S: index.pk }, [INDEX_SORT_KEY]: { S: index.sk } };
}

/** The name under which an attribute of the port is stored. */
export function wireName(attribute: string): string {
  return ATTRIBUTE_PREFIX + attribute;
}

/** A whole item on the wire. */
export function itemToWire(item: Item): WireItem {
  const wire: WireItem = {
    ...keyToWire(item.key),
    ...(item.index && indexToWire(item.index)),
  };
  if (item.expiresAtSeconds !== undefined) wire[EXPIRY_ATTRIBUTE] = toWire(item.expiresAtSeconds);
  for (const [name, value] of Object.entries(item.attributes)) {
    wire[wireName(name)] = toWire(value);
  }
  return wire;
}

/**
 * Reverses {@link itemToWire}.
 *
 * @throws {TypeError} on an item that is not ours.
 */
export function itemFromWire(wire: WireItem): Item {
  const key = { pk: text(wire[PARTITION_KEY]), sk: text(wire[SORT_KEY]) };
  const attributes: Record<string, Value> = {};
  for (const [name, value] of Object.entries(wire)) {
    if (name.startsWith(ATTRIBUTE_PREFIX)) attributes[name.slice(1)] = fromWire(value);
  }
  const expires = wire[EXPIRY_ATTRIBUTE]?.N;
  return {
    key,
    attributes,
    ...(wire[INDEX_PARTITION_KEY] && {
      index: { pk: text(wire[INDEX_PARTITION_KEY]), sk: text(wire[INDEX_SORT_KEY]) },
    }),
    ...(expires !== undefined && { expiresAtSeconds: Number(expires) }),
  };
}

/** Whether an item on the wire is still there for readers at a Unix second. */
export function isLiveOnWire(wire: WireItem, nowSeconds: number): boolean {
  const expires = wire[EXPIRY_ATTRIBUTE]?.N;
  return expires === undefined || Number(expires) > nowSeconds;
}

function text(value: AttributeValue | undefined): string {
  if (value?.S === undefined) throw new TypeError("a stored item has no key");
  return value.S;
}
