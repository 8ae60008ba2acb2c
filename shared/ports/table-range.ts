import {
  InvalidCursorError,
  KeyTooLargeError,
  MAX_SORT_KEY_BYTES,
  type Query,
  type SortRange,
} from "./table.ts";
import { checkKeyText } from "./table-limits.ts";
import { utf8Bytes } from "./table-values.ts";

/** One end of a range of sort keys. */
export interface Bound {
  readonly sk: string;
  readonly inclusive: boolean;
}

/** A {@link SortRange} reduced to its strictest ends; an absent end is open. */
export interface Bounds {
  readonly lower?: Bound;
  readonly upper?: Bound;
}

/** Orders texts by their UTF-8 bytes, which differs from JavaScript's order where surrogate pairs occur. */
export function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a, "utf8"), Buffer.from(b, "utf8"));
}

/**
 * Checks a query and gives the bounds of its sort keys, or `undefined` when no key can lie between them.
 *
 * @throws {TypeError} on a limit below 1, an empty partition, a NUL or a lone surrogate.
 * @throws {KeyTooLargeError} on a bound longer than a sort key may be.
 */
export function queryBounds(query: Query): Bounds | undefined {
  if (!Number.isInteger(query.limit) || query.limit < 1) throw new TypeError("limit is below 1");
  if (query.pk === "") throw new TypeError("a query has an empty partition");
  checkKeyText(query.pk);
  const range = query.range ?? {};
  const bounds = rangeBounds(range);
  return isEmpty(bounds) ? undefined : bounds;
}

function rangeBounds(range: SortRange): Bounds {
  for (const text of [range.prefix, range.from, range.to, range.after, range.before]) {
    if (text !== undefined) checkBoundText(text);
  }
  const lowers: Bound[] = [];
  const uppers: Bound[] = [];
  if (range.prefix !== undefined && range.prefix !== "") {
    lowers.push({ sk: range.prefix, inclusive: true });
    const successor = prefixSuccessor(range.prefix);
    if (successor !== undefined) uppers.push({ sk: successor, inclusive: false });
  }
  // No key is empty, so an empty lower bound bounds nothing.
  if (range.from !== undefined && range.from !== "") {
    lowers.push({ sk: range.from, inclusive: true });
  }
  if (range.after !== undefined && range.after !== "") {
    lowers.push({ sk: range.after, inclusive: false });
  }
  if (range.to !== undefined) uppers.push({ sk: range.to, inclusive: true });
  if (range.before !== undefined) uppers.push({ sk: range.before, inclusive: false });
  const lower = strictest(lowers, 1);
  const upper = strictest(uppers, -1);
  return { ...(lower && { lower }), ...(upper && { upper }) };
}

function checkBoundText(text: string): void {
  checkKeyText(text);
  const sizeBytes = utf8Bytes(text);
  if (sizeBytes > MAX_SORT_KEY_BYTES) throw new KeyTooLargeError(sizeBytes);
}

/**
 * The least text above every text that begins with `prefix`, by UTF-8 bytes; `undefined` when there is none.
 * UTF-8 orders like code points, so it is the prefix with its last code point raised by one.
 */
export function prefixSuccessor(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last === 0x10ffff) continue;
    // The code points between are surrogates, which no text holds alone.
    const raised = last === 0xd7ff ? 0xe000 : last + 1;
    return String.fromCodePoint(...points, raised);
  }
  return undefined;
}

function strictest(bounds: readonly Bound[], sign: 1 | -1): Bound | undefined {
  let best: Bound | undefined;
  for (const bound of bounds) {
    const order = best === undefined ? 1 : sign * compareUtf8(bound.sk, best.sk);
    if (order > 0 || (order === 0 && !bound.inclusive)) best = bound;
  }
  return best;
}

function isEmpty({ lower, upper }: Bounds): boolean {
  if (upper?.sk === "") return true;
  if (lower === undefined || upper === undefined) return false;
  const order = compareUtf8(lower.sk, upper.sk);
  return order > 0 || (order === 0 && !(lower.inclusive && upper.inclusive));
}

/** Whether a sort key lies within bounds. */
export function withinBounds(sk: string, { lower, upper }: Bounds): boolean {
  if (lower !== undefined) {
    const order = compareUtf8(sk, lower.sk);
    if (order < 0 || (order === 0 && !lower.inclusive)) return false;
  }
  if (upper !== undefined) {
    const order = compareUtf8(sk, upper.sk);
    if (order > 0 || (order === 0 && !upper.inclusive)) return false;
  }
  return true;
}

/**
 * Refuses a position that the query could not have reached, whoever wrote it.
 *
 * @throws {InvalidCursorError}
 */
export function checkWithinBounds(sk: string, bounds: Bounds): void {
  if (!withinBounds(sk, bounds)) throw new InvalidCursorError();
}
