import { mkdirSync } from "node:fs";
import { type Database, open, type RootDatabase } from "lmdb";
import { expiryKey, indexKey } from "./key-codec.ts";
import type { StoredItem } from "./stored-item.ts";

/** The three B-trees of one environment, changed in the same transactions. */
export interface LmdbStores {
  readonly root: RootDatabase<StoredItem, Uint8Array>;
  /** Item key to item. */
  readonly items: Database<StoredItem, Uint8Array>;
  /** Index key to item key. */
  readonly index: Database<Uint8Array, Uint8Array>;
  /** Expiry key (which holds the item key) to nothing. */
  readonly expiry: Database<Uint8Array, Uint8Array>;
}

const NOTHING = new Uint8Array(0);

/** Opens or creates the environment in a folder, which is made when missing, for its owner only. */
export function openStores(folder: string): LmdbStores {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Without overlappingSync mdb_txn_commit flushes the pages, then writes the meta page through an O_DSYNC
  // descriptor, and only then does the promise resolve. With it, others can read a transaction that is not
  // yet on the disk, and lmdb promises no more than that it can be read.
  const root = open<StoredItem, Uint8Array>({
    path: folder,
    noSubdir: false,
    overlappingSync: false,
    maxDbs: 8,
  });
  // Record definitions inline would be parsed again for every value read.
  const itemOptions = { keyEncoding: "binary" as const, encoder: { useRecords: false } };
  const keyOptions = { keyEncoding: "binary" as const, encoding: "binary" as const };
  return {
    root,
    items: root.openDB<StoredItem, Uint8Array>("items", itemOptions),
    index: root.openDB<Uint8Array, Uint8Array>("index", keyOptions),
    expiry: root.openDB<Uint8Array, Uint8Array>("expiry", keyOptions),
  };
}

/**
 * Replaces the item at a key, or removes it, with its entries in the other trees. Only inside a transaction.
 */
export function replaceItem(
  stores: LmdbStores,
  key: Uint8Array,
  before: StoredItem | undefined,
  after: StoredItem | undefined,
): void {
  const [indexBefore, expiryBefore] = entriesOf(key, before);
  const [indexAfter, expiryAfter] = entriesOf(key, after);
  if (indexBefore && !sameBytes(indexBefore, indexAfter)) stores.index.removeSync(indexBefore);
  if (indexAfter && !sameBytes(indexAfter, indexBefore)) stores.index.putSync(indexAfter, key);
  if (expiryBefore && !sameBytes(expiryBefore, expiryAfter)) stores.expiry.removeSync(expiryBefore);
  if (expiryAfter && !sameBytes(expiryAfter, expiryBefore)) {
    stores.expiry.putSync(expiryAfter, NOTHING);
  }
  if (after !== undefined) stores.items.putSync(key, after);
  else if (before !== undefined) stores.items.removeSync(key);
}

function entriesOf(
  key: Uint8Array,
  stored: StoredItem | undefined,
): [index: Uint8Array | undefined, expiry: Uint8Array | undefined] {
  if (stored === undefined) return [undefined, undefined];
  const [, , indexPk, indexSk, expires] = stored;
  const indexed = indexPk !== null && indexSk !== null;
  return [
    indexed ? indexKey({ pk: indexPk, sk: indexSk }, key) : undefined,
    expires === null ? undefined : expiryKey(expires, key),
  ];
}

function sameBytes(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && Buffer.compare(a, b) === 0;
}
