import { NotFoundError } from "../../../shared/errors.ts";
import type { FetchOrder } from "../../../shared/ports/fetch-queue.ts";
import type { RegistryGrant } from "../../../shared/services/access.ts";
import type { Services } from "../../../shared/services/services.ts";
import { parseDigest } from "../names.ts";
import { DistributionClient } from "./distribution-client.ts";
import { ProxiedBlobs } from "./proxied-blobs.ts";

/** Fetches a layer that was ordered: the order's package is the upstream's repository, its path a digest. */
export async function fetchBlob(
  services: Services,
  { registry }: RegistryGrant,
  { packageName: repository, path }: FetchOrder,
): Promise<void> {
  const leaves = await services.views.leaves(registry);
  const upstream = leaves.find((leaf) => leaf.registry.id === registry.id)?.upstream;
  if (upstream === undefined) throw new NotFoundError("upstream", registry.routing.proxyOf);
  const blobs = new ProxiedBlobs(services, new DistributionClient(services));
  await blobs.getStored({ registry, upstream, repository }, parseDigest(path));
}
