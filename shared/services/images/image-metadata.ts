import * as z from "zod";
import { UnsupportedError } from "../../errors.ts";
import type { Version } from "../../domain/package.ts";

const part = z.object({
  mediaType: z.string(),
  digest: z.string(),
  size: z.number(),
  platform: z.record(z.string(), z.string()).optional(),
});

const schema = z.object({
  kind: z.enum(["image", "index"]),
  mediaType: z.string(),
  artifactType: z.string().default(""),
  config: part.optional(),
  layers: z.array(part).default([]),
  manifests: z.array(part).default([]),
  subject: z.string().optional(),
  annotations: z.record(z.string(), z.string()).default({}),
});

/** A descriptor as the row of a version keeps it. */
export type ImagePart = z.infer<typeof part>;
/** What the row of an image's version says of its manifest. */
export type ImageMetadata = z.infer<typeof schema>;

/** What a version is to those who look at it. */
export type ImageKind = "image" | "index" | "chart" | "artifact";

/** https://github.com/opencontainers/image-spec/blob/main/config.md, and docker's name for the same. */
const IMAGE_CONFIGS = [
  "application/vnd.oci.image.config.v1+json",
  "application/vnd.docker.container.image.v1+json",
];
/** https://helm.sh/docs/topics/registries/#helm-chart-manifest */
const HELM_CONFIG = "application/vnd.cncf.helm.config.v1+json";

/** @throws {UnsupportedError} for a version of another ecosystem. */
export function imageMetadataOf(version: Version): ImageMetadata {
  const found = findImageMetadata(version);
  if (found !== undefined) return found;
  throw new UnsupportedError(
    `${version.packageName} ${version.version.slice(0, 100)} is no image; only versions of OCI registries are.`,
  );
}

/** `undefined` for a version of another ecosystem. */
export function findImageMetadata({ metadata }: Version): ImageMetadata | undefined {
  const parsed = schema.safeParse(metadata);
  return parsed.success ? parsed.data : undefined;
}

export function kindOf({ kind, config }: ImageMetadata): ImageKind {
  if (kind === "index") return "index";
  if (config?.mediaType === HELM_CONFIG) return "chart";
  return IMAGE_CONFIGS.includes(config?.mediaType ?? "") ? "image" : "artifact";
}

/** Bytes that a client pulls for it, besides the manifest; for an index, the manifests that it names. */
export function compressedBytes({ config, layers, manifests }: ImageMetadata): number {
  const parts = [...(config === undefined ? [] : [config]), ...layers, ...manifests];
  return parts.reduce((sum, { size }) => sum + size, 0);
}
