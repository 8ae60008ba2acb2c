/** Ecosystems that this build speaks, each with a folder of the same name under `functions/`. */
export const ECOSYSTEMS = ["generic", "npm"] as const;
export type EcosystemName = (typeof ECOSYSTEMS)[number];

/** Composite (several upstreams behind one slug) and proxy (a cache of one upstream) are still to come. */
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
}

export const DEFAULT_POLICIES: RegistryPolicies = {
  mutableFiles: false,
  restoreDays: 7,
  maxFileBytes: 5 * 1024 ** 4,
};

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
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** 1 to 63 of a-z, 0-9, dash and underscore, starting and ending with a letter or digit: safe as a path segment and OCI name. */
export const SLUG_PATTERN = /^[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?$/;
