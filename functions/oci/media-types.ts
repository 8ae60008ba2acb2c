/** Manifests that can be pushed: https://github.com/opencontainers/image-spec/blob/main/media-types.md and docker's. */
export const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
export const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";

/** All that {@link manifestKind} knows. */
export const MANIFEST_TYPES = [OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST] as const;

export type ManifestKind = "image" | "index";

/** `undefined` for a media type that is no manifest that we take, docker's schema 1 among them. */
export function manifestKind(mediaType: string): ManifestKind | undefined {
  if (mediaType === OCI_MANIFEST || mediaType === DOCKER_MANIFEST) return "image";
  if (mediaType === OCI_INDEX || mediaType === DOCKER_LIST) return "index";
  return undefined;
}

/** Layers that clients get from elsewhere and do not push: Windows base layers, and what says so of itself. */
export function isDistributable(mediaType: string): boolean {
  return !mediaType.includes(".nondistributable.") && !mediaType.includes(".foreign.");
}
