import type { Value } from "./table.ts";

// DynamoDB's documented limits: 38 digits (a double has at most 17), magnitude, levels of nesting.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const LARGEST_NUMBER = 9.99e125;
const SMALLEST_NUMBER = 1e-130;
const MAX_LEVELS = 32;

/** Bytes of a text in UTF-8, without making them. */
export function utf8Bytes(text: string): number {
  return Buffer.byteLength(text, "utf8");
}

/**
 * Refuses a number that DynamoDB cannot hold.
 *
 * @throws {TypeError} on NaN, an infinity, or a magnitude outside 1e-130 … 9.99e125 (0 passes).
 */
export function checkNumber(value: number): void {
  const magnitude = Math.abs(value);
  const fits = magnitude === 0 || (magnitude >= SMALLEST_NUMBER && magnitude <= LARGEST_NUMBER);
  if (!fits) throw new TypeError(`the table cannot hold the number ${value}`);
}

/**
 * Refuses a name of an attribute or of a map's member.
 *
 * @throws {TypeError} on an empty name, a lone surrogate, and on `__proto__`: the decoders of both stores
 *   build plain objects, in which that name would set the prototype or be lost.
 */
export function checkAttributeName(name: string): void {
  if (name === "" || name === "__proto__" || !name.isWellFormed()) {
    throw new TypeError(`the table cannot hold the attribute name ${JSON.stringify(name)}`);
  }
}

/**
 * Refuses a value that not every store keeps unchanged. The type already excludes most of them; data that
 * came from JSON with a wrong type would otherwise fail differently in each store.
 *
 * @throws {TypeError}
 */
export function checkValue(value: Value, level = 1): void {
  if (level > MAX_LEVELS) throw new TypeError(`a value has more than ${MAX_LEVELS} levels`);
  if (typeof value === "boolean" || value instanceof Uint8Array) return;
  if (typeof value === "number") return checkNumber(value);
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw new TypeError("a string holds a lone surrogate");
    return;
  }
  if (isList(value)) {
    for (const member of value) checkValue(member, level + 1);
    return;
  }
  if (typeof value !== "object" || value === null || !isPlain(value)) {
    throw new TypeError("the table cannot hold a value of this type");
  }
  for (const [name, member] of Object.entries(value)) {
    checkAttributeName(name);
    checkValue(member, level + 1);
  }
}

/** `Array.isArray` for {@link Value}; the library's own signature does not narrow a readonly array. */
export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** The size of a value by DynamoDB's rules; the link is at `itemSizeBytes`. */
export function valueSizeBytes(value: Value): number {
  if (typeof value === "string") return utf8Bytes(value);
  if (typeof value === "number") return numberSizeBytes(value);
  if (typeof value === "boolean") return 1;
  if (value instanceof Uint8Array) return value.byteLength;
  // Three bytes for a list or a map, and one for each member.
  let bytes = 3;
  if (isList(value)) {
    for (const member of value) bytes += 1 + valueSizeBytes(member);
    return bytes;
  }
  for (const [name, member] of Object.entries(value)) {
    bytes += 1 + utf8Bytes(name) + valueSizeBytes(member);
  }
  return bytes;
}

/** One byte for two significant digits, one more, and one for a sign; leading and trailing zeros are free. */
export function numberSizeBytes(value: number): number {
  const digits = Math.abs(value)
    .toString()
    .replace(/e.*$/, "")
    .replace(".", "")
    .replace(/^0+|0+$/g, "").length;
  return Math.ceil(digits / 2) + 1 + (value < 0 ? 1 : 0);
}
