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
  locate: (packageName, version, path) => {
    const url = `/${[packageName, version, ...path.split("/")].map(encodeURIComponent).join("/")}`;
    const contentType = contentTypeFor(undefined, path);
    const file = { path, url, expected: {}, announced: announcedDigests, contentType };
    return { version, publishedAtMs: 0, entry: {}, files: [file] };
  },
});
