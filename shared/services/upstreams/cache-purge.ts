import type { Package, Version } from "../../domain/package.ts";
import { ConfirmationRequiredError, InvalidInputError, UnsupportedError } from "../../errors.ts";
import type { Item, WriteOp } from "../../ports/table.ts";
import { removeBlobLinkOps, toBlobLink } from "../../records/blob-links.ts";
import { listFilesQuery, toFile } from "../../records/files.ts";
import { listPackagesQuery, packagePartition } from "../../records/packages.ts";
import { deleteTagOp, toTag } from "../../records/tags.ts";
import { putUpstreamCopyOp, toUpstreamCopy } from "../../records/upstream-copies.ts";
import {
  addToVersionOp,
  deleteVersionOps,
  listVersionsQuery,
  toVersion,
  versionKey,
} from "../../records/versions.ts";
import type { RegistryGrant } from "../access.ts";
import { recordOps } from "../audit.ts";
import type { BlobLinks } from "../blob-links.ts";
import { latestOf } from "../ecosystem.ts";
import type { CurrentPackage, PackageChange, PackageChanges } from "../package-changes.ts";
import { eachItem, queryAll, readVersions } from "../queries.ts";
import { referenceRemovals } from "../row-references.ts";
import type { Ecosystems, Stores } from "../stores.ts";
import { attempt, dropDocuments } from "./purged-rows.ts";
import type { UpstreamDirectory } from "./upstream-directory.ts";

/** Rows of files removed at a time: each costs two operations of a transaction's hundred, and their versions up to two. */
const FILES_A_TRANSACTION = 30;
const PACKAGES_A_CALL = 100;
/** Beyond this nobody counts how many packages are left. */
const MAX_COUNTED = 10_000;
/** Where nothing sets a limit, so that whoever watches hears something. */
const BUDGET_MS = 10_000;

/** What of a proxy's copies goes: all, those of a package, or the files of one version. */
export interface Purge {
  readonly packageName?: string;
  readonly version?: string;
  /** Only documents: they stay, and are held against the upstream's when they are asked for next. */
  readonly documents: boolean;
  /** The slug, typed by whoever means everything. */
  readonly confirm?: string;
  /** Of the answer before. */
  readonly cursor?: string;
}

export interface Purged {
  readonly packages: number;
  readonly versions: number;
  readonly files: number;
  /** Of the upstream, forgotten or marked. */
  readonly documents: number;
  readonly sizeBytes: number;
  /** Packages that are still to be looked at; 10,000 stands for more. */
  readonly remaining: number;
  /** Where to go on; `undefined` when all is done. */
  readonly cursor: string | undefined;
}

type Counts = { -readonly [Name in "versions" | "files" | "documents" | "sizeBytes"]: number };

/** Takes copies out of proxies, so that they are fetched anew. Their bytes are free for the collector then. */
export class CachePurge {
  readonly #stores: Stores;
  readonly #ecosystems: Ecosystems;
  readonly #upstreams: UpstreamDirectory;
  readonly #changes: PackageChanges;
  readonly #links: BlobLinks;
  readonly #budgetMs: number;

  /** `budgetMs`: how long one call may go on. */
  constructor(
    stores: Stores,
    ecosystems: Ecosystems,
    upstreams: UpstreamDirectory,
    changes: PackageChanges,
    links: BlobLinks,
    budgetMs = BUDGET_MS,
  ) {
    this.#stores = stores;
    this.#ecosystems = ecosystems;
    this.#upstreams = upstreams;
    this.#changes = changes;
    this.#links = links;
    this.#budgetMs = budgetMs;
  }

