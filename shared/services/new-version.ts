import type { Digests } from "../domain/digest.ts";
import type { JsonObject } from "../domain/json.ts";
import type { PackageFile, Version } from "../domain/package.ts";
import type { WriteOp } from "../ports/table.ts";
import { putReferenceOp, removeReferenceOp } from "../records/blob-references.ts";
import { createFileOp, replaceFileOp } from "../records/files.ts";

/** A file whose bytes are in blob storage. */
export interface NewFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly digests: Digests;
  readonly contentType: string;
  /** See {@link PackageFile.publishedAtMs}. */
  readonly publishedAtMs?: number;
}

export interface NewVersion {
  /** Canonical. */
  readonly packageName: string;
  /** Canonical. */
  readonly version: string;
  readonly metadata: JsonObject;
  readonly files: readonly NewFile[];
  /** Tags to point at it. */
  readonly tags: readonly string[];
  /** Taken over by the package when this becomes its latest version. */
  readonly description: string;
  readonly keywords: readonly string[];
  readonly readme?: string;
  /** See {@link Version.publishRun}; empty when unknown. */
  readonly publishRun: string;
}

/** The row of a new file. */
export function toPackageFile(version: Version, file: NewFile, nowMs: number): PackageFile {
  return {
    registryId: version.registryId,
    packageName: version.packageName,
    version: version.version,
    path: file.path,
    sizeBytes: file.sizeBytes,
    digests: file.digests,
    contentType: file.contentType,
    createdAtMs: nowMs,
    ...(file.publishedAtMs === undefined ? {} : { publishedAtMs: file.publishedAtMs }),
  };
}

/** Adds a file and its reference; the claims of the blobs are the caller's, once each. */
export function fileOps(version: Version, file: NewFile, nowMs: number): readonly WriteOp[] {
  const added = toPackageFile(version, file, nowMs);
  return [createFileOp(added), putReferenceOp(file.digests.sha256, added)];
}

/** Puts a file in the place of another and moves the reference; the claim of the blob is the caller's. */
export function replaceOps(
  version: Version,
  file: NewFile,
  old: PackageFile,
  nowMs: number,
): readonly WriteOp[] {
  const added = toPackageFile(version, file, nowMs);
  return [
    replaceFileOp(added, old.digests.sha256),
    removeReferenceOp(old.digests.sha256, old),
    putReferenceOp(file.digests.sha256, added),
  ];
}

/** SHA-256 of each blob, once. */
export function distinctBlobs(files: readonly NewFile[]): readonly string[] {
  return [...new Set(files.map(({ digests }) => digests.sha256))];
}
