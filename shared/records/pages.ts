import type { Item, Page } from "../ports/table.ts";

/** How a list is paged: at most `limit` rows, from `cursor` on. */
export interface PageOptions {
  readonly limit: number;
  readonly cursor?: string;
}

/** A page of domain objects. */
export interface PageOf<T> {
  readonly items: readonly T[];
  /** Absent on the last page. */
  readonly cursor?: string;
}

/** Maps the rows of a page. */
export function mapPage<T>(page: Page, map: (item: Item) => T): PageOf<T> {
  const items = page.items.map(map);
  return page.cursor === undefined ? { items } : { items, cursor: page.cursor };
}
