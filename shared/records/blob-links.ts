import { sortableMs } from "../domain/identifiers.ts";
import type { Item, Key, Query, WriteOp } from "../ports/table.ts";
import { flag, number, text } from "./attributes.ts";
import { type BlobReference, putReferenceOp, removeReferenceOp } from "./blob-references.ts";
import { packagePartition } from "./packages.ts";
import type { PageOptions } from "./pages.ts";

/**
 * A blob that a package may serve, whether a version of it uses the blob yet or not: what a client uploaded or
 * mounted before it publishes what the blob belongs to.
 */
export interface BlobLink {
  readonly registryId: string;
  readonly packageName: string;
  /** As clients name it: `sha256:<hex>` or `sha512:<hex>`. */
  readonly digest: string;
  /** Where the bytes are, whatever the algorithm of `digest`. */
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly linkedAtMs: number;
  /** When a version that uses it was published last; the time of linking before the first. */
  readonly usedAtMs: number;
  /** It was deleted while a deleted version could still be restored with it: only available versions show it. */
  readonly hidden: boolean;
}

export const blobLinkKey = (registryId: string, packageName: string, digest: string): Key => ({
  pk: packagePartition(registryId, packageName),
  sk: `L#${digest}`,
});

/** Links that nothing may use any more, by the time from which the sweeper looks at them. */
const UNUSED_PARTITION = "UNUSED-LINKS";

const unusedIndex = (link: BlobLink, dueAtMs: number) => ({
  pk: UNUSED_PARTITION,
  sk: `${sortableMs(dueAtMs)}#${link.registryId}#${link.packageName}#${link.digest}`,
});

export function toBlobLink(item: Item): BlobLink {
  return {
    registryId: text(item, "registryId"),
    packageName: text(item, "packageName"),
    digest: text(item, "digest"),
    sha256: text(item, "sha256"),
    sizeBytes: number(item, "sizeBytes"),
    linkedAtMs: number(item, "linkedAtMs"),
    usedAtMs: number(item, "usedAtMs"),
    hidden: flag(item, "hidden"),
  };
}

const referenceOf = (link: BlobLink): BlobReference => ({
  registryId: link.registryId,
  packageName: link.packageName,
  version: "",
  path: `link:${link.digest}`,
});

/** The link and what keeps its blob alive; replaces a link of the same digest. The blob must be claimed beside. */
export const putBlobLinkOps = (link: BlobLink, dueAtMs: number): readonly WriteOp[] => [
  {
    op: "put",
    item: {
      key: blobLinkKey(link.registryId, link.packageName, link.digest),
      index: unusedIndex(link, dueAtMs),
      attributes: { ...link },
    },
  },
  putReferenceOp(link.sha256, referenceOf(link)),
];

/**
 * Claims a link for a version that is about to be published: the sweeper, which removes a link only as it read
 * it, can then no longer take it. Fails when the link is gone.
 */
export const claimBlobLinkOp = (
  registryId: string,
  packageName: string,
  digest: string,
  nowMs: number,
): WriteOp => ({
  op: "update",
  key: blobLinkKey(registryId, packageName, digest),
  set: { usedAtMs: nowMs, hidden: false },
  index: null,
  conditions: [{ kind: "present" }],
});

/** Has the sweeper look at a link from `dueAtMs` on, because a version that used it is gone. Fails on an absent link. */
export const reviewBlobLinkOp = (link: BlobLink, dueAtMs: number): WriteOp => ({
  op: "update",
  key: blobLinkKey(link.registryId, link.packageName, link.digest),
  index: unusedIndex(link, dueAtMs),
  conditions: [{ kind: "present" }],
});

/** Takes a link that turned out to be in use off the sweeper's list; fails when it was claimed since it was read. */
export const keepBlobLinkOp = (link: BlobLink): WriteOp => ({
  op: "update",
  key: blobLinkKey(link.registryId, link.packageName, link.digest),
  index: null,
  conditions: [{ kind: "equals", attribute: "usedAtMs", value: link.usedAtMs }],
});

/** Hides a link; fails when it was claimed since it was read. */
export const hideBlobLinkOp = (link: BlobLink): WriteOp => ({
  op: "update",
  key: blobLinkKey(link.registryId, link.packageName, link.digest),
  set: { hidden: true },
  conditions: [{ kind: "equals", attribute: "usedAtMs", value: link.usedAtMs }],
});

/** Removes a link with its reference; fails when it was claimed or linked again since it was read. */
export const removeBlobLinkOps = (link: BlobLink): readonly WriteOp[] => [
  {
    op: "delete",
    key: blobLinkKey(link.registryId, link.packageName, link.digest),
    conditions: [
      { kind: "equals", attribute: "usedAtMs", value: link.usedAtMs },
      { kind: "equals", attribute: "linkedAtMs", value: link.linkedAtMs },
    ],
  },
  removeReferenceOp(link.sha256, referenceOf(link)),
];

/** What keeps the blob of a link row alive, to go with the row. */
export const removeBlobLinkReferenceOp = (link: BlobLink): WriteOp =>
  removeReferenceOp(link.sha256, referenceOf(link));

/** Links that the sweeper has to look at by `nowMs`, oldest first. */
export const unusedBlobLinksQuery = (nowMs: number, options: PageOptions): Query => ({
  pk: UNUSED_PARTITION,
  index: true,
  range: { before: sortableMs(nowMs) },
  ...options,
});
