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
import type { CatalogueReads } from "../catalogue.ts";
import { latestOf } from "../ecosystem.ts";
import type { Ecosystems } from "../stores.ts";
import type { MergedListing, MergedVersion } from "./listing.ts";
import type { Leaves } from "./routes.ts";
import { pageOfVersions, StoredUnion } from "./stored-union.ts";
import { ViewPackages } from "./view-packages.ts";
import type { Views } from "./views.ts";

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
  readonly #packages: ViewPackages;

  constructor(ecosystems: Ecosystems, leaves: Leaves, views: Views, stored: CatalogueReads) {
    this.#ecosystems = ecosystems;
    this.#leaves = leaves;
    this.#views = views;
    this.#stored = stored;
    this.#packages = new ViewPackages(leaves, stored);
  }

  readonly findDocument: CatalogueReads["findDocument"] = (grant, ...rest) =>
    this.#views.findDocument(grant, ...rest);

  readonly listPackages: CatalogueReads["listPackages"] = (grant, options) =>
    this.#packages.list(grant, options);

  readonly search: CatalogueReads["search"] = (grant, query) => this.#packages.search(grant, query);

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
    return leaf === undefined ? undefined : grant.through(leaf.registry);
  }

  /** Grants of the registries that are asked for a name, in their order. */
  async #asked(grant: RegistryGrant, packageName: string): Promise<readonly RegistryGrant[]> {
    const routes = await this.#views.routes(grant.registry, packageName);
    return routes
      .filter(({ refusal }) => refusal === "")
      .map(({ leaf }) => grant.through(leaf.registry));
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
