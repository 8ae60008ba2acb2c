import { LRUCache } from "lru-cache";
import type { Registry } from "../domain/registry.ts";
import type { Table } from "../ports/table.ts";
import { registryKey, toRegistry } from "../records/registries.ts";

/** How long another process may go on with what it knew of a registry. */
const FRESH_MS = 5_000;

/**
 * Registries by slug, remembered for a few seconds: every request needs one, and a metadata read is to cost
 * one table read. A change in this process is seen at once, one in another after {@link FRESH_MS}.
 */
export class RegistryDirectory {
  readonly #table: Table;
  readonly #known = new LRUCache<string, Registry>({
    // The cache makes arrays for all of them at once, 40 KB; a registry more is one read.
    max: 1_000,
    ttl: FRESH_MS,
    // Default 1: the cache would set a timer in every millisecond in which it is asked.
    ttlResolution: 100,
  });

  constructor(table: Table) {
    this.#table = table;
  }

  /** What needs not be asked for; `undefined`: {@link find} it. */
  known(slug: string): Registry | undefined {
    return this.#known.get(slug);
  }

  async find(slug: string): Promise<Registry | undefined> {
    const known = this.known(slug);
    if (known !== undefined) return known;
    // A slug comes from a URL; what is too long to be one is not looked up.
    if (slug.length > 63) return undefined;
    const item = await this.#table.get(registryKey(slug));
    const registry = item === undefined ? undefined : toRegistry(item);
    // Absence is not remembered, so that a registry serves as soon as it was created, here or elsewhere.
    if (registry !== undefined) this.#known.set(slug, registry);
    return registry;
  }

  forget(slug: string): void {
    this.#known.delete(slug);
  }
}
