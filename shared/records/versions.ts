import { parseJsonObject } from "../domain/json.ts";
import { sortableMs } from "../domain/identifiers.ts";
import { isAvailable, VERSION_STATES, type Version } from "../domain/package.ts";
import type { IndexKey, Item, Key, PutOp, Query, UpdateOp, WriteOp } from "../ports/table.ts";
import { number, text, word } from "./attributes.ts";
import { packagePartition } from "./packages.ts";
import type { PageOptions } from "./pages.ts";

export const versionKey = (registryId: string, packageName: string, version: string): Key => ({
  pk: packagePartition(registryId, packageName),
  sk: `V#${version}`,
});

/** Deleted versions wait in one of these index partitions for the end of their restore window. */
export const RECLAIM_SHARDS = 8;
const reclaimPartition = (shard: number): string => `RECLAIM#${shard}`;

function reclaimIndex(version: Version): IndexKey {
  return {
    pk: reclaimPartition(version.sequence % RECLAIM_SHARDS),
    sk: `${sortableMs(version.restoreUntilMs)}#${version.registryId}#${version.packageName}#${version.version}`,
  };
}

function versionItem(version: Version): Item {
  const { metadata, ...rest } = version;
  const item = {
    key: versionKey(version.registryId, version.packageName, version.version),
    attributes: { ...rest, metadata: JSON.stringify(metadata) },
  };
  // A reclaimed version stays in the index until its file rows are gone, so that a crash in between is found.
  const waits =
    version.state === "deleted" || (version.state === "reclaimed" && version.fileCount > 0);
  return waits ? { ...item, index: reclaimIndex(version) } : item;
}

export function toVersion(item: Item): Version {
  return {
    registryId: text(item, "registryId"),
    packageName: text(item, "packageName"),
    version: text(item, "version"),
    state: word(item, "state", VERSION_STATES),
    deprecation: text(item, "deprecation"),
    sequence: number(item, "sequence"),
    publishedAtMs: number(item, "publishedAtMs"),
    publishedBy: text(item, "publishedBy"),
    publishRun: text(item, "publishRun"),
    sizeBytes: number(item, "sizeBytes"),
    fileCount: number(item, "fileCount"),
    metadata: parseJsonObject(text(item, "metadata")),
    deletedAtMs: number(item, "deletedAtMs"),
    restoreUntilMs: number(item, "restoreUntilMs"),
  };
}

/** Whether clients may see the version of a row, whose metadata nobody has to parse for that. */
export const isAvailableRow = (item: Item): boolean =>
  isAvailable({ state: word(item, "state", VERSION_STATES) });

export const createVersionOp = (version: Version): PutOp => ({
  op: "put",
  item: versionItem(version),
  conditions: [{ kind: "absent" }],
});

/**
 * Replaces a version as it was read; fails when its state or files changed since: files come and go without a change
 * of the package, and what they were counted in would be lost.
 */
export const replaceVersionOp = (
  version: Version,
  read: Pick<Version, "state" | "fileCount" | "sizeBytes">,
): PutOp => ({
  op: "put",
  item: versionItem(version),
  conditions: [
    { kind: "equals", attribute: "state", value: read.state },
    { kind: "equals", attribute: "fileCount", value: read.fileCount },
    { kind: "equals", attribute: "sizeBytes", value: read.sizeBytes },
  ],
});

/** Counts a file into, or out of, an available version. Fails when it is none, or its state changed since it was read. */
export const addToVersionOp = (
  version: Pick<Version, "registryId" | "packageName" | "version" | "state">,
  fileCount: number,
  sizeBytes: number,
): UpdateOp => ({
  op: "update",
  key: versionKey(version.registryId, version.packageName, version.version),
  add: { fileCount, sizeBytes },
  conditions: [
    {
      kind: "equals",
      attribute: "state",
      value: isAvailable(version) ? version.state : "published",
    },
  ],
});

/** Writes a version's metadata, and counts files into or out of it. Fails when its state changed since it was read. */
export const updateMetadataOp = (
  version: Version,
  fileCount: number,
  sizeBytes: number,
): UpdateOp => ({
  op: "update",
  key: versionKey(version.registryId, version.packageName, version.version),
  set: { metadata: JSON.stringify(version.metadata) },
  add: { fileCount, sizeBytes },
  conditions: [{ kind: "equals", attribute: "state", value: version.state }],
});

export const listVersionsQuery = (
  registryId: string,
  packageName: string,
  options: PageOptions & { readonly prefix?: string },
): Query => {
  const { prefix, ...page } = options;
  return {
    pk: packagePartition(registryId, packageName),
    range: { prefix: `V#${prefix ?? ""}` },
    ...page,
  };
};

/** A row that lists versions in the order of publication, without their metadata. */
export const sequenceOp = (version: Version): PutOp => ({
  op: "put",
  item: {
    key: {
      pk: packagePartition(version.registryId, version.packageName),
      sk: `S#${String(version.sequence).padStart(10, "0")}`,
    },
    attributes: { version: version.version },
  },
});

/** Removes a version's rows, but none of its files. */
export const deleteVersionOps = (version: Version): readonly WriteOp[] => [
  {
    op: "delete",
    key: versionKey(version.registryId, version.packageName, version.version),
    conditions: [{ kind: "equals", attribute: "sequence", value: version.sequence }],
  },
  { op: "delete", key: sequenceOp(version).item.key },
];

/** Newest first; each row holds a version's name in `version`. */
export const newestVersionsQuery = (
  registryId: string,
  packageName: string,
  options: PageOptions,
): Query => ({
  pk: packagePartition(registryId, packageName),
  range: { prefix: "S#" },
  descending: true,
  ...options,
});

/** Deleted versions whose restore window ended before `nowMs`, oldest first. */
export const reclaimableQuery = (shard: number, nowMs: number, limit: number): Query => ({
  pk: reclaimPartition(shard),
  index: true,
  range: { before: sortableMs(nowMs) },
  limit,
});
