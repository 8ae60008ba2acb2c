import type { Item, Key, WriteOp } from "../ports/table.ts";
import { bytes, number, text } from "./attributes.ts";
import { packagePartition } from "./packages.ts";

/**
 * What clients read most, rendered when it changes. `gzip` is the whole answer; the `sealed…` numbers let
 * the next publish append to it without decoding what it holds (see `services/appendable-gzip.ts`).
 */
export interface StoredDocument {
  readonly kind: string;
  readonly contentType: string;
  /** Without quotes. */
  readonly etag: string;
  readonly updatedAtMs: number;
  /** Absolute URLs in the text start with this. */
  readonly baseUrl: string;
  readonly entryCount: number;
  readonly lengthBytes: number;
  readonly sealedBytes: number;
  readonly sealedLengthBytes: number;
  readonly sealedCrc32: number;
  readonly openLengthBytes: number;
  /** Empty when the body is too large for a row and lives in the blob `blobSha256`. */
  readonly gzip: Uint8Array;
  /** Empty until it has been made. */
  readonly brotli: Uint8Array;
  /** Empty when the body is in the row. */
  readonly blobSha256: string;
  /** What it was made of, where that is more than its own registry; it is made anew when that is something else. */
  readonly basis: string;
  /** Unix milliseconds from which on it is made anew; 0: never. */
  readonly validUntilMs: number;
  /** Words for why it may be old, when it was read; never stored. */
  readonly stale?: string;
}

export const documentKey = (registryId: string, packageName: string, kind: string): Key => ({
  pk: packagePartition(registryId, packageName),
  sk: `D#${kind}`,
});

export function toDocument(item: Item): StoredDocument {
  return {
    kind: text(item, "kind"),
    contentType: text(item, "contentType"),
    etag: text(item, "etag"),
    updatedAtMs: number(item, "updatedAtMs"),
    baseUrl: text(item, "baseUrl"),
    entryCount: number(item, "entryCount"),
    lengthBytes: number(item, "lengthBytes"),
    sealedBytes: number(item, "sealedBytes"),
    sealedLengthBytes: number(item, "sealedLengthBytes"),
    sealedCrc32: number(item, "sealedCrc32"),
    openLengthBytes: number(item, "openLengthBytes"),
    gzip: bytes(item, "gzip"),
    brotli: bytes(item, "brotli"),
    blobSha256: text(item, "blobSha256"),
    // Rows of before there were documents of other registries do not have them.
    basis: "basis" in item.attributes ? text(item, "basis") : "",
    validUntilMs: "validUntilMs" in item.attributes ? number(item, "validUntilMs") : 0,
  };
}

/** Unconditional: documents change only with their package's revision, which the same transaction checks. */
export const putDocumentOp = (
  registryId: string,
  packageName: string,
  document: StoredDocument,
): WriteOp => ({
  op: "put",
  item: {
    key: documentKey(registryId, packageName, document.kind),
    attributes: { ...document },
  },
});

export const deleteDocumentOp = (
  registryId: string,
  packageName: string,
  kind: string,
): WriteOp => ({ op: "delete", key: documentKey(registryId, packageName, kind) });

/** Adds the brotli form to the document it was made of; fails when the document changed since. */
export const addBrotliOp = (
  registryId: string,
  packageName: string,
  document: StoredDocument,
  brotli: Uint8Array,
): WriteOp => ({
  op: "update",
  key: documentKey(registryId, packageName, document.kind),
  set: { brotli },
  conditions: [{ kind: "equals", attribute: "etag", value: document.etag }],
});
