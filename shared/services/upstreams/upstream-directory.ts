import { LRUCache } from "lru-cache";
import type { Upstream } from "../../domain/upstream.ts";
import type { Table } from "../../ports/table.ts";
import { toUpstream, upstreamKey } from "../../records/upstreams.ts";

/** How long another process may go on with what it knew of an upstream; as with registries. */
const FRESH_MS = 5_000;

/** Upstreams by key, remembered for a few seconds, for those who read from them. */
export class UpstreamDirectory {
  readonly #table: Table;
  readonly #known = new LRUCache<string, Upstream>({ max: 1_000, ttl: FRESH_MS });

  constructor(table: Table) {
    this.#table = table;
  }

  /** `undefined` when there is none: not for a proxy's own, which cannot be deleted. */
  async find(key: string): Promise<Upstream | undefined> {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const item = await this.#table.get(upstreamKey(key));
    if (item === undefined) return undefined;
    const upstream = toUpstream(item);
    this.#known.set(key, upstream);
    return upstream;
  }

  forget(key: string): void {
    this.#known.delete(key);
  }
}
