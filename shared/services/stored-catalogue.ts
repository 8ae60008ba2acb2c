import { ForbiddenError, NotFoundError } from "../errors.ts";
import { isDefined } from "../domain/defined.ts";
import {
  isAvailable,
  isQuarantined,
  type Package,
  type PackageFile,
  type Tag,
  type Version,
} from "../domain/package.ts";
import { number, text } from "../records/attributes.ts";
import { documentKey, type StoredDocument, toDocument } from "../records/documents.ts";
import { downloadsKey } from "../records/downloads.ts";
import { fileKey, listFilesQuery, toFile } from "../records/files.ts";
import { listPackagesQuery, packageKey, toPackage } from "../records/packages.ts";
import { mapPage, type PageOf, type PageOptions } from "../records/pages.ts";
import { listTagsQuery, tagKey, toTag } from "../records/tags.ts";
import {
  isAvailableRow,
  listVersionsQuery,
  newestVersionsQuery,
  toVersion,
  versionKey,
} from "../records/versions.ts";
import type { RegistryGrant } from "./access.ts";
import type { AvailableFile, CatalogueReads, ListOptions } from "./catalogue.ts";
import { queryAll } from "./queries.ts";
import { searchPackages } from "./search.ts";
import type { Ecosystems, Stores } from "./stores.ts";

/** What is published to source registries, and what proxies hold of their upstreams. */
export class StoredCatalogue implements CatalogueReads {
  readonly #stores: Stores;
  readonly #ecosystems: Ecosystems;

  constructor(stores: Stores, ecosystems: Ecosystems) {
    this.#stores = stores;
    this.#ecosystems = ecosystems;
  }

  async findDocument(
    grant: RegistryGrant,
    packageName: string,
    kind: string,
  ): Promise<StoredDocument | undefined> {
    const item = await this.#stores.table.get(documentKey(grant.registry.id, packageName, kind));
    return item === undefined ? undefined : toDocument(item);
  }

  async findPackage(grant: RegistryGrant, packageName: string): Promise<Package | undefined> {
    const item = await this.#stores.table.get(packageKey(grant.registry.id, packageName));
    const pkg = item === undefined ? undefined : toPackage(item);
    return pkg?.state === "active" ? pkg : undefined;
  }

  async findAnyPackage(grant: RegistryGrant, packageName: string): Promise<Package | undefined> {
    const item = await this.#stores.table.get(packageKey(grant.registry.id, packageName));
    return item === undefined ? undefined : toPackage(item);
  }

  async findAnyVersion(
    grant: RegistryGrant,
    packageName: string,
    version: string,
  ): Promise<Version | undefined> {
    const item = await this.#stores.table.get(versionKey(grant.registry.id, packageName, version));
    return item === undefined ? undefined : toVersion(item);
  }

  async findVersions(
    grant: RegistryGrant,
    packageName: string,
    versions: readonly string[],
  ): Promise<readonly Version[]> {
    const items = await this.#stores.table.getMany(
      versions.map((version) => versionKey(grant.registry.id, packageName, version)),
    );
    return items.filter(isDefined).map(toVersion);
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
    const item = await this.#stores.table.get(tagKey(grant.registry.id, packageName, tag));
    return item === undefined ? undefined : toTag(item).version;
  }

  async listTags(grant: RegistryGrant, packageName: string): Promise<readonly Tag[]> {
    const items = await queryAll(this.#stores.table, (page) =>
      listTagsQuery(grant.registry.id, packageName, page),
    );
    return items.map(toTag);
  }

  async getFile(
    grant: RegistryGrant,
    packageName: string,
    version: string,
    path: string,
  ): Promise<AvailableFile> {
    const { id: registryId, ecosystem } = grant.registry;
    const { hasStanding } = this.#ecosystems[ecosystem];
    const [fileItem, versionItem, packageItem] = await this.#stores.table.getMany([
      fileKey(registryId, packageName, version, path),
      versionKey(registryId, packageName, version),
      ...(hasStanding === true ? [packageKey(registryId, packageName)] : []),
    ]);
    if (packageItem !== undefined) requireOffered(toPackage(packageItem));
    const isThere = versionItem !== undefined && isAvailableRow(versionItem);
    if (fileItem === undefined || !isThere) throw new NotFoundError("file", path);
    return { file: toFile(fileItem), version: () => toVersion(versionItem) };
  }

  async findFile(
    grant: RegistryGrant,
    packageName: string,
    version: string,
    path: string,
  ): Promise<PackageFile | undefined> {
    const key = fileKey(grant.registry.id, packageName, version, path);
    const item = await this.#stores.table.get(key);
    return item === undefined ? undefined : toFile(item);
  }

  async listPackages(grant: RegistryGrant, options: ListOptions): Promise<PageOf<Package>> {
    const { table } = this.#stores;
    const page = await table.query(listPackagesQuery(grant.registry.id, options));
    const names = page.items
      .map((item) => item.key.sk)
      .filter((name) => grant.may("packages:read", name));
    const items = (await table.getMany(names.map((name) => packageKey(grant.registry.id, name))))
      .filter(isDefined)
      .map(toPackage)
      .filter(({ state }) => state === "active");
    return page.cursor === undefined ? { items } : { items, cursor: page.cursor };
  }

  async search(grant: RegistryGrant, query: string): Promise<readonly Package[]> {
    const found = await searchPackages(this.#stores.table, grant.registry.id, query);
    return found.filter((pkg) => grant.may("packages:read", pkg.name));
  }

  async listVersions(
    grant: RegistryGrant,
    packageName: string,
    options: PageOptions & { readonly prefix?: string },
  ): Promise<PageOf<Version>> {
    const { table } = this.#stores;
    const registryId = grant.registry.id;
    if (options.prefix !== undefined) {
      return mapPage(
        await table.query(listVersionsQuery(registryId, packageName, options)),
        toVersion,
      );
    }
    const page = await table.query(newestVersionsQuery(registryId, packageName, options));
    const names = page.items.map((item) => text(item, "version"));
    const items = (
      await table.getMany(names.map((name) => versionKey(registryId, packageName, name)))
    )
      .filter(isDefined)
      .map(toVersion);
    return page.cursor === undefined ? { items } : { items, cursor: page.cursor };
  }

  async listFiles(
    grant: RegistryGrant,
    packageName: string,
    version: string,
    options: PageOptions & { readonly prefix?: string },
  ): Promise<PageOf<PackageFile>> {
    const page = await this.#stores.table.query(
      listFilesQuery(grant.registry.id, packageName, version, options),
    );
    return mapPage(page, toFile);
  }

  async downloads(
    grant: RegistryGrant,
    packageName: string,
    versions: readonly string[],
  ): Promise<readonly number[]> {
    const items = await this.#stores.table.getMany(
      versions.map((version) => downloadsKey(grant.registry.id, packageName, version)),
    );
    return items.map((item) => (item === undefined ? 0 : number(item, "count")));
  }
}

/** @throws {ForbiddenError} for a package in quarantine. */
export function requireOffered(pkg: Package): void {
  if (!isQuarantined(pkg)) return;
  const reason = pkg.standing?.reason ?? "";
  throw new ForbiddenError(
    `Package "${pkg.name}" is in quarantine: it may be harmful, and offers no files${reason === "" ? "" : ` (${reason})`}.`,
  );
}
