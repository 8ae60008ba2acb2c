import type { Package, Version } from "../../domain/package.ts";
import type { Item, WriteOp } from "../../ports/table.ts";
import { removeBlobLinkOps, toBlobLink } from "../../records/blob-links.ts";
import { listFilesQuery, toFile } from "../../records/files.ts";
import { packagePartition } from "../../records/packages.ts";
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
import { tryWrite } from "../conditional-write.ts";
import type { BlobLinks } from "../blob-links.ts";
import { latestOf } from "../ecosystem.ts";
import type { CurrentPackage, PackageChange, PackageChanges } from "../package-changes.ts";
import { eachItem, queryAll, readVersions } from "../queries.ts";
import { referenceRemovals } from "../row-references.ts";
import type { Ecosystems, Stores } from "../stores.ts";
import { dropDocuments } from "./purged-rows.ts";

/** Rows of files removed at a time: each costs two operations of a transaction's hundred, and their version more. */
const FILES_A_TRANSACTION = 30;
/** Tags that go with what they point at; others point at what has to be fetched again, which is all. */
const MAX_TAGS = 20;

/** What went. */
export type Counts = {
  -readonly [Name in "versions" | "files" | "documents" | "sizeBytes"]: number;
};

/** What of one package goes. */
export interface PackagePurge {
  readonly packageName: string;
  /** Only files of this version. */
  readonly version?: string;
  /** Documents are marked, and nothing goes. */
  readonly documents: boolean;
}

/** Takes the copies of one package out of a proxy. */
export class PackagePurger {
  readonly #stores: Stores;
  readonly #ecosystems: Ecosystems;
  readonly #changes: PackageChanges;
  readonly #links: BlobLinks;

  constructor(stores: Stores, ecosystems: Ecosystems, changes: PackageChanges, links: BlobLinks) {
    this.#stores = stores;
    this.#ecosystems = ecosystems;
    this.#changes = changes;
    this.#links = links;
  }

  /** Adds to `counts` what went; gives false when the time is over before all is done. */
  async purge(
    grant: RegistryGrant,
    purge: PackagePurge,
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
    await this.#dropImageRows(grant, packageName);
    counts.documents += await dropDocuments(this.#stores.table, grant.registry.id, packageName);
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
      if (await tryWrite(table, [putUpstreamCopyOp(registry.id, packageName, marked, copy)]))
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
        ...doomed.slice(0, MAX_TAGS).map(({ name }) => deleteTagOp(id, pkg.name, name)),
      ],
      documents: { kind: "keep" },
      // Only by the list are its other rows found, and what is fetched at this moment.
      staysListed: true,
      audit: [],
    };
  }

  /** What images have besides manifests: tags, links to layers, and who refers to whom. */
  async #dropImageRows({ registry }: RegistryGrant, packageName: string): Promise<void> {
    const { table } = this.#stores;
    const pk = packagePartition(registry.id, packageName);
    const rows = (prefix: string): AsyncIterable<Item> =>
      eachItem(table, (page) => ({ pk, range: { prefix }, ...page }));
    for await (const item of rows("L#")) await tryWrite(table, removeBlobLinkOps(toBlobLink(item)));
    for await (const item of rows("X#")) await table.write([{ op: "delete", key: item.key }]);
    for await (const item of rows("T#")) {
      await table.write([deleteTagOp(registry.id, packageName, toTag(item).name)]);
    }
  }
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
