import { LRUCache } from "lru-cache";
import { number } from "../records/attributes.ts";
import { listingCountKey, listPackagesQuery } from "../records/packages.ts";
import { eachItem } from "./queries.ts";
import type { Stores } from "./stores.ts";

/** Names kept in the process, of all registries together. */
const MAX_NAMES = 1_000_000;

/** The names of a registry's packages in byte order. */
export interface ListedNames {
  /** Of the changes of the listing so far. */
  readonly count: number;
  readonly names: readonly string[];
}

/**
 * Whole listings, for the ecosystems whose clients ask for them (`Ecosystem.countsListing`). One read tells whether what
 * is remembered is still so; only a listing that changed is read anew, once however many ask.
 */
export class PackageListing {
  readonly #stores: Stores;
  readonly #known: LRUCache<string, readonly string[], string>;

  constructor(stores: Stores) {
    this.#stores = stores;
    this.#known = new LRUCache<string, readonly string[], string>({
      maxSize: MAX_NAMES,
      sizeCalculation: (names) => names.length + 1,
      fetchMethod: (_key, _stale, { context }) => this.#readNames(context),
    });
  }

  async read(registryId: string): Promise<ListedNames> {
    const item = await this.#stores.table.get(listingCountKey(registryId));
    const count = item === undefined ? 0 : number(item, "count");
    const names = await this.#known.forceFetch(`${registryId}#${count}`, { context: registryId });
    return { count, names };
  }

  async #readNames(registryId: string): Promise<readonly string[]> {
    const names: string[] = [];
    const { table } = this.#stores;
    for await (const item of eachItem(table, (page) => listPackagesQuery(registryId, page))) {
      names.push(item.key.sk);
    }
    return names;
  }
}
