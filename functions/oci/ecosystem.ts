import { UnsupportedError } from "../../shared/errors.ts";
import type { EcosystemFactory } from "../../shared/services/services.ts";
import { parseDigest, parseImageName } from "./names.ts";

/** Container images and other OCI artifacts: versions are manifests by digest, and clients read no documents. */
export const createOciEcosystem: EcosystemFactory = () => ({
  name: "oci",
  renderers: [],
  parsePackageName: parseImageName,
  parseVersion: (text) => parseDigest(text).text,
  parseUploadPath: () => {
    throw notByTicket();
  },
  // Digests have no order: the newest push is the latest.
  compareVersions: () => 0,
  isPrerelease: () => false,
  publishUpload: async () => {
    throw notByTicket();
  },
});

const notByTicket = (): UnsupportedError =>
  new UnsupportedError("Push images with an OCI client such as docker, skopeo or oras.");
