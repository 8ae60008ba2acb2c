import { NotFoundError } from "../../errors.ts";
import {
  isAvailable,
  type Package,
  type PackageFile,
  type Tag,
  type Version,
} from "../../domain/package.ts";
import type { Registry } from "../../domain/registry.ts";
import type { PageOf, PageOptions } from "../../records/pages.ts";
import type { RegistryGrant } from "../access.ts";
import type { CatalogueReads, ListOptions } from "../catalogue.ts";
import { latestOf } from "../ecosystem.ts";
import type { Ecosystems } from "../stores.ts";
import type { MergedListing, MergedVersion } from "./listing.ts";
import { type Leaf, type Leaves, routesFor } from "./routes.ts";
import { decodeCursor, encodeCursor, pageOfVersions, StoredUnion } from "./stored-union.ts";
import type { Views } from "./views.ts";

/** Names that are passed over in one query. */
const SKIPPED_AT_ONCE = 100;

/**
 * What composites and proxies show: packages as their merged listings say; names, files and downloads as the
 * registries behind them have them stored. In ecosystems without listings all is
 * as it is stored.
 */
export class ViewCatalogue implements CatalogueReads {
  readonly #ecosystems: Ecosystems;
  readonly #leaves: Leaves;
  readonly #views: Views;
  readonly #stored: CatalogueReads;

  constructor(ecosystems: Ecosystems, leaves: Leaves, views: Views, stored: CatalogueReads) {
    this.#ecosystems = ecosystems;
    this.#leaves = leaves;
    this.#views = views;
    this.#stored = stored;
  }

  readonly findDocument: CatalogueReads["findDocument"] = (grant, ...rest) =>
    this.#views.findDocument(grant, ...rest);

  readonly getFile: CatalogueReads["getFile"] = (grant, ...rest) =>
    this.#views.getFile(grant, ...rest);

  async findPackage(grant: RegistryGrant, packageName: string): Promise<Package | undefined> {
    const pkg = await this.findAnyPackage(grant, packageName);
    return pkg?.state === "active" ? pkg : undefined;
  }