  /**
   * Purges as far as one call may go; with the cursor of its answer the next one goes on. A file that is being fetched
   * meanwhile is kept whole or not at all. Copies of packages that the caller may not delete stay.
   *
   * @throws {UnsupportedError} for what is no proxy, {@link ConfirmationRequiredError} for everything without its slug,
   *   {@link InvalidInputError}, and as {@link RegistryGrant.require}.
   */
  async purge(grant: RegistryGrant, purge: Purge): Promise<Purged> {
    requireProxy(grant);
    const { packageName, version, documents } = purge;
    grant.require("packages:delete", packageName);
    if (version !== undefined && (packageName === undefined || documents)) {
      throw new InvalidInputError(
        "A version goes with its package, and has no documents of its own: documents describe all versions of a package.",
        [
          {
            at: "/version",
            problem: packageName === undefined ? "needs a package" : "no documents",
          },
        ],
      );
    }
    const endsAtMs = this.#stores.now() + this.#budgetMs;
    return packageName === undefined
      ? this.#purgeAll(grant, purge, endsAtMs)
      : this.#purgeOne(grant, { ...purge, packageName }, endsAtMs);
  }

  async #purgeOne(
    grant: RegistryGrant,
    purge: Purge & { readonly packageName: string },
    endsAtMs: number,
  ): Promise<Purged> {
    const { slug, ecosystem, routing } = grant.registry;
    const upstream = await this.#upstreams.find(routing.proxyOf);
    const { cachedAs } = this.#ecosystems[ecosystem];
    const packageName =
      upstream === undefined || cachedAs === undefined
        ? purge.packageName
        : cachedAs(upstream, purge.packageName);
    const counts = noCounts();
    const { version = "", documents } = purge;
    const isThere = await this.#hasCopies(grant, packageName);
    if (isThere) {
      const detail = documents ? "documents" : "";
      const happening = { registry: slug, package: packageName, version, detail };
      await this.#record(grant, happening);
      const isDone = await this.#purgePackage(grant, { ...purge, packageName }, counts, endsAtMs);
      if (!isDone) return { ...counts, packages: 0, remaining: 1, cursor: encodeCursor("") };
    }
    return { ...counts, packages: isThere ? 1 : 0, remaining: 0, cursor: undefined };
  }

  async #purgeAll(grant: RegistryGrant, purge: Purge, endsAtMs: number): Promise<Purged> {
    const { slug, id } = grant.registry;
    if (!purge.documents && purge.confirm !== slug) {
      throw new ConfirmationRequiredError(
        `This removes everything that the proxy "${slug}" has cached; while its upstream does not answer, nothing can be installed from it then. Confirm by sending its name: "confirm": "${slug}".`,
      );
    }
    let after = purge.cursor === undefined ? "" : decodeCursor(purge.cursor);
    const { table } = this.#stores;
    const { items } = await table.query(listPackagesQuery(id, { limit: PACKAGES_A_CALL, after }));
    const counts = noCounts();
    let packages = 0;
    if (items.length > 0) {
      const detail = purge.documents ? "documents" : "everything";
      await this.#record(grant, { registry: slug, package: "", version: "", detail });
    }
    let isOver = false;
    for (const { key } of items) {
      const packageName = key.sk;
      if (grant.may("packages:delete", packageName)) {
        isOver = !(await this.#purgePackage(grant, { ...purge, packageName }, counts, endsAtMs));
        if (isOver) break;
        packages++;
      }
      after = packageName;
      isOver = this.#stores.now() >= endsAtMs;
      if (isOver) break;
    }
    const mayBeMore = isOver || items.length === PACKAGES_A_CALL;
    const remaining = mayBeMore ? await this.#countAfter(id, after) : 0;
    return {
      ...counts,
      packages,
      remaining,
      cursor: remaining > 0 ? encodeCursor(after) : undefined,
    };
  }

  /** Whether all of it is done. */
  async #purgePackage(
    grant: RegistryGrant,
    purge: Purge & { readonly packageName: string },
    counts: Counts,
    endsAtMs: number,
  ): Promise<boolean> {
    const { packageName, version, documents } = purge;
    if (documents) {
      counts.documents += await this.#markDocuments(grant, packageName);
      return true;
    }
    // However short the time is, each call gets some way.
    while (await this.#purgeSomeFiles(grant, packageName, version, counts)) {
      if (this.#stores.now() >= endsAtMs) return false;
    }
    if (version !== undefined) return true;
    const place = { registryId: grant.registry.id, packageName };
    await this.#dropImageRows(grant, packageName);
    counts.documents += await dropDocuments(this.#stores.table, place);
    return true;
  }

  /** Has all copies of a package's documents revalidated. What was marked before is not counted again. */
  async #markDocuments({ registry }: RegistryGrant, packageName: string): Promise<number> {
    const { table } = this.#stores;
    const pk = packagePartition(registry.id, packageName);
    const items = await queryAll(table, (page) => ({ pk, range: { prefix: "U#" }, ...page }));
    let count = 0;
    for (const item of items) {
      const copy = toUpstreamCopy(item);
      if (copy.checkedAtMs === 0) continue;
      const marked = { ...copy, checkedAtMs: 0 };
      // Whoever changed it meanwhile has just asked the upstream.
      if (await attempt(table, [putUpstreamCopyOp(registry.id, packageName, marked, copy)]))
        count++;
    }
    return count;
  }

  /** Files of one version, and the version with its last ones, in one transaction. Gives false when there is nothing left. */
  async #purgeSomeFiles(
    grant: RegistryGrant,
    packageName: string,
    version: string | undefined,
    counts: Counts,
  ): Promise<boolean> {
    const found = await this.#findVersion(grant, packageName, version);
    if (found === undefined) return false;
    // Before the version goes, because nobody would find them afterwards; the sweeper looks again who uses them.
    await this.#links.release(found);
    let gone: readonly Item[] = [];
    let isWhole = false;
    const applied = await this.#changes.apply(
      grant,
      packageName,
      async (current) => {
        const { table } = this.#stores;
        const { registryId } = found;
        const key = versionKey(registryId, packageName, found.version);
        const item = await table.get(key);
        if (item === undefined || current.package === undefined) return undefined;
        const page = await table.query(
          listFilesQuery(registryId, packageName, found.version, { limit: FILES_A_TRANSACTION }),
        );
        gone = page.items;
        isWhole = page.cursor === undefined;
        return isWhole
          ? this.#withoutVersion(grant, current, current.package, toVersion(item), gone)
          : withoutFiles(current, current.package, found, gone);
      },
      // Tags that point at what goes must go with it.
      { withTags: true },
    );
    if (applied === undefined) return version === undefined;
    counts.files += gone.length;
    counts.sizeBytes += sumOf(gone);
    if (isWhole) counts.versions++;
    return !isWhole || version === undefined;
  }

  async #findVersion(
    { registry }: RegistryGrant,
    packageName: string,
    version: string | undefined,
  ): Promise<Version | undefined> {
    const { table } = this.#stores;
    if (version !== undefined) {
      const item = await table.get(versionKey(registry.id, packageName, version));
      return item === undefined ? undefined : toVersion(item);
    }
    const page = await table.query(listVersionsQuery(registry.id, packageName, { limit: 1 }));
    return page.items.map(toVersion)[0];
  }

  async #withoutVersion(
    grant: RegistryGrant,
    current: CurrentPackage,
    pkg: Package,
    version: Version,
    files: readonly Item[],
  ): Promise<PackageChange> {
    const { id, ecosystem } = grant.registry;
    const isLast = pkg.versionCount <= 1;
    const left =
      isLast || pkg.latestVersion !== version.version
        ? []
        : await readVersions(this.#stores.table, id, pkg.name);
    const latestVersion = left
      .filter((other) => other.version !== version.version)
      .reduce((best, other) => latestOf(this.#ecosystems[ecosystem], best, other.version), "");
    const doomed = current.tags.filter((tag) => tag.version === version.version);
    return {
      package: {
        ...pkg,
        state: isLast ? "deleted" : "active",
        versionCount: Math.max(0, pkg.versionCount - 1),
        latestVersion: isLast ? "" : latestVersion || pkg.latestVersion,
        updatedAtMs: this.#stores.now(),
      },
      tags: current.tags.filter((tag) => !doomed.includes(tag)),
      ops: [
        ...deleteVersionOps(version),
        ...files.flatMap(fileRemovals),
        // Others point at what has to be fetched again; that is all.
        ...doomed.slice(0, 20).map(({ name }) => deleteTagOp(id, pkg.name, name)),
      ],
      documents: { kind: "keep" },
      audit: [],
    };
  }

  /** What images have besides manifests: tags, links to layers, and who refers to whom. */
  async #dropImageRows({ registry }: RegistryGrant, packageName: string): Promise<void> {
    const { table } = this.#stores;
    const pk = packagePartition(registry.id, packageName);
    const rows = (prefix: string): AsyncIterable<Item> =>
      eachItem(table, (page) => ({ pk, range: { prefix }, ...page }));
    for await (const item of rows("L#")) await attempt(table, removeBlobLinkOps(toBlobLink(item)));
    for await (const item of rows("X#")) await table.write([{ op: "delete", key: item.key }]);
    for await (const item of rows("T#")) {
      await table.write([deleteTagOp(registry.id, packageName, toTag(item).name)]);
    }
  }

  async #hasCopies({ registry }: RegistryGrant, packageName: string): Promise<boolean> {
    const pk = packagePartition(registry.id, packageName);
    for (const prefix of ["V#", "U#", "D#", "L#"]) {
      const page = await this.#stores.table.query({ pk, range: { prefix }, limit: 1 });
      if (page.items.length > 0) return true;
    }
    return false;
  }

  /** Up to {@link MAX_COUNTED}. */
  async #countAfter(registryId: string, after: string): Promise<number> {
    let count = 0;
    for await (const _ of eachItem(this.#stores.table, (page) =>
      listPackagesQuery(registryId, { ...page, after }),
    )) {
      count++;
      if (count >= MAX_COUNTED) break;
    }
    return count;
  }

  async #record(
    { registry, caller }: RegistryGrant,
    happening: {
      readonly registry: string;
      readonly package: string;
      readonly version: string;
      readonly detail: string;
    },
  ): Promise<void> {
    const entry = { ...happening, action: "package.purge" as const };
    await this.#stores.table.write([...recordOps(caller, entry, registry.id, this.#stores.now())]);
  }
}

