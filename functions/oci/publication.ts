import { hash } from "node:crypto";
import { FILE_DIGESTS, requireDigests } from "../../shared/domain/digest.ts";
import { type JsonObject, property } from "../../shared/domain/json.ts";
import type { PackageFile, Version } from "../../shared/domain/package.ts";
import type { WriteOp } from "../../shared/ports/table.ts";
import { claimBlobOp, putReferenceOp } from "../../shared/records/blob-references.ts";
import { fileItem } from "../../shared/records/files.ts";
import { putReferrerOp } from "../../shared/records/referrers.ts";
import type { CurrentPackage, PackageChange } from "../../shared/services/package-changes.ts";
import type { PackageRef } from "../../shared/services/blob-links.ts";
import type { Stores } from "../../shared/services/stores.ts";
import { OciInvalidError } from "./errors.ts";
import { describe, type Manifest } from "./manifest.ts";
import { metadataOf } from "./metadata.ts";

/** Path of the one file of a version. */
export const MANIFEST_PATH = "manifest";

/** Most manifests are some kilobytes; up to here their bytes stand in the row, and there is no blob. */
const MAX_INLINE_BYTES = 64 * 1024;
const MAX_REFERRER_BYTES = 100 * 1024;

/** Whether a manifest is kept in the row of its file instead of a blob. */
export const isInline = (bytes: Uint8Array): boolean => bytes.length <= MAX_INLINE_BYTES;

/** Puts the bytes of a manifest where they belong, unless that is the row, and gives the file that they are. */
export async function storeManifest(
  { blobs, now }: Pick<Stores, "blobs" | "now">,
  { registryId, packageName }: PackageRef,
  { bytes, digest, mediaType }: Manifest,
): Promise<PackageFile> {
  const digests = isInline(bytes)
    ? Object.fromEntries(FILE_DIGESTS.map((algorithm) => [algorithm, hash(algorithm, bytes)]))
    : (await blobs.put(bytes, { algorithms: FILE_DIGESTS })).digests;
  return {
    registryId,
    packageName,
    version: digest.text,
    path: MANIFEST_PATH,
    sizeBytes: bytes.length,
    digests: requireDigests(digests),
    contentType: mediaType,
    createdAtMs: now(),
  };
}

/** The version that a manifest becomes; `before` is what was deleted of it. */
export function newVersion(
  { registryId, packageName, version }: PackageFile,
  manifest: Manifest,
  depth: number,
  current: CurrentPackage,
  before: Version | undefined,
  published: Pick<Version, "publishedAtMs" | "publishedBy">,
): Version {
  return {
    registryId,
    packageName,
    version,
    state: "published",
    deprecation: before?.deprecation ?? "",
    sequence: before?.sequence ?? (current.package?.revision ?? 0) + 1,
    ...published,
    publishRun: "",
    sizeBytes: manifest.bytes.length,
    fileCount: 1,
    metadata: metadataOf(manifest, depth),
    deletedAtMs: 0,
    restoreUntilMs: 0,
  };
}

/** The one file of a manifest's version, with its bytes or with what keeps their blob alive. */
export function fileOps(file: PackageFile, bytes: Uint8Array): readonly WriteOp[] {
  if (isInline(bytes)) return [{ op: "put", item: fileItem(file, bytes) }];
  return [
    { op: "put", item: fileItem(file) },
    claimBlobOp(file.digests.sha256),
    putReferenceOp(file.digests.sha256, file),
  ];
}

/** The row by which a manifest is listed with its subject. @throws {OciInvalidError} when it is too long for a list. */
export function referrerOps(
  registryId: string,
  image: string,
  manifest: Manifest,
): readonly WriteOp[] {
  if (manifest.subject === undefined) return [];
  const descriptor: JsonObject = describe(manifest);
  if (JSON.stringify(descriptor).length > MAX_REFERRER_BYTES) {
    throw new OciInvalidError(
      "MANIFEST_INVALID",
      `The annotations of a manifest with a subject may be ${MAX_REFERRER_BYTES} bytes long at most, because they stand in the list of referrers.`,
    );
  }
  const artifactType = property(descriptor, "artifactType");
  return [
    putReferrerOp(registryId, image, manifest.subject.digest, {
      version: manifest.digest.text,
      artifactType: typeof artifactType === "string" ? artifactType : "",
      descriptor,
    }),
  ];
}

/** What becomes of an image when tags move to a manifest that is there already. */
export function tagChange(
  current: CurrentPackage,
  manifest: Manifest,
  tags: readonly string[],
  ops: readonly WriteOp[],
  nowMs: number,
): PackageChange | undefined {
  if (current.package === undefined) return undefined;
  return {
    package: { ...current.package, latestVersion: manifest.digest.text, updatedAtMs: nowMs },
    tags: current.tags,
    ops,
    documents: { kind: "keep" },
    audit: [{ action: "tag.set", version: manifest.digest.text, detail: tags.join(" ") }],
  };
}

/** What becomes of an image with a new manifest, or one that comes back. */
export function publication(
  { package: before, tags: currentTags }: CurrentPackage,
  version: Version,
  tags: readonly string[],
  ops: readonly WriteOp[],
): PackageChange {
  const active = before?.state === "active" ? before : undefined;
  // The newest tagged manifest stands for the image; the parts of an index are pushed untagged before it.
  const isLatest = tags.length > 0 || active === undefined || active.latestVersion === "";
  return {
    package: {
      registryId: version.registryId,
      name: version.packageName,
      state: "active",
      revision: 0,
      description: active?.description ?? "",
      keywords: active?.keywords ?? [],
      latestVersion: isLatest ? version.version : active.latestVersion,
      versionCount: (active?.versionCount ?? 0) + 1,
      createdAtMs: before?.createdAtMs ?? version.publishedAtMs,
      updatedAtMs: version.publishedAtMs,
    },
    tags: currentTags,
    ops,
    documents: { kind: "keep" },
    audit: [
      {
        action: "version.publish",
        version: version.version,
        detail: tags.length === 0 ? "" : `tags ${tags.join(", ")}`,
      },
    ],
  };
}
