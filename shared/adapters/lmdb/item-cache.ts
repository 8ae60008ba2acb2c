import { LRUCache } from "lru-cache";
import type { Item, Key } from "../../ports/table.ts";
import { tableKey } from "./key-codec.ts";
import type { LmdbStores } from "./lmdb-stores.ts";
import { toItem } from "./stored-item.ts";

const MAX_CACHE_BYTES = 4 * 1024 * 1024;
/** Of an entry besides its value: strings, objects and the item's keys. */
const ENTRY_BYTES = 512;

/** An item with the value that it was decoded from. */
interface Decoded {
  readonly value: Uint8Array;
  readonly item: Item;
}

/**
 * Saves decoding and copying what is read again and again, such as packuments of 200 KB. Every read still asks
 * LMDB, and compares the value that is there with the one that was decoded: whichever process wrote, nothing
 * here is ever stale.
 */
export class ItemCache {
  readonly #stores: LmdbStores;
  readonly #decoded = new LRUCache<string, Decoded>({
    maxSize: MAX_CACHE_BYTES,
    sizeCalculation: ({ value }) => value.length * 2 + ENTRY_BYTES,
  });

  constructor(stores: LmdbStores) {
    this.#stores = stores;
  }

  /** The item at a key, also when it has expired. Readers share it. */
  find(key: Key): Item | undefined {
    const { items } = this.#stores;
    const place = tableKey(key);
    const fast = items.getBinaryFast(place);
    if (fast === undefined) return undefined;
    // lmdb's own buffer, only valid until the next read; its `length` is that of the value, not of the buffer.
    const value = fast.subarray(0, fast.length);
    const id = `${key.pk}\0${key.sk}`;
    const known = this.#decoded.get(id);
    if (known !== undefined && value.equals(known.value)) return known.item;
    const copy = Uint8Array.from(value);
    const stored = items.get(place);
    if (stored === undefined) return undefined;
    const item = toItem(key, stored);
    this.#decoded.set(id, { value: copy, item });
    return item;
  }
}
