import { createHash } from "node:crypto";
import type { IndexKey, Key } from "../../ports/table.ts";
import type { Position } from "../../ports/table-cursor.ts";
import type { Bound, Bounds } from "../../ports/table-range.ts";

// Parts of a key are joined by NUL, which no part holds, so that LMDB's order by bytes is the order of the
// partitions' and sort keys' UTF-8. The byte after NUL therefore ends whatever begins with "key NUL".
const SEPARATOR = "\0";
const AFTER_SEPARATOR = "\x01";
const EXPIRY_BYTES = 6;

/** A half-open range of LMDB keys: `start` is in it, `end` is not. */
export interface KeyRange {
  readonly start: Uint8Array;
  readonly end: Uint8Array;
}

/** An item's place: partition NUL sort key, at most 1901 of the 1978 bytes that LMDB allows. */
export function tableKey(key: Key): Uint8Array {
  return Buffer.from(`${key.pk}${SEPARATOR}${key.sk}`, "utf8");
}

/** Reverses {@link tableKey}. */
export function parseTableKey(bytes: Uint8Array): Key {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  const separator = text.indexOf(SEPARATOR);
  return { pk: text.slice(0, separator), sk: text.slice(separator + 1) };
}

/**
 * An index entry's place. Index keys are not unique and both keys together would be too long, so the item's
 * key is told apart by its SHA-256; the entry's value holds the key itself.
 */
export function indexKey(index: IndexKey, item: Uint8Array): Uint8Array {
  const place = Buffer.from(`${index.pk}${SEPARATOR}${index.sk}${SEPARATOR}`, "utf8");
  return Buffer.concat([place, createHash("sha256").update(item).digest()]);
}

/** An expiry entry's place: big-endian seconds, then the item's key. */
export function expiryKey(expiresAtSeconds: number, item: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(EXPIRY_BYTES + item.byteLength);
  bytes.writeUIntBE(expiresAtSeconds, 0, EXPIRY_BYTES);
  bytes.set(item, EXPIRY_BYTES);
  return bytes;
}

/** The entries of all items that expire at or before a second. */
export function expiredRange(nowSeconds: number): KeyRange {
  return {
    start: expiryKey(0, Buffer.alloc(0)),
    end: expiryKey(nowSeconds + 1, Buffer.alloc(0)),
  };
}

/** The item's key in an expiry entry. */
export function itemOfExpiryKey(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(EXPIRY_BYTES);
}

/**
 * The keys of one partition within bounds, of the table and of the index alike: an entry of the index goes
 * on with NUL after its sort key, which sorts right after the bare sort key.
 */
export function partitionRange(pk: string, bounds: Bounds): KeyRange {
  const { lower, upper } = bounds;
  return {
    start: lower === undefined ? edge(pk, "") : edge(pk, past(lower, !lower.inclusive)),
    end:
      upper === undefined
        ? Buffer.from(`${pk}${AFTER_SEPARATOR}`, "utf8")
        : edge(pk, past(upper, upper.inclusive)),
  };
}

/** What is left of a range after the entry at a cursor's position. */
export function continueRange(
  range: KeyRange,
  pk: string,
  position: Position,
  descending: boolean,
): KeyRange {
  const entry =
    position.item === undefined
      ? tableKey({ pk, sk: position.sk })
      : indexKey({ pk, sk: position.sk }, tableKey(position.item));
  if (descending) return { start: range.start, end: entry };
  return { start: Buffer.concat([entry, Buffer.alloc(1)]), end: range.end };
}

function edge(pk: string, rest: string): Uint8Array {
  return Buffer.from(`${pk}${SEPARATOR}${rest}`, "utf8");
}

function past(bound: Bound, beyond: boolean): string {
  return beyond ? bound.sk + AFTER_SEPARATOR : bound.sk;
}
