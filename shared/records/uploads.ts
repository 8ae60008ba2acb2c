import type { Digests } from "../domain/digest.ts";
import { sortableMs } from "../domain/identifiers.ts";
import type { Item, Key, PutOp, Query, WriteOp } from "../ports/table.ts";
import { number, text } from "./attributes.ts";
import { digestsOf } from "./digests.ts";

/** An upload that goes straight to blob storage, from the ticket to `complete`. */
export interface Upload {
  readonly id: string;
  readonly registry: string;
  readonly packageName: string;
  readonly version: string;
  readonly path: string;
  readonly contentType: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** 0: one PUT, straight to the blob's place. */
  readonly partSizeBytes: number;
  /** The blob store's own identifier; empty for one PUT. */
  readonly multipartId: string;
  readonly startedBy: string;
  readonly createdAtMs: number;
  /** After this the sweeper aborts it. */
  readonly expiresAtMs: number;
  /** Of the joined bytes, once they are in their place; absent while parts are still to be joined. */
  readonly digests?: Digests;
}

export const uploadKey = (id: string): Key => ({ pk: `U#${id}`, sk: "UPLOAD" });

/** In the index by expiry. Not with the table's own expiry: the sweeper must still find it to abort its parts. */
export const createUploadOp = (upload: Omit<Upload, "digests">): PutOp => ({
  op: "put",
  item: {
    key: uploadKey(upload.id),
    index: { pk: "UPLOADS", sk: `${sortableMs(upload.expiresAtMs)}#${upload.id}` },
    attributes: { ...upload },
  },
  conditions: [{ kind: "absent" }],
});

export function toUpload(item: Item): Upload {
  const joined = "md5" in item.attributes;
  return {
    ...(joined ? { digests: digestsOf(item) } : {}),
    id: text(item, "id"),
    registry: text(item, "registry"),
    packageName: text(item, "packageName"),
    version: text(item, "version"),
    path: text(item, "path"),
    contentType: text(item, "contentType"),
    sizeBytes: number(item, "sizeBytes"),
    sha256: text(item, "sha256"),
    partSizeBytes: number(item, "partSizeBytes"),
    multipartId: text(item, "multipartId"),
    startedBy: text(item, "startedBy"),
    createdAtMs: number(item, "createdAtMs"),
    expiresAtMs: number(item, "expiresAtMs"),
  };
}

/** Notes that the parts are joined, so that a `complete` whose publish failed can be repeated. */
export const joinedUploadOp = (id: string, digests: Digests): WriteOp => ({
  op: "update",
  key: uploadKey(id),
  set: { md5: digests.md5, sha1: digests.sha1, sha512: digests.sha512 },
  conditions: [{ kind: "present" }],
});

export const deleteUploadOp = (id: string): WriteOp => ({ op: "delete", key: uploadKey(id) });

export const expiredUploadsQuery = (nowMs: number, limit: number): Query => ({
  pk: "UPLOADS",
  index: true,
  range: { before: sortableMs(nowMs) },
  limit,
});
