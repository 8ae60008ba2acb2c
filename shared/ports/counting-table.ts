import type { Item, Key, Page, Query, Table, WriteOp } from "./table.ts";
import { itemSizeBytes } from "./table-limits.ts";

/** What has been asked of a table since its counts were last reset. */
export interface TableCounts {
  readonly gets: number;
  readonly getManys: number;
  /** Keys asked for by `getMany`, repetitions included. */
  readonly getManyKeys: number;
  readonly queries: number;
  /** Items that the reads returned; absent ones are not counted. */
  readonly itemsRead: number;
  /** Sizes of the items read, by DynamoDB's rules. */
  readonly bytesRead: number;
  /** Calls of `write`, whatever came of them. */
  readonly writes: number;
  readonly ops: number;
  /** Sizes of the items put and of what updates set. */
  readonly bytesWritten: number;
}

const NONE: TableCounts = {
  gets: 0,
  getManys: 0,
  getManyKeys: 0,
  queries: 0,
  itemsRead: 0,
  bytesRead: 0,
  writes: 0,
  ops: 0,
  bytesWritten: 0,
};

/** A table that counts what goes through it to another one, for benchmarks and tests of cost. */
export class CountingTable implements Table {
  readonly #table: Table;
  #counts = NONE;

  constructor(table: Table) {
    this.#table = table;
  }

  /** A snapshot of the counts. */
  counts(): TableCounts {
    return this.#counts;
  }

  /** Starts from zero again. */
  reset(): void {
    this.#counts = NONE;
  }

  async get(key: Key): Promise<Item | undefined> {
    this.#add({ gets: 1 });
    const item = await this.#table.get(key);
    this.#addItems([item]);
    return item;
  }

  async getMany(keys: readonly Key[]): Promise<readonly (Item | undefined)[]> {
    this.#add({ getManys: 1, getManyKeys: keys.length });
    const items = await this.#table.getMany(keys);
    this.#addItems(items);
    return items;
  }

  async query(query: Query): Promise<Page> {
    this.#add({ queries: 1 });
    const page = await this.#table.query(query);
    this.#addItems(page.items);
    return page;
  }

  async write(ops: readonly WriteOp[]): Promise<void> {
    const bytesWritten = ops.reduce((bytes, op) => bytes + writtenBytes(op), 0);
    this.#add({ writes: 1, ops: ops.length, bytesWritten });
    await this.#table.write(ops);
  }

  async ping(): Promise<void> {
    await this.#table.ping();
  }

  async close(): Promise<void> {
    await this.#table.close();
  }

  #addItems(items: readonly (Item | undefined)[]): void {
    const found = items.filter((item) => item !== undefined);
    const bytesRead = found.reduce((bytes, item) => bytes + itemSizeBytes(item), 0);
    this.#add({ itemsRead: found.length, bytesRead });
  }

  #add(more: Partial<TableCounts>): void {
    const counts = this.#counts;
    this.#counts = {
      gets: counts.gets + (more.gets ?? 0),
      getManys: counts.getManys + (more.getManys ?? 0),
      getManyKeys: counts.getManyKeys + (more.getManyKeys ?? 0),
      queries: counts.queries + (more.queries ?? 0),
      itemsRead: counts.itemsRead + (more.itemsRead ?? 0),
      bytesRead: counts.bytesRead + (more.bytesRead ?? 0),
      writes: counts.writes + (more.writes ?? 0),
      ops: counts.ops + (more.ops ?? 0),
      bytesWritten: counts.bytesWritten + (more.bytesWritten ?? 0),
    };
  }
}

function writtenBytes(op: WriteOp): number {
  if (op.op === "put") return itemSizeBytes(op.item);
  if (op.op !== "update") return 0;
  return itemSizeBytes({ key: op.key, attributes: { ...op.set, ...op.add } });
}
