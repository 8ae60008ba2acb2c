import type { Digests } from "./digest.ts";
import type { JsonObject } from "./json.ts";

/**
 * What becomes of a project, where the ecosystem's clients are told (PEP 792:
 * https://packaging.python.org/en/latest/specifications/project-status-markers/).
 */
export const PACKAGE_STATUSES = ["active", "archived", "quarantined", "deprecated"] as const;
export type PackageStatus = (typeof PACKAGE_STATUSES)[number];

/** What the owners of a package say of it as a whole. */
export interface PackageStanding {
  /** `archived` takes no uploads; `quarantined` neither takes nor offers files. */
  readonly status: PackageStatus;
  /** For people; empty when none was given. */
  readonly reason: string;
  /** URLs of the same project elsewhere that this one follows, and where else it may be had (PEP 708). */
  readonly tracks: readonly string[];
  readonly alternateLocations: readonly string[];
}

export const ACTIVE_STANDING: PackageStanding = {
  status: "active",
  reason: "",
  tracks: [],
  alternateLocations: [],
};

export interface Package {
  readonly registryId: string;
  /** Canonical in its ecosystem. */
  readonly name: string;
  readonly state: "active" | "deleted";
  /** Counts the changes; every change of documents is conditional on the revision that it read. */
  readonly revision: number;
  readonly description: string;
  readonly keywords: readonly string[];
  /** Highest published version by the ecosystem's order, pre-releases only where there is nothing else. Empty when none. */
  readonly latestVersion: string;
  /** Published versions, deprecated ones included. */
  readonly versionCount: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** Absent: {@link ACTIVE_STANDING}, as always where the ecosystem knows of no other. */
  readonly standing?: PackageStanding;
}

/** A package whose files nobody may have. */
export const isQuarantined = ({ standing }: Pick<Package, "standing">): boolean =>
  standing?.status === "quarantined";

/**
 * `deleted` can be restored until `restoreUntilMs`; `reclaimed` is the tombstone that keeps a version from
 * ever being published again with other bytes.
 */
export const VERSION_STATES = [
  "draft",
  "published",
  "deprecated",
  "archived",
  "quarantined",
  "deleted",
  "reclaimed",
] as const;
export type VersionState = (typeof VERSION_STATES)[number];

export interface Version {
  readonly registryId: string;
  readonly packageName: string;
  readonly version: string;
  readonly state: VersionState;
  /** Words for those who install a deprecated version; empty otherwise. */
  readonly deprecation: string;
  /** Position in the order of publication within its package, from 1. */
  readonly sequence: number;
  readonly publishedAtMs: number;
  readonly publishedBy: string;
  /** Identifies the client's run that published it, so that a retry of the same request succeeds. Empty when unknown. */
  readonly publishRun: string;
  readonly sizeBytes: number;
  readonly fileCount: number;
  /** What the ecosystem knows of it, such as the manifest in a package.json. */
  readonly metadata: JsonObject;
  /** 0 unless deleted. */
  readonly deletedAtMs: number;
  /** 0 unless deleted. */
  readonly restoreUntilMs: number;
  /** Slug of the registry that it is from, where a composite or proxy shows it; never stored. */
  readonly origin?: string;
}

/** A version that clients may see and install. */
export function isAvailable(version: Pick<Version, "state">): boolean {
  return (
    version.state === "published" || version.state === "deprecated" || version.state === "archived"
  );
}

export interface PackageFile {
  readonly registryId: string;
  readonly packageName: string;
  readonly version: string;
  /** Unique within its version; segments divided by `/`. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly digests: Digests;
  readonly contentType: string;
  readonly createdAtMs: number;
  /**
   * Unix milliseconds at which the registry that it was fetched from published it, where that tells of single files; 0
   * when it does not say.
   */
  readonly publishedAtMs?: number;
}

/** A movable pointer to a version: an npm dist-tag, an OCI tag, a channel. */
export interface Tag {
  readonly name: string;
  readonly version: string;
  readonly updatedAtMs: number;
}
