import type { Item, Key, Page, Query, Table, WriteOp } from "../../shared/ports/table.ts";
import { itemSizeBytes } from "../../shared/ports/table-limits.ts";

/** What DynamoDB bills and what its partitions bear: units of 4 KB read strongly, of 1 KB written. */
export interface Units {
  readonly read: number;
  readonly write: number;
}

const READ_BYTES = 4096;
const WRITE_BYTES = 1024;
/** Each write in a transaction is done twice. */
const TRANSACTION_FACTOR = 2;

/**
 * A table that counts DynamoDB's units by partition while it passes everything on, so that load models are about what
 * handlers do and not about what somebody thinks they do.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
 */
export class MeteredTable implements Table {
  readonly #table: Table;
  #units = new Map<string, Units>();

  constructor(table: Table) {
    this.#table = table;
  }

  /** By partition key; the index's partitions begin with `index:`. */
  units(): ReadonlyMap<string, Units> {
    return this.#units;
  }

  /** Starts from zero again. */
  reset(): void {
    this.#units = new Map();
  }

  async get(key: Key): Promise<Item | undefined> {
    const item = await this.#table.get(key);
    this.#add(key.pk, { read: readUnits([item]), write: 0 });
    return item;
  }

  async getMany(keys: readonly Key[]): Promise<readonly (Item | undefined)[]> {
    const items = await this.#table.getMany(keys);
    // A batch rounds up for each item.
    for (const [position, { pk }] of keys.entries()) {
      this.#add(pk, { read: readUnits([items[position]]), write: 0 });
    }
    return items;
  }

  async query(query: Query): Promise<Page> {
    const page = await this.#table.query(query);
    // The index is read eventually, for half.
    const read = readUnits(page.items) * (query.index === true ? 0.5 : 1);
    this.#add(query.index === true ? `index:${query.pk}` : query.pk, { read, write: 0 });
    return page;
  }

  async write(ops: readonly WriteOp[]): Promise<void> {
    const keys = ops.map((op) => (op.op === "put" ? op.item.key : op.key));
    const before = await Promise.all(keys.map((key) => this.#table.get(key)));
    await this.#table.write(ops);
    const after = await Promise.all(keys.map((key) => this.#table.get(key)));
    const factor = ops.length > 1 ? TRANSACTION_FACTOR : 1;
    for (const [position, { pk }] of keys.entries()) {
      const items = [before[position], after[position]];
      this.#add(pk, { read: 0, write: factor * writeUnits(items) });
      for (const item of items) {
        // A changed entry of the index is taken out and put in, outside the transaction.
        if (item?.index !== undefined && !isSame(items)) {
          this.#add(`index:${item.index.pk}`, { read: 0, write: writeUnits([item]) });
        }
      }
    }
  }

  async ping(): Promise<void> {
    await this.#table.ping();
  }

  async close(): Promise<void> {
    await this.#table.close();
  }

  #add(pk: string, more: Units): void {
    const { read, write } = this.#units.get(pk) ?? { read: 0, write: 0 };
    this.#units.set(pk, { read: read + more.read, write: write + more.write });
  }
}

const sizes = (items: readonly (Item | undefined)[]): readonly number[] =>
  items.map((item) => (item === undefined ? 0 : itemSizeBytes(item)));

/** What is absent costs a unit as well. */
function readUnits(items: readonly (Item | undefined)[]): number {
  const bytes = sizes(items).reduce((sum, size) => sum + size, 0);
  return Math.max(1, Math.ceil(bytes / READ_BYTES));
}

/** Of the larger of the item before and after. */
function writeUnits(items: readonly (Item | undefined)[]): number {
  return Math.max(1, Math.ceil(Math.max(...sizes(items)) / WRITE_BYTES));
}

const isSame = ([before, after]: readonly (Item | undefined)[]): boolean =>
  JSON.stringify(before?.index) === JSON.stringify(after?.index) &&
  before !== undefined &&
  after !== undefined &&
  itemSizeBytes(before) === itemSizeBytes(after);
