import { createHash } from "node:crypto";
import type { Key, Query, WriteOp } from "../ports/table.ts";

/** What keeps a blob alive: a file of a version, or a stored document of a package. */
export interface BlobReference {
  readonly registryId: string;
  readonly packageName: string;
  /** Empty for a document. */
  readonly version: string;
  /** The file's path, or the document's kind. */
  readonly path: string;
}

const blobPartition = (sha256: string): string => `B#${sha256}`;

export const blobKey = (sha256: string): Key => ({ pk: blobPartition(sha256), sk: "BLOB" });

/** Hashed, because names together may be longer than a sort key (1,024 bytes in DynamoDB). */
function referenceKey(sha256: string, reference: BlobReference): Key {
  const { registryId, packageName, version, path } = reference;
  const digest = createHash("sha256")
    .update(JSON.stringify([registryId, packageName, version, path]))
    .digest("base64url");
  return { pk: blobPartition(sha256), sk: `R#${digest}` };
}

/**
 * Adds a reference, and fails while the collector is removing the blob: the collector marks the blob row
 * first and then looks for references, so that one of the two always sees the other.
 */
export function addReferenceOps(sha256: string, reference: BlobReference): readonly WriteOp[] {
  return [claimBlobOp(sha256), putReferenceOp(sha256, reference)];
}

/** The blob row must not be marked; several references of one transaction need it once. */
export const claimBlobOp = (sha256: string): WriteOp => ({
  op: "update",
  key: blobKey(sha256),
  set: { sha256 },
  conditions: [{ kind: "attributeAbsent", attribute: "collectingSinceMs" }],
});

export const putReferenceOp = (sha256: string, reference: BlobReference): WriteOp => ({
  op: "put",
  item: { key: referenceKey(sha256, reference), attributes: { ...reference } },
});

export const removeReferenceOp = (sha256: string, reference: BlobReference): WriteOp => ({
  op: "delete",
  key: referenceKey(sha256, reference),
});

/** Answers whether a blob has any reference with `limit` 1. */
export const referencesQuery = (sha256: string, limit: number): Query => ({
  pk: blobPartition(sha256),
  range: { prefix: "R#" },
  limit,
});

/** The collector's mark: from here on no transaction can add a reference. Fails when another collector has it. */
export const markCollectingOp = (sha256: string, nowMs: number): WriteOp => ({
  op: "update",
  key: blobKey(sha256),
  set: { sha256, collectingSinceMs: nowMs },
  conditions: [{ kind: "attributeAbsent", attribute: "collectingSinceMs" }],
});

/** How far the collector has come; no row when it begins from the beginning. */
export const COLLECTOR_KEY: Key = { pk: "COLLECTOR", sk: "CURSOR" };

/** Remembers where the collector goes on, or that it begins again. */
export function collectorCursorOp(cursor: string | undefined): WriteOp {
  return cursor === undefined
    ? { op: "delete", key: COLLECTOR_KEY }
    : { op: "put", item: { key: COLLECTOR_KEY, attributes: { cursor } } };
}

/** Takes over a mark that its collector left behind when it died. */
export const takeOverMarkOp = (sha256: string, markedAtMs: number, nowMs: number): WriteOp => ({
  op: "update",
  key: blobKey(sha256),
  set: { collectingSinceMs: nowMs },
  conditions: [{ kind: "equals", attribute: "collectingSinceMs", value: markedAtMs }],
});

export const unmarkCollectingOp = (sha256: string): WriteOp => ({
  op: "update",
  key: blobKey(sha256),
  remove: ["collectingSinceMs"],
});

export const removeBlobRowOp = (sha256: string): WriteOp => ({
  op: "delete",
  key: blobKey(sha256),
});
