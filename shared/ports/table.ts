/**
 * A small typed key-value table in DynamoDB's own contract: the records of `shared/records` are written
 * once, and only the operations of {@link Table} have two implementations.
 *
 * Keys are ordered by their UTF-8 bytes. A partition key and sort key together are at most
 * {@link MAX_KEY_BYTES} bytes, the sort key alone at most {@link MAX_SORT_KEY_BYTES}; neither is empty nor
 * holds a NUL. The same holds for index keys. An item is at most {@link MAX_ITEM_BYTES} bytes by
 * DynamoDB's way of counting (attribute names and values).
 */
export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** What an attribute holds. `undefined` never appears: an absent attribute is an absent property. */
export type Value =
  | string
  | number
  | boolean
  | Uint8Array
  | readonly Value[]
  | { readonly [name: string]: Value };

export type Attributes = Readonly<Record<string, Value>>;

/** Where an item stands in the one sparse secondary index. Absent: the item is not in the index. */
export interface IndexKey {
  readonly pk: string;
  readonly sk: string;
}

export interface Item {
  readonly key: Key;
  readonly attributes: Attributes;
  readonly index?: IndexKey;
  /** Unix seconds. From this second on the item is never returned, and counts as absent in conditions. */
  readonly expiresAtSeconds?: number;
}

/**
 * Conditions of one operation, all of which must hold. On an absent item every attribute is absent.
 * `notEquals` is the opposite of `equals`: it holds on an absent attribute and on one of another type.
 */
export type Condition =
  | { readonly kind: "absent" }
  | { readonly kind: "present" }
  | {
      readonly kind: "equals";
      readonly attribute: string;
      readonly value: string | number | boolean;
    }
  | {
      readonly kind: "notEquals";
      readonly attribute: string;
      readonly value: string | number | boolean;
    }
  /** Numbers compare as numbers, strings by UTF-8 bytes; an absent attribute or another type fails. */
  | { readonly kind: "lessThan"; readonly attribute: string; readonly value: string | number }
  | { readonly kind: "greaterThan"; readonly attribute: string; readonly value: string | number }
  | { readonly kind: "attributeAbsent"; readonly attribute: string }
  | { readonly kind: "attributePresent"; readonly attribute: string };

export interface PutOp {
  readonly op: "put";
  readonly item: Item;
  readonly conditions?: readonly Condition[];
}

/**
 * Changes single attributes; creates the item when it is absent (guard with `present` where that is wrong).
 * An attribute appears in at most one of `set`, `remove` and `add`. `add` starts from 0.
 * On an expired item it starts from nothing, as on an absent one. Adding to an attribute that is not a
 * number throws a TypeError; sums beyond 2^53 or of fractions may differ between stores.
 * `index` and `expiresAtSeconds`: absent leaves what is there, `null` removes it.
 */
export interface UpdateOp {
  readonly op: "update";
  readonly key: Key;
  readonly set?: Attributes;
  readonly remove?: readonly string[];
  readonly add?: Readonly<Record<string, number>>;
  readonly index?: IndexKey | null;
  readonly expiresAtSeconds?: number | null;
  readonly conditions?: readonly Condition[];
}

export interface DeleteOp {
  readonly op: "delete";
  readonly key: Key;
  readonly conditions?: readonly Condition[];
}

/** Changes nothing; the transaction fails unless the conditions hold. */
export interface CheckOp {
  readonly op: "check";
  readonly key: Key;
  readonly conditions: readonly Condition[];
}

export type WriteOp = PutOp | UpdateOp | DeleteOp | CheckOp;

/** Bounds on the sort key, by UTF-8 bytes. `after`/`before` are exclusive, `from`/`to` inclusive. */
export interface SortRange {
  readonly prefix?: string;
  readonly from?: string;
  readonly to?: string;
  readonly after?: string;
  readonly before?: string;
}

export interface Query {
  /** Partition of the table or, with `index: true`, of the secondary index. */
  readonly pk: string;
  readonly range?: SortRange;
  readonly index?: boolean;
  /** At most this many items; a page may be shorter (1 MB read at most) and still have a cursor. */
  readonly limit: number;
  readonly descending?: boolean;
  /** Opaque, from a previous page of the same query. A cursor that is not ours throws {@link InvalidCursorError}. */
  readonly cursor?: string;
}

export interface Page {
  readonly items: readonly Item[];
  /** Absent on the last page. A page with a cursor may be followed by an empty one. */
  readonly cursor?: string;
}

export interface Table {
  /** One item, strongly consistent. `undefined` when absent or expired. */
  get(key: Key): Promise<Item | undefined>;
  /** Items in the order of `keys` (at most 100, duplicates allowed), `undefined` where absent. Strongly consistent. */
  getMany(keys: readonly Key[]): Promise<readonly (Item | undefined)[]>;
  /** One partition in sort-key order. Strongly consistent on the table, eventually on the index. */
  query(query: Query): Promise<Page>;
  /**
   * All operations or none, durable when it resolves. Each key appears at most once.
   *
   * @throws {ConditionFailedError} with the positions of the operations whose conditions failed.
   * @throws {ItemTooLargeError} | {@link KeyTooLargeError} | {@link TransactionTooLargeError} before anything is written.
   * @throws {TypeError} on two operations for one key, or a key, name or value that the table cannot hold
   *   (see `checkWrite`).
   * @throws {TableUnavailableError} when the store throttles or cannot be reached after retries; nothing was
   *   written, or (after a time-out) everything was.
   */
  write(ops: readonly WriteOp[]): Promise<void>;
  /** Cheap proof that the store answers, for `/readyz`. Throws {@link TableUnavailableError}. */
  ping(): Promise<void>;
  /** Ends the use of the store; the writes under way finish first. */
  close(): Promise<void>;
}

export const MAX_KEY_BYTES = 1900;
/** DynamoDB's limit for a sort key alone. */
export const MAX_SORT_KEY_BYTES = 1024;
export const MAX_ITEM_BYTES = 400 * 1024;
export const MAX_TRANSACTION_OPS = 100;
export const MAX_TRANSACTION_BYTES = 4 * 1024 * 1024;

export class ConditionFailedError extends Error {
  override readonly name = "ConditionFailedError";
  /** Positions in `ops` of the operations whose conditions failed, ascending, never empty. */
  readonly failedOps: readonly number[];
  constructor(failedOps: readonly number[]) {
    super(`the conditions of operations ${failedOps.join(", ")} do not hold`);
    this.failedOps = failedOps;
  }
}

export class ItemTooLargeError extends Error {
  override readonly name = "ItemTooLargeError";
  readonly key: Key;
  readonly sizeBytes: number;
  constructor(key: Key, sizeBytes: number) {
    super(`item ${key.pk} ${key.sk} has ${sizeBytes} bytes; the limit is ${MAX_ITEM_BYTES}`);
    this.key = key;
    this.sizeBytes = sizeBytes;
  }
}

export class KeyTooLargeError extends Error {
  override readonly name = "KeyTooLargeError";
  constructor(sizeBytes: number) {
    super(`a key has ${sizeBytes} bytes; the limit is ${MAX_KEY_BYTES}`);
  }
}

export class TransactionTooLargeError extends Error {
  override readonly name = "TransactionTooLargeError";
}

export class InvalidCursorError extends Error {
  override readonly name = "InvalidCursorError";
  constructor() {
    super("this cursor does not belong to this query");
  }
}

export class TableUnavailableError extends Error {
  override readonly name = "TableUnavailableError";
}