  async findAnyPackage(grant: RegistryGrant, packageName: string): Promise<Package | undefined> {
    if (!this.#hasListings(grant)) {
      return (await this.#union(grant, packageName)).findPackage(packageName);
    }
    const listing = await this.#views.listing(grant, packageName);
    return listing.versions.length === 0
      ? undefined
      : this.#toPackage(grant.registry, packageName, listing);
  }

  async findAnyVersion(
    grant: RegistryGrant,
    packageName: string,
    version: string,
  ): Promise<Version | undefined> {
    const [found] = await this.findVersions(grant, packageName, [version]);
    return found;
  }

  async findVersions(
    grant: RegistryGrant,
    packageName: string,
    versions: readonly string[],
  ): Promise<readonly Version[]> {
    if (!this.#hasListings(grant)) {
      return (await this.#union(grant, packageName)).findVersions(packageName, versions);
    }
    const listing = await this.#views.listing(grant, packageName);
    return versions.flatMap((version) => {
      const position = listing.versions.findIndex((listed) => listed.version === version);
      const listed = listing.versions[position];
      return listed === undefined
        ? []
        : [toVersion(grant.registry, packageName, listed, position + 1)];
    });
  }

  async getVersion(grant: RegistryGrant, packageName: string, version: string): Promise<Version> {
    const found = await this.findAnyVersion(grant, packageName, version);
    if (found === undefined || !isAvailable(found)) throw new NotFoundError("version", version);
    return found;
  }

  async findTag(
    grant: RegistryGrant,
    packageName: string,
    tag: string,
  ): Promise<string | undefined> {
    const tags = await this.listTags(grant, packageName);
    return tags.find(({ name }) => name === tag)?.version;
  }

  async listTags(grant: RegistryGrant, packageName: string): Promise<readonly Tag[]> {
    if (!this.#hasListings(grant)) {
      return (await this.#union(grant, packageName)).listTags(packageName);
    }
    const { tags, versions } = await this.#views.listing(grant, packageName);
    return Object.entries(tags)
      .map(([name, version]) => {
        const listed = versions.find((candidate) => candidate.version === version);
        return { name, version, updatedAtMs: listed?.publishedAtMs ?? 0 };
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async findFile(
    grant: RegistryGrant,
    packageName: string,
    version: string,
    path: string,
  ): Promise<PackageFile | undefined> {
    const owner = await this.#ownerOf(grant, packageName, version);
    return owner === undefined
      ? undefined
      : this.#stored.findFile(owner, packageName, version, path);
  }

  /** A name stands once, as the first registry has it that is asked for it. */
  async listPackages(grant: RegistryGrant, options: ListOptions): Promise<PageOf<Package>> {
    const { limit, cursor, prefix } = options;
    const after = cursor === undefined ? options.after : decodeCursor(cursor);
    const leaves = await this.#leaves.of(grant.registry);
    const page = {
      limit,
      ...(prefix === undefined ? {} : { prefix }),
      ...(after === undefined ? {} : { after }),
    };
    const pages = await Promise.all(
      leaves.map((leaf) => this.#packagesOf(through(grant, leaf), page)),
    );
    const packages = new Map<string, (Package | undefined)[]>();
    for (const [position, { items }] of pages.entries()) {
      for (const pkg of items) {
        const there = packages.get(pkg.name) ?? leaves.map(() => undefined);
        there[position] = pkg;
        packages.set(pkg.name, there);
      }
    }
    // Beyond the shortest unfinished page other names may be missing.
    const ends = pages.flatMap(({ items, cursor: more }) =>
      more === undefined ? [] : [items.at(-1)?.name ?? ""],
    );
    const end = ends.reduce<string | undefined>(
      (first, name) => (first === undefined || name < first ? name : first),
      undefined,
    );
    const names = [...packages.keys()]
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      .filter((name) => end === undefined || name <= end);
    const shown = names.slice(0, limit);
    const items = shown.flatMap((name) => {
      const there = packages.get(name) ?? [];
      const pkg = firstAsked(leaves, name, there);
      return pkg === undefined ? [] : [pkg];
    });
    const last = shown.at(-1);
    const isLast = end === undefined && shown.length === names.length;
    return isLast || last === undefined ? { items } : { items, cursor: encodeCursor(last) };
  }

  /** A page that is empty only at the end: a proxy has names of which it has fetched nothing but documents. */
  async #packagesOf(leaf: RegistryGrant, options: ListOptions): Promise<PageOf<Package>> {
    let page = await this.#stored.listPackages(leaf, options);
    while (page.items.length === 0 && page.cursor !== undefined) {
      const { cursor } = page;
      page = await this.#stored.listPackages(leaf, { ...options, limit: SKIPPED_AT_ONCE, cursor });
    }
    return page;
  }

  async search(grant: RegistryGrant, query: string): Promise<readonly Package[]> {
    const leaves = await this.#leaves.of(grant.registry);
    const found = await Promise.all(
      leaves.map((leaf) => this.#stored.search(through(grant, leaf), query)),
    );
    const names = new Set(found.flatMap((packages) => packages.map(({ name }) => name)));
    return [...names].flatMap((name) => {
      const there = found.map((packages) => packages.find((pkg) => pkg.name === name));
      const pkg = firstAsked(leaves, name, there);
      return pkg === undefined ? [] : [pkg];
    });
  }

  async listVersions(
    grant: RegistryGrant,
    packageName: string,
    options: PageOptions & { readonly prefix?: string },
  ): Promise<PageOf<Version>> {
    if (!this.#hasListings(grant)) {
      return (await this.#union(grant, packageName)).listVersions(packageName, options);
    }
    const { versions } = await this.#views.listing(grant, packageName);
    const all = versions.map((listed, position) =>
      toVersion(grant.registry, packageName, listed, position + 1),
    );
    return pageOfVersions(all, options);
  }

  async listFiles(
    grant: RegistryGrant,
    packageName: string,
    version: string,
    options: PageOptions & { readonly prefix?: string },
  ): Promise<PageOf<PackageFile>> {
    const owner = await this.#ownerOf(grant, packageName, version);
    return owner === undefined
      ? { items: [] }
      : this.#stored.listFiles(owner, packageName, version, options);
  }

  /** Of each version where it is from: files are counted there, whoever asks for them. */
  async downloads(
    grant: RegistryGrant,
    packageName: string,
    versions: readonly string[],
  ): Promise<readonly number[]> {
    const leaves = await this.#asked(grant, packageName);
    const counts = await Promise.all(
      leaves.map((leaf) => this.#stored.downloads(leaf, packageName, versions)),
    );
    return versions.map((_, position) =>
      counts.reduce((sum, leaf) => sum + (leaf[position] ?? 0), 0),
    );
  }

  /** The registry that a version is from. */
  async #ownerOf(
    grant: RegistryGrant,
    packageName: string,
    version: string,
  ): Promise<RegistryGrant | undefined> {
    const found = await this.findAnyVersion(grant, packageName, version);
    const leaves = await this.#leaves.of(grant.registry);
    const leaf = leaves.find(({ registry }) => registry.slug === found?.origin);
    return leaf === undefined ? undefined : through(grant, leaf);
  }

  /** Grants of the registries that are asked for a name, in their order. */
  async #asked(grant: RegistryGrant, packageName: string): Promise<readonly RegistryGrant[]> {
    const routes = await this.#views.routes(grant.registry, packageName);
    return routes.filter(({ refusal }) => refusal === "").map(({ leaf }) => through(grant, leaf));
  }

  async #union(grant: RegistryGrant, packageName: string): Promise<StoredUnion> {
    const ecosystem = this.#ecosystems[grant.registry.ecosystem];
    return new StoredUnion(this.#stored, ecosystem, await this.#asked(grant, packageName));
  }

  #hasListings({ registry }: RegistryGrant): boolean {
    return this.#ecosystems[registry.ecosystem].listings !== undefined;
  }

  #toPackage(registry: Registry, name: string, { versions, tags, about }: MergedListing): Package {
    const ecosystem = this.#ecosystems[registry.ecosystem];
    const times = versions.map(({ publishedAtMs }) => publishedAtMs).filter((time) => time > 0);
    const { description, keywords } = about;
    return {
      registryId: registry.id,
      name,
      state: "active",
      revision: 0,
      description: typeof description === "string" ? description : "",
      keywords: Array.isArray(keywords)
        ? keywords.filter((word): word is string => typeof word === "string")
        : [],
      latestVersion:
        tags["latest"] ??
        versions.reduce((best, { version }) => latestOf(ecosystem, best, version), ""),
      versionCount: versions.length,
      // Where nothing has a time: since there is this way to it.
      createdAtMs: times.length === 0 ? registry.createdAtMs : Math.min(...times),
      updatedAtMs: times.length === 0 ? registry.createdAtMs : Math.max(...times),
    };
  }
}

function toVersion(
  registry: Registry,
  packageName: string,
  listed: MergedVersion,
  sequence: number,
): Version {
  const { version, publishedAtMs, entry, files, origin, deprecation = "" } = listed;
  return {
    registryId: registry.id,
    packageName,
    version,
    state: deprecation === "" ? "published" : "deprecated",
    deprecation,
    sequence,
    publishedAtMs,
    publishedBy: origin,
    publishRun: "",
    sizeBytes: 0,
    fileCount: files.length,
    metadata: entry,
    deletedAtMs: 0,
    restoreUntilMs: 0,
    origin,
  };
}

/** Who may read the composite may read what is behind it. */
const through = (grant: RegistryGrant, { registry }: Leaf): RegistryGrant =>
  grant.through(registry);

/** Of what each leaf has of a name, that of the first one that is asked for it. */
function firstAsked(
  leaves: readonly Leaf[],
  name: string,
  there: readonly (Package | undefined)[],
): Package | undefined {
  const owned = leaves.some(
    ({ upstream }, position) => upstream === undefined && there[position] !== undefined,
  );
  const routes = routesFor(leaves, name, owned);
  return there.find((pkg, position) => pkg !== undefined && routes[position]?.refusal === "");
}
