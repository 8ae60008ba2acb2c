import { type Json, type JsonObject, property } from "../../shared/domain/json.ts";
import type { Version } from "../../shared/domain/package.ts";
import { type Descriptor, type Manifest, requiredBlobs } from "./manifest.ts";

/** Annotations are kept for details up to here; the manifest itself always has them all. */
const MAX_ANNOTATION_CHARACTERS = 16 * 1024;

/**
 * What a version's row holds of its manifest: enough for lists and details without reading it again. `blobs` are
 * the links that it uses, `subject` what it is about; shared services read both.
 */
export function metadataOf(manifest: Manifest, depth: number): JsonObject {
  const { kind, mediaType, artifactType, config, layers, manifests, subject } = manifest;
  return {
    kind,
    mediaType,
    depth,
    ...(artifactType === "" ? {} : { artifactType }),
    ...(config === undefined ? {} : { config: brief(config) }),
    ...(kind === "image" ? { layers: layers.map(brief) } : { manifests: manifests.map(brief) }),
    ...(subject === undefined ? {} : { subject: subject.digest }),
    ...boundedAnnotations(manifest.annotations),
    blobs: requiredBlobs(manifest),
  };
}

/** Levels of indexes that a version holds inside each other; 0 for an image. */
export function depthOf(version: Pick<Version, "metadata">): number {
  const depth = property(version.metadata, "depth");
  return typeof depth === "number" ? depth : 0;
}

function brief({ mediaType, digest, size, platform }: Descriptor): JsonObject {
  const known = ["os", "architecture", "variant", "os.version"].flatMap(
    (name): [string, Json][] => {
      const value = platform?.[name];
      return typeof value === "string" ? [[name, value.slice(0, 100)]] : [];
    },
  );
  return {
    mediaType,
    digest,
    size,
    ...(known.length === 0 ? {} : { platform: Object.fromEntries(known) }),
  };
}

function boundedAnnotations(annotations: Readonly<Record<string, string>>): JsonObject {
  const isShort = JSON.stringify(annotations).length <= MAX_ANNOTATION_CHARACTERS;
  return isShort && Object.keys(annotations).length > 0 ? { annotations } : {};
}
