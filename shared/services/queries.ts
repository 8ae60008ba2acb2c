import type { Version } from "../domain/package.ts";
import type { Item, Key, Query, Table } from "../ports/table.ts";
import type { PageOptions } from "../records/pages.ts";
import { listVersionsQuery, toVersion } from "../records/versions.ts";

/** What one `getMany` takes. */
const MAX_KEYS = 100;

/** As `Table.getMany`, for any number of keys. */
export async function getAll(
  table: Table,
  keys: readonly Key[],
): Promise<readonly (Item | undefined)[]> {
  if (keys.length <= MAX_KEYS) return table.getMany(keys);
  const parts: Promise<readonly (Item | undefined)[]>[] = [];
  for (let start = 0; start < keys.length; start += MAX_KEYS) {
    parts.push(table.getMany(keys.slice(start, start + MAX_KEYS)));
  }
  return (await Promise.all(parts)).flat();
}

/** Every item of a query, for partitions whose size is bounded by one package. */
export async function queryAll(
  table: Table,
  queryFor: (page: PageOptions) => Query,
): Promise<readonly Item[]> {
  const items: Item[] = [];
  for await (const item of eachItem(table, queryFor)) items.push(item);
  return items;
}

/** The items of a query one by one, read page by page. */
export async function* eachItem(
  table: Table,
  queryFor: (page: PageOptions) => Query,
): AsyncIterable<Item> {
  let cursor: string | undefined;
  do {
    const page = await table.query(
      queryFor(cursor === undefined ? { limit: 1000 } : { limit: 1000, cursor }),
    );
    yield* page.items;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** Every version of a package, in any state, by name. */
export async function readVersions(
  table: Table,
  registryId: string,
  packageName: string,
): Promise<readonly Version[]> {
  const items = await queryAll(table, (page) => listVersionsQuery(registryId, packageName, page));
  return items.map(toVersion);
}
