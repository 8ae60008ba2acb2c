import type { Digests } from "../../domain/digest.ts";
import { FILE_DIGESTS } from "../../domain/digest.ts";
import {
  InvalidInputError,
  NotFoundError,
  RegistryError,
  UnavailableError,
  UnsupportedError,
} from "../../errors.ts";
import type { RegistryGrant } from "../access.ts";
import type { CatalogueReads } from "../catalogue.ts";
import type { Ecosystems, Stores } from "../stores.ts";
import type { ListedFile } from "./listing.ts";
import type { Views } from "./views.ts";

/** Items that are fetched at the same time. */
const AT_ONCE = 6;
/** Where nothing sets a limit, so that whoever watches hears something. */
const BUDGET_MS = 10_000;

/** What somebody will install. */
export interface Wanted {
  readonly packageName: string;
  readonly version: string;
  /** One file of the version; absent: all that are listed. */
  readonly path?: string;
  /** Only files that are announced with one of these, as `sha256:<hex>`; absent or empty: whatever they are. */
  readonly digests?: readonly string[];
}

/** A file that is here now. */
export interface FetchedFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly digests: Partial<Digests>;
  /** When it came here. Unix milliseconds. */
  readonly createdAtMs: number;
}

/**
 * Fetches all that belongs to a version, which may be named by a tag, as clients do; what was fetched, and what was
 * here. @throws as reads do.
 */
export type VersionFetcher = (
  grant: RegistryGrant,
  packageName: string,
  version: string,
) => AsyncIterable<FetchedFile>;

export const PREFETCH_STATUSES = ["cached", "fetched", "missing", "failed", "pending"] as const;

export interface Prefetched {
  /** `pending`: there was no time for it; ask again. */
  readonly status: (typeof PREFETCH_STATUSES)[number];
  /** What was wrong; empty when nothing was. */
  readonly detail: string;
  readonly files: readonly FetchedFile[];
}

/** Has proxies fetch what somebody will want, as if clients asked for it. */
export class Prefetch {
  readonly #stores: Stores;
  readonly #ecosystems: Ecosystems;
  readonly #catalogue: CatalogueReads;
  readonly #views: Views;
  readonly #budgetMs: number;

  /** `budgetMs`: after it nothing more is begun in a call. */
  constructor(
    stores: Stores,
    ecosystems: Ecosystems,
    catalogue: CatalogueReads,
    views: Views,
    budgetMs = BUDGET_MS,
  ) {
    this.#stores = stores;
    this.#ecosystems = ecosystems;
    this.#catalogue = catalogue;
    this.#views = views;
    this.#budgetMs = budgetMs;
  }

  /**
   * An outcome for each, in their order. The caller may do what a client's GET may do.
   *
   * @param fetchVersion - the ecosystem's own way. Absent: the files that a version's listing names.
   */
  async fetch(
    grant: RegistryGrant,
    wanted: readonly Wanted[],
    fetchVersion?: VersionFetcher,
  ): Promise<readonly Prefetched[]> {
    const startMs = this.#stores.now();
    const outcomes = new Map<Wanted, Prefetched>();
    const queue = wanted.values();
    const work = async (): Promise<void> => {
      for (const one of queue) {
        if (this.#stores.now() >= startMs + this.#budgetMs) return;
        outcomes.set(one, await this.#fetchOne(grant, one, startMs, fetchVersion));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return wanted.map((one) => outcomes.get(one) ?? PENDING);
  }

  async #fetchOne(
    grant: RegistryGrant,
    wanted: Wanted,
    startMs: number,
    fetchVersion: VersionFetcher | undefined,
  ): Promise<Prefetched> {
    const files: FetchedFile[] = [];
    try {
      const ecosystem = this.#ecosystems[grant.registry.ecosystem];
      const packageName = ecosystem.parsePackageName(wanted.packageName);
      if (!grant.may("packages:read", packageName)) throw new NotFoundError("package", packageName);
      const found =
        fetchVersion === undefined
          ? this.#files(grant, { ...wanted, packageName })
          : fetchVersion(grant, packageName, wanted.version);
      for await (const file of found) files.push(file);
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      // Somebody else is fetching it.
      if (error instanceof UnavailableError) return { ...PENDING, detail: error.message, files };
      return {
        status: error instanceof NotFoundError ? "missing" : "failed",
        detail: error.message,
        files,
      };
    }
    const isNew = files.some(({ createdAtMs }) => createdAtMs >= startMs);
    return { status: isNew ? "fetched" : "cached", detail: "", files };
  }

  async *#files(grant: RegistryGrant, wanted: Wanted): AsyncIterable<FetchedFile> {
    const { packageName } = wanted;
    const ecosystem = this.#ecosystems[grant.registry.ecosystem];
    const version = ecosystem.parseVersion(wanted.version);
    const paths =
      wanted.path === undefined
        ? await this.#listedPaths(grant, packageName, version, wanted.digests ?? [])
        : [wanted.path];
    for (const path of paths) yield await this.#file(grant, packageName, version, path);
  }

  async #file(
    grant: RegistryGrant,
    packageName: string,
    version: string,
    path: string,
  ): Promise<FetchedFile> {
    const first = await this.#catalogue.getFile(grant, packageName, version, path);
    if (first.arriving === undefined) return first.file;
    for await (const _ of first.arriving) {
      // It is stored while it is read.
    }
    const { file } = await this.#catalogue.getFile(grant, packageName, version, path);
    return file;
  }

  async #listedPaths(
    grant: RegistryGrant,
    packageName: string,
    version: string,
    digests: readonly string[],
  ): Promise<readonly string[]> {
    if (this.#ecosystems[grant.registry.ecosystem].listings === undefined) {
      throw new UnsupportedError(
        `Nothing lists the files of ${packageName} ${version}; name them one by one.`,
      );
    }
    const { versions } = await this.#views.listing(grant, packageName);
    const listed = versions.find((candidate) => candidate.version === version);
    if (listed === undefined) throw new NotFoundError("version", `${packageName} ${version}`);
    const files = listed.files.filter((file) => digests.length === 0 || hasOne(file, digests));
    if (files.length > 0) return files.map(({ path }) => path);
    if (listed.files.length === 0) {
      throw new InvalidInputError(
        `${packageName} ${version} does not say which files it has; name them one by one.`,
      );
    }
    throw new NotFoundError("file", `${packageName} ${version} with one of ${digests.length} sums`);
  }
}

const PENDING: Prefetched = { status: "pending", detail: "", files: [] };

const hasOne = ({ expected }: ListedFile, digests: readonly string[]): boolean =>
  FILE_DIGESTS.some((algorithm) => digests.includes(`${algorithm}:${expected[algorithm] ?? ""}`));
