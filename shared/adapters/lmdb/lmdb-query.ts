import type { Item, Page, Query } from "../../ports/table.ts";
import { decodeCursor, encodeCursor, type Position } from "../../ports/table-cursor.ts";
import { queryBounds } from "../../ports/table-range.ts";
import { continueRange, type KeyRange, parseTableKey, partitionRange } from "./key-codec.ts";
import type { LmdbStores } from "./lmdb-stores.ts";
import { isLive, type StoredItem, toItem } from "./stored-item.ts";

/** DynamoDB ends a page after 1 MB read, so callers meet the same short pages here. */
const MAX_PAGE_BYTES = 1024 * 1024;

/**
 * Reads one page inside one snapshot.
 *
 * @throws {InvalidCursorError} | {@link KeyTooLargeError}
 */
export function readPage(stores: LmdbStores, query: Query, nowSeconds: number): Page {
  const bounds = queryBounds(query);
  if (bounds === undefined) return { items: [] };
  const descending = query.descending === true;
  let range = partitionRange(query.pk, bounds);
  if (query.cursor !== undefined) {
    const position = decodeCursor(query, query.cursor, bounds);
    range = continueRange(range, query.pk, position, descending);
  }
  const items: Item[] = [];
  let readBytes = 0;
  let last: Position | undefined;
  const entries =
    query.index === true
      ? indexEntries(stores, range, descending)
      : tableEntries(stores, range, descending);
  for (const [keyBytes, stored] of entries) {
    readBytes += stored[0];
    const full = items.length === query.limit || (readBytes > MAX_PAGE_BYTES && last !== undefined);
    if (full && last !== undefined) return { items, cursor: encodeCursor(query, last) };
    const key = parseTableKey(keyBytes);
    last = query.index === true ? { sk: stored[3] ?? "", item: key } : { sk: key.sk };
    if (isLive(stored, nowSeconds)) items.push(toItem(key, stored));
  }
  return { items };
}

type Entries = Iterable<readonly [key: Uint8Array, stored: StoredItem]>;

function* tableEntries(stores: LmdbStores, range: KeyRange, descending: boolean): Entries {
  for (const { key, value } of stores.items.getRange(rangeOptions(range, descending))) {
    yield [key, value];
  }
}

function* indexEntries(stores: LmdbStores, range: KeyRange, descending: boolean): Entries {
  for (const { value } of stores.index.getRange(rangeOptions(range, descending))) {
    const stored = stores.items.get(value);
    if (stored !== undefined) yield [value, stored];
  }
}

function rangeOptions({ start, end }: KeyRange, descending: boolean) {
  // In reverse lmdb starts at `start` and stops before `end`; a half-open range wants the opposite edges.
  return descending
    ? { start: end, end: start, reverse: true, exclusiveStart: true, inclusiveEnd: true }
    : { start, end };
}
