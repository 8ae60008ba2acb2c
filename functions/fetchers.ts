import type { EcosystemName } from "../shared/domain/registry.ts";
import type { Services } from "../shared/services/services.ts";
import type { Fetcher } from "../shared/services/upstreams/ordered-fetches.ts";
import { createBlobFetcher } from "./oci/upstream/blob-fetcher.ts";

/** Who fetches what is ordered of upstreams, in the ecosystems where it is no file that a listing or path names. */
export const createFetchers = (
  services: Services,
): Readonly<Partial<Record<EcosystemName, Fetcher>>> => ({
  oci: createBlobFetcher(services),
});
