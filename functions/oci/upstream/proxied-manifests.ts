import { NotFoundError } from "../../../shared/errors.ts";
import type { Services } from "../../../shared/services/services.ts";
import { SingleFlight } from "../../../shared/services/upstreams/single-flight.ts";
import type { FoundManifest, Manifests } from "../manifests.ts";
import type { CachedManifests } from "./cached-manifests.ts";
import { UpstreamDeniedError } from "./denied.ts";
import type { ProxyImage } from "./proxy-image.ts";
import type { UpstreamManifests } from "./upstream-manifests.ts";

const WAIT_FOR_OTHERS_MS = 60_000;

/** Manifests of upstreams by digest: fetched once, and kept for ever. */
export class ProxiedManifests {
  readonly #manifests: Manifests;
  readonly #upstream: UpstreamManifests;
  readonly #cached: CachedManifests;
  readonly #flights: SingleFlight<FoundManifest>;

  constructor(
    services: Services,
    manifests: Manifests,
    upstream: UpstreamManifests,
    cached: CachedManifests,
  ) {
    this.#manifests = manifests;
    this.#upstream = upstream;
    this.#cached = cached;
    this.#flights = new SingleFlight(services.stores, WAIT_FOR_OTHERS_MS);
  }

  /** @throws {NotFoundError} when the upstream has none, {@link UpstreamFailedError} when it does not say. */
  async get(
    { registry, upstream, repository }: ProxyImage,
    digest: string,
  ): Promise<FoundManifest> {
    const find = (): Promise<FoundManifest | undefined> =>
      this.#manifests.find({ registryId: registry.id, packageName: repository }, digest);
    const here = await find();
    if (here !== undefined) return here;
    return this.#flights.run(`manifest ${registry.id} ${repository} ${digest}`, find, async () => {
      try {
        const manifest = await this.#upstream.fetch(upstream, repository, digest);
        if (manifest === undefined) throw new NotFoundError("version", digest);
        await this.#cached.keep({ registry, origin: upstream.key }, repository, manifest);
      } catch (error) {
        if (error instanceof UpstreamDeniedError) throw new NotFoundError("version", digest);
        throw error;
      }
      const found = await find();
      if (found === undefined) throw new NotFoundError("version", digest);
      return found;
    });
  }
}
