import type { Version } from "../../shared/domain/package.ts";
import type { Services } from "../../shared/services/services.ts";
import { collect } from "../../shared/services/streams.ts";
import { parseCoreMetadata } from "./core-metadata.ts";
import { MAX_METADATA_BYTES } from "./intake/archive-limits.ts";
import { filesOf } from "./release.ts";

/** A release's description, kept only where it came from: in the metadata of a file. Empty without one. */
export async function readDescription({ stores }: Services, version: Version): Promise<string> {
  const sha256 = filesOf(version)
    .map(({ metadataSha256, pkgInfoSha256 }) => metadataSha256 || pkgInfoSha256)
    .find((digest) => digest !== "");
  const stream = sha256 === undefined ? undefined : await stores.blobs.open(sha256);
  if (stream === undefined) return "";
  return parseCoreMetadata(await collect(stream, MAX_METADATA_BYTES)).description;
}
