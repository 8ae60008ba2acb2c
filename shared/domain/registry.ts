import { matchesPattern } from "./pattern.ts";
import type { Routing } from "./routing.ts";

/** Ecosystems that this build speaks, each with a folder of the same name under `functions/`. */
export const ECOSYSTEMS = ["generic", "maven", "npm", "oci", "pypi"] as const;
export type EcosystemName = (typeof ECOSYSTEMS)[number];

/** What is published to it; several registries behind one slug; a cache of somebody else's registry. */
export const REGISTRY_KINDS = ["source", "composite", "proxy"] as const;
export type RegistryKind = (typeof REGISTRY_KINDS)[number];

export const VISIBILITIES = ["private", "public"] as const;
export type Visibility = (typeof VISIBILITIES)[number];

export interface RegistryPolicies {
  /** Files of a version may be replaced. Default false: what was published never changes. */
  readonly mutableFiles: boolean;
  /** Days in which what was deleted can be restored before its bytes are reclaimed. 0 to 365. */
  readonly restoreDays: number;
  /** Largest file that may be published, in bytes. */
  readonly maxFileBytes: number;
  /** A tag that exists never moves to another version, nor can it be deleted, unless an exception matches. */
  readonly immutableTags: boolean;
  /** Patterns of tags that move all the same, such as `latest` and `nightly-*`. */
  readonly mutableTags: readonly string[];
  /** Builds of a Maven snapshot that are kept, the newest ones. 0: all. */
  readonly snapshotBuilds: number;
  /** Days after which builds of a Maven snapshot go, except the newest. 0: never. */
  readonly snapshotDays: number;
}

export const DEFAULT_POLICIES: RegistryPolicies = {
  mutableFiles: false,
  restoreDays: 7,
  maxFileBytes: 5 * 1024 ** 4,
  immutableTags: false,
  mutableTags: [],
  snapshotBuilds: 0,
  snapshotDays: 0,
};

/** Whether a tag of this name may be moved and deleted once it exists. */
export function isTagMutable(policies: RegistryPolicies, tag: string): boolean {
  return (
    !policies.immutableTags || policies.mutableTags.some((pattern) => matchesPattern(pattern, tag))
  );
}

export interface Registry {
  /** Stands in keys instead of the slug, so that a slug used again never shows what was deleted under it. */
  readonly id: string;
  readonly slug: string;
  readonly ecosystem: EcosystemName;
  readonly kind: RegistryKind;
  readonly visibility: Visibility;
  readonly description: string;
  readonly emoji: string;
  /** `#rrggbb`, or empty. */
  readonly colour: string;
  readonly labels: readonly string[];
  readonly policies: RegistryPolicies;
  readonly routing: Routing;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/**
 * 1 to 63 of a-z, 0-9, dash and underscore, starting and ending with a letter or digit: safe as a path segment. Between
 * those come dashes or one or two underscores, as OCI clients want it of the components of a name.
 */
export const SLUG_PATTERN = /^(?=.{1,63}$)[a-z0-9]+(?:(?:__?|-+)[a-z0-9]+)*$/;
