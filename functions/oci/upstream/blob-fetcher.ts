import { NotFoundError } from "../../../shared/errors.ts";
import type { Services } from "../../../shared/services/services.ts";
import type { Fetcher } from "../../../shared/services/upstreams/ordered-fetches.ts";
import { parseDigest } from "../names.ts";
import { DistributionClient } from "./distribution-client.ts";
import { ProxiedBlobs } from "./proxied-blobs.ts";

/** Fetches layers: the order's package is the upstream's repository, its path a digest. */
export function createBlobFetcher(services: Services): Fetcher {
  const blobs = new ProxiedBlobs(services, new DistributionClient(services));
  return async ({ registry }, { packageName: repository, path }) => {
    const leaves = await services.views.leaves(registry);
    const upstream = leaves.find((leaf) => leaf.registry.id === registry.id)?.upstream;
    if (upstream === undefined) throw new NotFoundError("upstream", registry.routing.proxyOf);
    await blobs.getStored({ registry, upstream, repository }, parseDigest(path));
  };
}
