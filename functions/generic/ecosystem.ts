import { announcedDigests } from "../../shared/http/checksums.ts";
import type { EcosystemFactory } from "../../shared/services/services.ts";
import { contentTypeFor } from "./content-types.ts";
import { parsePackageName, parsePath, parseVersion } from "./names.ts";
import { compareVersions, isPrerelease } from "./versions.ts";

/** Generic files: any file under any name, no documents to render. */
export const createGenericEcosystem: EcosystemFactory = () => ({
  name: "generic",
  renderers: [],
  parsePackageName,
  parseVersion,
  parseUploadPath: (path) => parsePath(path.split("/")),
  compareVersions,
  isPrerelease,
  upstreamFiles: {
    locate: (packageName, version, path) =>
      `/${[packageName, version, ...path.split("/")].map(encodeURIComponent).join("/")}`,
    contentType: (path) => contentTypeFor(undefined, path),
    announced: announcedDigests,
  },
});
