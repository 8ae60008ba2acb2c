import type { Item, Key, Page, Query, Table, WriteOp } from "../../ports/table.ts";
import { ConditionFailedError } from "../../ports/table.ts";
import { checkKey, checkWrite } from "../../ports/table-limits.ts";
import { holds } from "./conditions.ts";
import { ItemCache } from "./item-cache.ts";
import { expiredRange, itemOfExpiryKey, tableKey } from "./key-codec.ts";
import { orCommitFailed, orUnavailable } from "./lmdb-errors.ts";
import { readPage } from "./lmdb-query.ts";
import { type LmdbStores, openStores, replaceItem } from "./lmdb-stores.ts";
import { isLive, type StoredItem, toStored, updated } from "./stored-item.ts";

const MAX_KEYS = 100;

/** How to open an {@link LmdbTable}. */
export interface LmdbTableOptions {
  /** The clock for expiry, in Unix seconds; the machine's own when absent. */
  readonly nowSeconds?: () => number;
}

/** The table in a folder, by LMDB. Any number of processes of one machine may have the folder open. */
export class LmdbTable implements Table {
  readonly #stores: LmdbStores;
  readonly #cache: ItemCache;
  readonly #nowSeconds: () => number;

  private constructor(stores: LmdbStores, nowSeconds: () => number) {
    this.#stores = stores;
    this.#cache = new ItemCache(stores);
    this.#nowSeconds = nowSeconds;
  }

  /**
   * Opens or creates the table in a folder. The files grow by themselves.
   *
   * @throws {TableUnavailableError} when the folder cannot be made or its files cannot be opened.
   */
  static open(folder: string, options: LmdbTableOptions = {}): LmdbTable {
    const clock = options.nowSeconds ?? (() => Math.floor(Date.now() / 1000));
    return new LmdbTable(
      orUnavailable(() => openStores(folder)),
      clock,
    );
  }

  async get(key: Key): Promise<Item | undefined> {
    checkKey(key);
    return this.#read(() => this.#find(key, this.#nowSeconds()));
  }

  async getMany(keys: readonly Key[]): Promise<readonly (Item | undefined)[]> {
    if (keys.length > MAX_KEYS) throw new TypeError(`more than ${MAX_KEYS} keys`);
    for (const key of keys) checkKey(key);
    const now = this.#nowSeconds();
    return this.#read(() => keys.map((key) => this.#find(key, now)));
  }

  async query(query: Query): Promise<Page> {
    return this.#read(() => readPage(this.#stores, query, this.#nowSeconds()));
  }

  async write(ops: readonly WriteOp[]): Promise<void> {
    checkWrite(ops);
    if (ops.length > 0) await this.#commit(() => this.#apply(ops));
  }

  /**
   * Removes items that have expired, the longest expired first.
   *
   * @param limit - at most this many in one transaction.
   * @returns how many were removed; fewer than `limit` when no more have expired.
   */
  async removeExpired(limit: number): Promise<number> {
    // A look first: an idle table must not take the write lock on every round of the worker.
    if (this.#read(() => this.#expiredKeys(1)).length === 0) return 0;
    return this.#commit(() => {
      const keys = this.#expiredKeys(limit);
      for (const key of keys) {
        replaceItem(this.#stores, key, this.#stores.items.get(key), undefined);
      }
      return keys.length;
    });
  }

  async ping(): Promise<void> {
    this.#read(() => this.#stores.items.doesExist(tableKey({ pk: "ping", sk: "ping" })));
  }

  async close(): Promise<void> {
    await this.#stores.root.close();
  }

  #find(key: Key, nowSeconds: number): Item | undefined {
    const item = this.#cache.find(key);
    const expiresAtSeconds = item?.expiresAtSeconds;
    return expiresAtSeconds === undefined || expiresAtSeconds > nowSeconds ? item : undefined;
  }

  #expiredKeys(limit: number): Uint8Array[] {
    const { start, end } = expiredRange(this.#nowSeconds());
    return [...this.#stores.expiry.getKeys({ start, end, limit })].map(itemOfExpiryKey);
  }

  // lmdb keeps one snapshot for all reads of an event-loop turn; another process's commit, of which we may
  // have heard meanwhile, would be missing from it.
  #read<Result>(read: () => Result): Result {
    return orUnavailable(() => {
      this.#stores.root.resetReadTxn();
      return read();
    });
  }

  /**
   * Runs inside the write transaction. Calls that arrive together share one transaction and one flush, so
   * everything that may throw comes before the first change: what was changed would be committed.
   */
  #apply(ops: readonly WriteOp[]): void {
    const now = this.#nowSeconds();
    const failedOps: number[] = [];
    const planned = ops.map((op, position) => {
      const key = tableKey(op.op === "put" ? op.item.key : op.key);
      const before = this.#stores.items.get(key);
      const live = before !== undefined && isLive(before, now) ? before : undefined;
      const conditions = op.conditions ?? [];
      const allHold = conditions.every((condition) => holds(condition, live?.[1]));
      if (!allHold) failedOps.push(position);
      return { op, key, before, live };
    });
    if (failedOps.length > 0) throw new ConditionFailedError(failedOps);
    const changes = planned
      .filter(({ op }) => op.op !== "check")
      .map(({ op, key, before, live }) => ({ key, before, after: outcome(op, live) }));
    for (const { key, before, after } of changes) replaceItem(this.#stores, key, before, after);
  }

  async #commit<Result>(apply: () => Result): Promise<Result> {
    return orCommitFailed(this.#stores.root.transaction(apply));
  }
}

function outcome(op: WriteOp, live: StoredItem | undefined): StoredItem | undefined {
  if (op.op === "put") return toStored(op.item);
  if (op.op === "update") return updated(op, live);
  return undefined;
}
