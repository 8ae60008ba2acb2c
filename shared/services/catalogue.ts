import { ForbiddenError, NotFoundError } from "../errors.ts";
import { isDefined } from "../domain/defined.ts";
import {
  isAvailable,
  isQuarantined,
  type Package,
  type PackageFile,
  type Version,
} from "../domain/package.ts";
import type { Item } from "../ports/table.ts";
import { number, text } from "../records/attributes.ts";
import { documentKey, type StoredDocument, toDocument } from "../records/documents.ts";
import { downloadsKey } from "../records/downloads.ts";
import { fileKey, listFilesQuery, toFile } from "../records/files.ts";
import { listPackagesQuery, packageKey, toPackage } from "../records/packages.ts";
import { mapPage, type PageOf, type PageOptions } from "../records/pages.ts";
import { tagKey, toTag } from "../records/tags.ts";
import {
  listVersionsQuery,
  newestVersionsQuery,
  toVersion,
  versionKey,
} from "../records/versions.ts";
import type { RegistryGrant } from "./access.ts";
import { searchPackages } from "./search.ts";
import type { Stores } from "./stores.ts";

/** A file of an available version. */
export interface AvailableFile {
  readonly file: PackageFile;
  readonly version: Version;
}

/**
 * Everything that is read and never changes anything. Callers come with a grant that may read; what depends
 * on single packages is asked of it here.
 */
export class Catalogue {
  readonly #stores: Stores;

  constructor(stores: Stores) {
    this.#stores = stores;
  }

  /** One rendered document: one table read, however many versions there are. */
  async findDocument(
    grant: RegistryGrant,
    packageName: string,
    kind: string,
  ): Promise<StoredDocument | undefined> {
    const item = await this.#stores.table.get(documentKey(grant.registry.id, packageName, kind));
    return item === undefined ? undefined : toDocument(item);
  }

  /** `undefined` when it does not exist or is deleted. */
  async findPackage(grant: RegistryGrant, packageName: string): Promise<Package | undefined> {
    const item = await this.#stores.table.get(packageKey(grant.registry.id, packageName));
    const pkg = item === undefined ? undefined : toPackage(item);
    return pkg?.state === "active" ? pkg : undefined;
  }

  /** As {@link findPackage}, deleted ones included. */
  async findAnyPackage(grant: RegistryGrant, packageName: string): Promise<Package | undefined> {
    const item = await this.#stores.table.get(packageKey(grant.registry.id, packageName));
    return item === undefined ? undefined : toPackage(item);
  }

  /** A version in any state. */
  async findAnyVersion(
    grant: RegistryGrant,
    packageName: string,
    version: string,
  ): Promise<Version | undefined> {
    const item = await this.#stores.table.get(versionKey(grant.registry.id, packageName, version));
    return item === undefined ? undefined : toVersion(item);
  }

  /** A package, and those of these versions that exist, in this order, in one read; each in any state. */
  async findVersions(
    grant: RegistryGrant,
    packageName: string,
    versions: readonly string[],
  ): Promise<{ readonly pkg: Package | undefined; readonly versions: readonly Version[] }> {
    const [item, ...items] = await this.#stores.table.getMany([
      packageKey(grant.registry.id, packageName),
      ...versions.map((version) => versionKey(grant.registry.id, packageName, version)),
    ]);
    const pkg = item === undefined ? undefined : toPackage(item);
    return { pkg, versions: items.filter(isDefined).map(toVersion) };
  }

  /** @throws {NotFoundError} when there is none that clients may install. */
  async getVersion(grant: RegistryGrant, packageName: string, version: string): Promise<Version> {
    const found = await this.findAnyVersion(grant, packageName, version);
    if (found === undefined || !isAvailable(found)) throw new NotFoundError("version", version);
    return found;
  }

  /** The version that a tag points at, or `undefined`. */
  async findTag(
    grant: RegistryGrant,
    packageName: string,
    tag: string,
  ): Promise<string | undefined> {
    const item = await this.#stores.table.get(tagKey(grant.registry.id, packageName, tag));
    return item === undefined ? undefined : toTag(item).version;
  }

  /** A file and its version in one read. @throws {NotFoundError} when either is not there to be downloaded. */
  async getFile(
    grant: RegistryGrant,
    packageName: string,
    version: string,
    path: string,
  ): Promise<AvailableFile> {
    const registryId = grant.registry.id;
    const [fileItem, versionItem] = await this.#stores.table.getMany([
      fileKey(registryId, packageName, version, path),
      versionKey(registryId, packageName, version),
    ]);
    return requireAvailable(path, fileItem, versionItem);
  }

  /**
   * As {@link Catalogue.getFile}, where packages may be in quarantine.
   *
   * @throws {ForbiddenError} when this one is.
   */
  async getOfferedFile(
    grant: RegistryGrant,
    packageName: string,
    version: string,
    path: string,
  ): Promise<AvailableFile> {
    const registryId = grant.registry.id;
    const [packageItem, fileItem, versionItem] = await this.#stores.table.getMany([
      packageKey(registryId, packageName),
      fileKey(registryId, packageName, version, path),
      versionKey(registryId, packageName, version),
    ]);
    requireOffered(packageItem === undefined ? undefined : toPackage(packageItem));
    return requireAvailable(path, fileItem, versionItem);
  }

  /** What is stored at this path, whatever the state of its version. */
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

  /** Packages in byte order of their names; those that the caller may not read are left out of a page. */
  async listPackages(
    grant: RegistryGrant,
    options: PageOptions & { readonly prefix?: string; readonly after?: string },
  ): Promise<PageOf<Package>> {
    const { table } = this.#stores;
    const page = await table.query(listPackagesQuery(grant.registry.id, options));
    const names = page.items
      .map((item) => item.key.sk)
      .filter((name) => grant.may("packages:read", name));
    const items = (await table.getMany(names.map((name) => packageKey(grant.registry.id, name))))
      .filter(isDefined)
      .map(toPackage);
    return page.cursor === undefined ? { items } : { items, cursor: page.cursor };
  }

  /** Best matches first; see {@link searchPackages}. */
  async search(grant: RegistryGrant, query: string): Promise<readonly Package[]> {
    const found = await searchPackages(this.#stores.table, grant.registry.id, query);
    return found.filter((pkg) => grant.may("packages:read", pkg.name));
  }

  /** Versions in any state, the newest publication first, or by name from `prefix`. */
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

  /** Downloads of each version, as far as they have been written down. At most 100 versions. */
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

/** @throws {NotFoundError} unless both rows are there, and the version is one that clients may see. */
function requireAvailable(
  path: string,
  fileItem: Item | undefined,
  versionItem: Item | undefined,
): AvailableFile {
  if (fileItem === undefined || versionItem === undefined) throw new NotFoundError("file", path);
  const found = { file: toFile(fileItem), version: toVersion(versionItem) };
  if (!isAvailable(found.version)) throw new NotFoundError("file", path);
  return found;
}

/** @throws {ForbiddenError} for a package in quarantine. */
function requireOffered(pkg: Package | undefined): void {
  if (pkg === undefined || !isQuarantined(pkg)) return;
  const reason = pkg.standing?.reason ?? "";
  throw new ForbiddenError(
    `Package "${pkg.name}" is in quarantine: it may be harmful, and offers no files${reason === "" ? "" : ` (${reason})`}.`,
  );
}
