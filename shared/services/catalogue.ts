import type { Package, PackageFile, Tag, Version } from "../domain/package.ts";
import type { ByteStream } from "../ports/blobs.ts";
import type { StoredDocument } from "../records/documents.ts";
import type { PageOf, PageOptions } from "../records/pages.ts";
import type { RegistryGrant } from "./access.ts";

/** A file of an available version. */
export interface AvailableFile {
  readonly file: PackageFile;
  /** Decoded when it is asked for: few answers need its metadata, which may be most of the work. */
  readonly version: () => Version;
  /** Its bytes, where they are still on their way into storage: sent once, from the first one on. */
  readonly arriving?: ByteStream;
}

export interface ListOptions extends PageOptions {
  readonly prefix?: string;
  /** Exclusive. */
  readonly after?: string;
}

/**
 * Everything that is read and never changes anything. Callers come with a grant that may read; what depends
 * on single packages is asked of it here.
 */
export interface CatalogueReads {
  /** One rendered document: one table read, however many versions there are. */
  findDocument(
    grant: RegistryGrant,
    packageName: string,
    kind: string,
  ): Promise<StoredDocument | undefined>;
  /** `undefined` when it does not exist or is deleted. */
  findPackage(grant: RegistryGrant, packageName: string): Promise<Package | undefined>;
  /** As {@link CatalogueReads.findPackage}, deleted ones included. */
  findAnyPackage(grant: RegistryGrant, packageName: string): Promise<Package | undefined>;
  /** A version in any state. */
  findAnyVersion(
    grant: RegistryGrant,
    packageName: string,
    version: string,
  ): Promise<Version | undefined>;
  /** Those of these versions that exist, in any state, in this order, in one read. */
  findVersions(
    grant: RegistryGrant,
    packageName: string,
    versions: readonly string[],
  ): Promise<readonly Version[]>;
  /** @throws {NotFoundError} when there is none that clients may install. */
  getVersion(grant: RegistryGrant, packageName: string, version: string): Promise<Version>;
  /** The version that a tag points at, or `undefined`. */
  findTag(grant: RegistryGrant, packageName: string, tag: string): Promise<string | undefined>;
  /** By name. */
  listTags(grant: RegistryGrant, packageName: string): Promise<readonly Tag[]>;
  /**
   * A file and its version in one read.
   *
   * @throws {NotFoundError} when either is not there to be downloaded; {@link ForbiddenError} in quarantine.
   */
  getFile(
    grant: RegistryGrant,
    packageName: string,
    version: string,
    path: string,
  ): Promise<AvailableFile>;
  /** What is stored at this path, whatever the state of its version. */
  findFile(
    grant: RegistryGrant,
    packageName: string,
    version: string,
    path: string,
  ): Promise<PackageFile | undefined>;
  /** Packages in byte order of their names; those that the caller may not read are left out of a page. */
  listPackages(grant: RegistryGrant, options: ListOptions): Promise<PageOf<Package>>;
  /** Best matches first; see `searchPackages`. */
  search(grant: RegistryGrant, query: string): Promise<readonly Package[]>;
  /** Versions in any state, the newest publication first, or by name from `prefix`. */
  listVersions(
    grant: RegistryGrant,
    packageName: string,
    options: PageOptions & { readonly prefix?: string },
  ): Promise<PageOf<Version>>;
  /** Of proxies, those that were fetched. */
  listFiles(
    grant: RegistryGrant,
    packageName: string,
    version: string,
    options: PageOptions & { readonly prefix?: string },
  ): Promise<PageOf<PackageFile>>;
  /** Downloads of each version, as far as they have been written down. At most 100 versions. */
  downloads(
    grant: RegistryGrant,
    packageName: string,
    versions: readonly string[],
  ): Promise<readonly number[]>;
}

/** Reads of any registry: what is stored in a source, and what a composite or proxy shows of others. */
export class Catalogue implements CatalogueReads {
  readonly #stored: CatalogueReads;
  readonly #views: CatalogueReads;

  constructor(stored: CatalogueReads, views: CatalogueReads) {
    this.#stored = stored;
    this.#views = views;
  }

  readonly findDocument: CatalogueReads["findDocument"] = (grant, ...rest) =>
    this.#of(grant).findDocument(grant, ...rest);
  readonly findPackage: CatalogueReads["findPackage"] = (grant, ...rest) =>
    this.#of(grant).findPackage(grant, ...rest);
  readonly findAnyPackage: CatalogueReads["findAnyPackage"] = (grant, ...rest) =>
    this.#of(grant).findAnyPackage(grant, ...rest);
  readonly findAnyVersion: CatalogueReads["findAnyVersion"] = (grant, ...rest) =>
    this.#of(grant).findAnyVersion(grant, ...rest);
  readonly findVersions: CatalogueReads["findVersions"] = (grant, ...rest) =>
    this.#of(grant).findVersions(grant, ...rest);
  readonly getVersion: CatalogueReads["getVersion"] = (grant, ...rest) =>
    this.#of(grant).getVersion(grant, ...rest);
  readonly findTag: CatalogueReads["findTag"] = (grant, ...rest) =>
    this.#of(grant).findTag(grant, ...rest);
  readonly listTags: CatalogueReads["listTags"] = (grant, ...rest) =>
    this.#of(grant).listTags(grant, ...rest);
  readonly getFile: CatalogueReads["getFile"] = (grant, ...rest) =>
    this.#of(grant).getFile(grant, ...rest);
  readonly findFile: CatalogueReads["findFile"] = (grant, ...rest) =>
    this.#of(grant).findFile(grant, ...rest);
  readonly listPackages: CatalogueReads["listPackages"] = (grant, ...rest) =>
    this.#of(grant).listPackages(grant, ...rest);
  readonly search: CatalogueReads["search"] = (grant, ...rest) =>
    this.#of(grant).search(grant, ...rest);
  readonly listVersions: CatalogueReads["listVersions"] = (grant, ...rest) =>
    this.#of(grant).listVersions(grant, ...rest);
  readonly listFiles: CatalogueReads["listFiles"] = (grant, ...rest) =>
    this.#of(grant).listFiles(grant, ...rest);
  readonly downloads: CatalogueReads["downloads"] = (grant, ...rest) =>
    this.#of(grant).downloads(grant, ...rest);

  #of({ registry }: RegistryGrant): CatalogueReads {
    return registry.kind === "source" ? this.#stored : this.#views;
  }
}
