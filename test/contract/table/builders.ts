import { randomUUID } from "node:crypto";
import type {
  Attributes,
  Condition,
  Item,
  Page,
  PutOp,
  Query,
  Table,
} from "../../../shared/ports/table.ts";

/** A Unix second that has long passed. */
export const PAST_SECONDS = 1_000_000;
/** A Unix second that no test reaches. */
export const FUTURE_SECONDS = 32_000_000_000;

/** A partition that no other test uses. */
export function freshPartition(): string {
  return `test#${randomUUID()}`;
}

/** A put of one item, with whatever else the item or the operation has. */
export function putOf(
  pk: string,
  sk: string,
  attributes: Attributes = {},
  more: Partial<Item> & { conditions?: readonly Condition[] } = {},
): PutOp {
  const { conditions, ...rest } = more;
  return {
    op: "put",
    item: { key: { pk, sk }, attributes, ...rest },
    ...(conditions && { conditions }),
  };
}

/** Writes any number of items, as many transactions as it takes. */
export async function writeAll(table: Table, puts: readonly PutOp[], perTransaction = 100) {
  for (let at = 0; at < puts.length; at += perTransaction) {
    await table.write(puts.slice(at, at + perTransaction));
  }
}

/** Every page of a query, by its cursors. */
export async function pagesOf(table: Table, query: Query): Promise<Page[]> {
  const pages: Page[] = [];
  let cursor: string | undefined;
  do {
    const page = await table.query({ ...query, ...(cursor !== undefined && { cursor }) });
    pages.push(page);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return pages;
}

/** The sort keys of all items of a query. */
export async function sortKeysOf(table: Table, query: Query): Promise<string[]> {
  const pages = await pagesOf(table, query);
  return pages.flatMap((page) => page.items.map((item) => item.key.sk));
}

/** What a promise rejects with; fails when it does not. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("it was expected to be refused");
}
