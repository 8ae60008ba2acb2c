import { UnsupportedError } from "../../shared/errors.ts";
import type { EcosystemFactory } from "../../shared/services/services.ts";
import { blobPath } from "./blob-path.ts";
import { parseDigest, parseImageName } from "./names.ts";
import { repositoryOf } from "./upstream/repository.ts";

/**
 * Container images and other OCI artifacts: versions are manifests by digest, and clients read no documents. What is
 * uploaded by ticket is a blob of an image, announced as version `sha256:<hex>` and path `blobs/sha256:<hex>`.
 */
export const createOciEcosystem: EcosystemFactory = () => ({
  name: "oci",
  renderers: [],
  parsePackageName: parseImageName,
  parseVersion: (text) => parseDigest(text).text,
  parseUploadPath: (path, { version, sha256 }) => {
    const digest = `sha256:${sha256}`;
    if (version === digest && path === blobPath(digest)) return path;
    throw new UnsupportedError(
      "Push images with an OCI client such as docker, skopeo or oras. Only a blob is uploaded here, with its digest sha256:<sha256> as the version and blobs/<digest> as the path.",
    );
  },
  uploadsBecome: "blobs",
  cachedAs: repositoryOf,
  // Digests have no order: the newest push is the latest.
  compareVersions: () => 0,
  isPrerelease: () => false,
});
