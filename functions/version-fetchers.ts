import type { EcosystemName } from "../shared/domain/registry.ts";
import type { Services } from "../shared/services/services.ts";
import type { VersionFetcher } from "../shared/services/views/prefetch.ts";
import { fetchImage } from "./oci/fetch-image.ts";

/**
 * How all of a version is fetched where no listing names its files. Apart from `ECOSYSTEM_FACTORIES`, so that only the
 * API's function gets it.
 */
export const VERSION_FETCHERS: Partial<
  Record<EcosystemName, (services: Services) => VersionFetcher>
> = {
  oci: (services) => (grant, image, version) => fetchImage(services, grant, image, version),
};
