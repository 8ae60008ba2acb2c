/** A package, or one file of it, that a lockfile names. */
export interface LockedPackage {
  readonly package: string;
  readonly version: string;
  /** One file of the version; absent: all of it, or those with one of `digests`. */
  readonly path?: string;
  /** What the bytes must turn out to be, as `sha512:<hex>`: one of each algorithm that stands here. Empty: not said. */
  readonly digests: readonly string[];
  /** Only files that are announced with one of the digests: the lockfile names sums and no files. */
  readonly byDigest?: boolean;
  /** Need not exist. */
  readonly optional?: boolean;
}

/** What a lockfile says. */
export interface Lockfile {
  readonly packages: readonly LockedPackage[];
  /** In words, what in it no registry has: files, repositories, what is not pinned. */
  readonly skipped: readonly string[];
}

/** What is in a lockfile that cannot be read as one. */
export class LockfileError extends Error {}

const INTEGRITY = /^(sha1|sha256|sha512)-([A-Za-z0-9+/=]+)/;

/** Digests of an integrity attribute: https://www.w3.org/TR/SRI/#grammardef-integrity-metadata. */
export function digestsOfIntegrity(integrity: unknown): readonly string[] {
  if (typeof integrity !== "string") return [];
  return integrity.split(/\s+/).flatMap((word) => {
    const [, algorithm, base64 = ""] = INTEGRITY.exec(word) ?? [];
    if (algorithm === undefined) return [];
    return [`${algorithm}:${Buffer.from(base64, "base64").toString("hex")}`];
  });
}

/** A package named twice is fetched once. */
export function distinct(packages: readonly LockedPackage[]): readonly LockedPackage[] {
  const byName = new Map<string, LockedPackage>();
  for (const one of packages) {
    const name = JSON.stringify([one.package, one.version, one.path ?? "", one.digests]);
    byName.set(name, one);
  }
  return [...byName.values()];
}
