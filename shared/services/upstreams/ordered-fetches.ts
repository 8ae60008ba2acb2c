import { NotFoundError, UpstreamFailedError } from "../../errors.ts";
import type { Registry } from "../../domain/registry.ts";
import type { FetchOrder } from "../../ports/fetch-queue.ts";
import { deleteFetchStateOp, putFetchStateOp } from "../../records/fetch-orders.ts";
import { RegistryGrant } from "../access.ts";
import type { RegistryDirectory } from "../registry-directory.ts";
import type { Stores } from "../stores.ts";
import type { Views } from "../views/views.ts";
import { PROXY } from "./kept-files.ts";

/** Who asks within this time is told what went wrong; then it is tried again. */
const FAILED_SECONDS = 30;

/** Fetches what an order of its ecosystem names, in its own way. */
export type Fetcher = (grant: RegistryGrant, order: FetchOrder) => Promise<void>;

/** Carries out orders of requests that have no time for what they fetch. */
export class OrderedFetches {
  readonly #stores: Stores;
  readonly #directory: RegistryDirectory;
  readonly #views: Views;

  constructor(stores: Stores, directory: RegistryDirectory, views: Views) {
    this.#stores = stores;
    this.#directory = directory;
    this.#views = views;
  }

  /**
   * Fetches a file, unless it is here; an order may come twice. A failure of the upstream is written down for the next
   * request and ends the order.
   *
   * @param fetcherOf How an ecosystem fetches; absent: as the files that its listings name.
   * @throws what a store fails with: the order is to come again, and a request may also give it anew.
   */
  async fetch(
    order: FetchOrder,
    fetcherOf: (registry: Registry) => Fetcher | undefined,
  ): Promise<"fetched" | "failed" | "obsolete"> {
    const registry = await this.#directory.find(order.registry);
    const isStanding = registry?.id === order.registryId && registry.kind === "proxy";
    try {
      if (isStanding) await this.#fetch(new RegistryGrant(registry, PROXY), order, fetcherOf);
    } catch (error) {
      if (error instanceof UpstreamFailedError) return this.#failed(order, error);
      await this.#end(order);
      // The next request learns it from the upstream itself.
      if (error instanceof NotFoundError) return "obsolete";
      throw error;
    }
    await this.#end(order);
    return isStanding ? "fetched" : "obsolete";
  }

  async #fetch(
    grant: RegistryGrant,
    order: FetchOrder,
    fetcherOf: (registry: Registry) => Fetcher | undefined,
  ): Promise<void> {
    const fetcher = fetcherOf(grant.registry);
    if (fetcher !== undefined) return fetcher(grant, order);
    await this.#views.getFile(grant, order.packageName, order.version, order.path);
  }

  async #end(order: FetchOrder): Promise<void> {
    await this.#stores.table.write([deleteFetchStateOp(order)]);
  }

  async #failed(order: FetchOrder, error: UpstreamFailedError): Promise<"failed"> {
    const seconds = error.retryAfterSeconds ?? FAILED_SECONDS;
    const untilMs = this.#stores.now() + seconds * 1000;
    await this.#stores.table.write([
      putFetchStateOp(order, { state: "failed", why: error.message, untilMs }),
    ]);
    this.#stores.log.warn("fetch.failed", { registry: order.registry, why: error.message });
    return "failed";
  }
}
