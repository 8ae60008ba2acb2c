import {
  type Attributes,
  type Condition,
  type IndexKey,
  type Item,
  ItemTooLargeError,
  type Key,
  KeyTooLargeError,
  MAX_ITEM_BYTES,
  MAX_KEY_BYTES,
  MAX_SORT_KEY_BYTES,
  MAX_TRANSACTION_BYTES,
  MAX_TRANSACTION_OPS,
  TransactionTooLargeError,
  type WriteOp,
} from "./table.ts";
import {
  checkAttributeName,
  checkNumber,
  checkValue,
  numberSizeBytes,
  utf8Bytes,
  valueSizeBytes,
} from "./table-values.ts";

/** The largest `expiresAtSeconds`: 48 bits, some nine million years. */
const MAX_EXPIRY_SECONDS = 2 ** 48 - 1;

// Attribute names as DynamoDB bills them: `pk` and `sk`, and a byte of prefix before each of our names.
// The three spare bytes pay for the marker that a change without values leaves (see dynamodb/schema.ts).
const KEY_NAMES_BYTES = 4;
const MARKER_BYTES = 3;
const NAME_PREFIX_BYTES = 1;
const INDEX_NAMES_BYTES = "gsi1pk".length + "gsi1sk".length;
const EXPIRY_NAME_BYTES = "expiresAtSeconds".length;

/**
 * Refuses a key that one of the stores could not hold.
 *
 * @throws {KeyTooLargeError} beyond {@link MAX_KEY_BYTES}, or {@link MAX_SORT_KEY_BYTES} for `sk` alone.
 * @throws {TypeError} on an empty part, a NUL or a lone surrogate.
 */
export function checkKey(key: Key | IndexKey): void {
  if (key.pk === "" || key.sk === "") throw new TypeError("a key has an empty part");
  checkKeyText(key.pk);
  checkKeyText(key.sk);
  const sortBytes = utf8Bytes(key.sk);
  if (sortBytes > MAX_SORT_KEY_BYTES) throw new KeyTooLargeError(sortBytes);
  const sizeBytes = utf8Bytes(key.pk) + sortBytes;
  if (sizeBytes > MAX_KEY_BYTES) throw new KeyTooLargeError(sizeBytes);
}

/**
 * Refuses text that cannot be part of a key. Empty text passes.
 *
 * @throws {TypeError} on a NUL or a lone surrogate.
 */
export function checkKeyText(text: string): void {
  if (text.includes("\0")) throw new TypeError("a key holds a NUL");
  if (!text.isWellFormed()) throw new TypeError("a key holds a lone surrogate");
}

/**
 * The size of an item by DynamoDB's rules, with the names under which DynamoTable stores it, so that every
 * adapter refuses the same items.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
export function itemSizeBytes(item: Item): number {
  let bytes = KEY_NAMES_BYTES + MARKER_BYTES + utf8Bytes(item.key.pk) + utf8Bytes(item.key.sk);
  for (const [name, value] of Object.entries(item.attributes)) {
    bytes += NAME_PREFIX_BYTES + utf8Bytes(name) + valueSizeBytes(value);
  }
  if (item.index !== undefined) {
    bytes += INDEX_NAMES_BYTES + utf8Bytes(item.index.pk) + utf8Bytes(item.index.sk);
  }
  if (item.expiresAtSeconds !== undefined) {
    bytes += EXPIRY_NAME_BYTES + numberSizeBytes(item.expiresAtSeconds);
  }
  return bytes;
}

/**
 * Refuses an item beyond {@link MAX_ITEM_BYTES} and gives its size.
 *
 * @throws {ItemTooLargeError}
 */
export function checkItemSize(item: Item): number {
  const sizeBytes = itemSizeBytes(item);
  if (sizeBytes > MAX_ITEM_BYTES) throw new ItemTooLargeError(item.key, sizeBytes);
  return sizeBytes;
}

/**
 * Everything that can be refused before a transaction reaches the store.
 *
 * @throws {TransactionTooLargeError} beyond {@link MAX_TRANSACTION_OPS} or {@link MAX_TRANSACTION_BYTES}
 *   (items put, and what updates carry; not what is stored already).
 * @throws {KeyTooLargeError} | {@link ItemTooLargeError}
 * @throws {TypeError} on two operations for one key, an attribute changed twice by one update, an invalid
 *   name, or a value that no store keeps (NaN, Infinity, null, a lone surrogate, more than 32 levels).
 */
export function checkWrite(ops: readonly WriteOp[]): void {
  if (ops.length > MAX_TRANSACTION_OPS) {
    throw new TransactionTooLargeError(
      `a transaction has ${ops.length} operations; the limit is ${MAX_TRANSACTION_OPS}`,
    );
  }
  const seen = new Set<string>();
  let bytes = 0;
  for (const op of ops) {
    const key = op.op === "put" ? op.item.key : op.key;
    checkKey(key);
    const text = `${key.pk}\0${key.sk}`;
    if (seen.has(text)) throw new TypeError(`two operations for the key ${key.pk} ${key.sk}`);
    seen.add(text);
    checkConditions(op.conditions ?? []);
    bytes += checkOp(op);
  }
  if (bytes > MAX_TRANSACTION_BYTES) {
    throw new TransactionTooLargeError(
      `a transaction has ${bytes} bytes; the limit is ${MAX_TRANSACTION_BYTES}`,
    );
  }
}

function checkOp(op: WriteOp): number {
  if (op.op === "put") {
    checkAttributes(op.item.attributes);
    checkPlacement(op.item.index, op.item.expiresAtSeconds);
    return checkItemSize(op.item);
  }
  if (op.op !== "update") return itemSizeBytes({ key: op.key, attributes: {} });
  checkAttributes(op.set ?? {});
  checkAttributes(op.add ?? {});
  checkPlacement(op.index ?? undefined, op.expiresAtSeconds ?? undefined);
  const names = [...Object.keys(op.set ?? {}), ...(op.remove ?? []), ...Object.keys(op.add ?? {})];
  for (const name of op.remove ?? []) checkAttributeName(name);
  if (new Set(names).size < names.length) throw new TypeError("an update changes one name twice");
  return checkItemSize({ key: op.key, attributes: { ...op.set, ...op.add } });
}

function checkAttributes(attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    checkAttributeName(name);
    checkValue(value);
  }
}

function checkPlacement(index: IndexKey | undefined, expiresAtSeconds: number | undefined): void {
  if (index !== undefined) checkKey(index);
  if (expiresAtSeconds === undefined) return;
  const whole = Number.isInteger(expiresAtSeconds);
  if (!whole || expiresAtSeconds < 0 || expiresAtSeconds > MAX_EXPIRY_SECONDS) {
    throw new TypeError("expiresAtSeconds is not a whole number of seconds");
  }
}

function checkConditions(conditions: readonly Condition[]): void {
  for (const condition of conditions) {
    if (!("attribute" in condition)) continue;
    checkAttributeName(condition.attribute);
    if (!("value" in condition)) continue;
    if (typeof condition.value === "number") checkNumber(condition.value);
    else checkValue(condition.value);
  }
}