function requireProxy({ registry: { slug, kind, routing } }: RegistryGrant): void {
  if (kind === "proxy") return;
  throw new UnsupportedError(
    kind === "source"
      ? `Registry "${slug}" is no proxy: what is in it was published here. Delete packages instead.`
      : `Registry "${slug}" is a composite and keeps no copies. Purge the proxies behind it; of ${routing.upstreams.join(", ") || "none"} those that are.`,
  );
}

const withoutFiles = (
  { tags }: CurrentPackage,
  pkg: Package,
  version: Version,
  files: readonly Item[],
): PackageChange => ({
  package: pkg,
  tags,
  ops: [addToVersionOp(version, -files.length, -sumOf(files)), ...files.flatMap(fileRemovals)],
  documents: { kind: "keep" },
  audit: [],
});

const fileRemovals = (item: Item): readonly WriteOp[] => [
  { op: "delete", key: item.key },
  ...referenceRemovals(item),
];

const sumOf = (files: readonly Item[]): number =>
  files.reduce((sum, item) => sum + toFile(item).sizeBytes, 0);

const noCounts = (): Counts => ({ versions: 0, files: 0, documents: 0, sizeBytes: 0 });

/** Never empty, as a name before the first one would be. */
const encodeCursor = (after: string): string => Buffer.from(`>${after}`).toString("base64url");

function decodeCursor(cursor: string): string {
  const text = Buffer.from(cursor, "base64url").toString("utf8");
  if (text.startsWith(">")) return text.slice(1);
  throw new InvalidInputError("The cursor is not one of this purge.", [
    { at: "/cursor", problem: "not a cursor" },
  ]);
}
