import type { Item, Key, WriteOp } from "../ports/table.ts";
import { number, text, word } from "./attributes.ts";
import { packagePartition } from "./packages.ts";

/**
 * What a proxy knows of one of its upstream's documents. The document itself, as it came, is the stored document of the
 * kind {@link copyKind}; this row is small, because every read looks at it.
 */
export interface UpstreamCopy {
  /** Names the document within its package: `listing`. */
  readonly name: string;
  readonly state: "present" | "missing";
  /** SHA-256 of the decoded document, in hexadecimal; empty when missing. */
  readonly sha256: string;
  /** Validators of the upstream for the next question; empty when it gave none. */
  readonly etag: string;
  readonly lastModified: string;
  readonly contentType: string;
  /** Where it came from in the end. */
  readonly url: string;
  /** When it was last known to be so. */
  readonly checkedAtMs: number;
}

/** Longer than upstreams are believed that something is missing. */
const MISSING_SECONDS = 24 * 3600;

/** The kind under which a document is stored as it came. */
export const copyKind = (name: string): string => `upstream-${name}`;

export const upstreamCopyKey = (registryId: string, packageName: string, name: string): Key => ({
  pk: packagePartition(registryId, packageName),
  sk: `U#${name}`,
});

export function toUpstreamCopy(item: Item): UpstreamCopy {
  return {
    name: text(item, "name"),
    state: word(item, "state", ["present", "missing"]),
    sha256: text(item, "sha256"),
    etag: text(item, "etag"),
    lastModified: text(item, "lastModified"),
    contentType: text(item, "contentType"),
    url: text(item, "url"),
    checkedAtMs: number(item, "checkedAtMs"),
  };
}

/** Replaces the copy that was read (`undefined`: none); fails when somebody else asked the upstream meanwhile. */
export const putUpstreamCopyOp = (
  registryId: string,
  packageName: string,
  copy: UpstreamCopy,
  read: UpstreamCopy | undefined,
): WriteOp => ({
  op: "put",
  item: {
    key: upstreamCopyKey(registryId, packageName, copy.name),
    attributes: { ...copy },
    // Names that somebody made up must not stay for ever.
    ...(copy.state === "missing"
      ? { expiresAtSeconds: Math.ceil(copy.checkedAtMs / 1000) + MISSING_SECONDS }
      : {}),
  },
  conditions: [
    read === undefined
      ? { kind: "absent" }
      : { kind: "equals", attribute: "checkedAtMs", value: read.checkedAtMs },
  ],
});

/** Replaces whatever is known; ends by itself, so that questions about what is not there leave nothing behind. */
export const putExpiringCopyOp = (
  registryId: string,
  packageName: string,
  copy: UpstreamCopy,
  expiresAtSeconds: number,
): WriteOp => ({
  op: "put",
  item: {
    key: upstreamCopyKey(registryId, packageName, copy.name),
    attributes: { ...copy },
    expiresAtSeconds,
  },
});
