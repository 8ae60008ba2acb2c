import type { Registry } from "../../domain/registry.ts";
import { ConditionFailedError } from "../../ports/table.ts";
import { documentKey, type StoredDocument } from "../../records/documents.ts";
import { listPackageOp, packageKey } from "../../records/packages.ts";
import type { RegistryGrant } from "../access.ts";
import type { AvailableFile } from "../catalogue.ts";
import { wholeDocument } from "../documents.ts";
import type { Ecosystems, Stores } from "../stores.ts";
import type { DocumentQuestion, UpstreamDocuments } from "../upstreams/upstream-documents.ts";
import type { UpstreamFiles } from "../upstreams/upstream-files.ts";
import type { MergedListing } from "./listing.ts";
import { Listings, type Prepared } from "./listings.ts";
import { type Leaf, type Leaves, type Route, routesFor } from "./routes.ts";
import { ViewFiles } from "./view-files.ts";

/**
 * Packages as registries show them that have none of their own: composites, and proxies, which are composites of
 * themselves alone. What a document is made of is known by fingerprints, so that a read of an unchanged one costs one
 * trip to the table.
 */
export class Views {
  readonly #stores: Stores;
  readonly #leaves: Leaves;
  readonly #documents: UpstreamDocuments;
  readonly #listings: Listings;
  readonly #files: ViewFiles;
  readonly #making = new Map<string, Promise<StoredDocument | undefined>>();

  constructor(
    stores: Stores,
    ecosystems: Ecosystems,
    leaves: Leaves,
    documents: UpstreamDocuments,
    files: UpstreamFiles,
  ) {
    this.#stores = stores;
    this.#leaves = leaves;
    this.#documents = documents;
    this.#listings = new Listings(stores, ecosystems, leaves, documents);
    this.#files = new ViewFiles(stores, ecosystems, leaves, this.#listings, files);
  }

  /**
   * A document of a package, made anew when what it is made of has changed; `undefined` when no registry behind this
   * one has a version to show.
   *
   * @throws {UpstreamFailedError} when an upstream must be asked and does not say: leaving its versions out would let a
   *   name change its owner by an outage.
   */
  async findDocument(
    grant: RegistryGrant,
    packageName: string,
    kind: string,
  ): Promise<StoredDocument | undefined> {
    const { registry, caller } = grant;
    const key = documentKey(registry.id, packageName, kind);
    const prepared = await this.#listings.prepare(registry, packageName, key);
    const { document, basis, stale } = prepared;
    const isCurrent =
      document?.basis === basis &&
      (document.validUntilMs === 0 || this.#stores.now() < document.validUntilMs);
    const found = isCurrent
      ? document
      : await this.#makeOnce(registry, packageName, kind, prepared, caller.baseUrl);
    return found === undefined || stale === "" ? found : { ...found, stale };
  }

  /** Who is asked for a name, and who is not. */
  async routes(registry: Registry, packageName: string): Promise<readonly Route[]> {
    const leaves = await this.#leaves.of(registry);
    const sources = leaves.filter(({ upstream }) => upstream === undefined);
    const items = await this.#stores.table.getMany(
      sources.map((leaf) => packageKey(leaf.registry.id, packageName)),
    );
    return routesFor(
      leaves,
      packageName,
      items.some((item) => item !== undefined),
    );
  }

  /** What all registries behind this one say of a package, with the origin of each version. */
  async listing(grant: RegistryGrant, packageName: string): Promise<MergedListing> {
    const { inputs } = await this.#listings.prepare(grant.registry, packageName);
    return this.#listings.merge(grant.registry, packageName, inputs);
  }

  /** As {@link ViewFiles.get}. */
  getFile(
    { registry }: RegistryGrant,
    packageName: string,
    version: string,
    path: string,
  ): Promise<AvailableFile> {
    return this.#files.get(registry, packageName, version, path);
  }

  /** The registries behind this one. */
  async leaves(registry: Registry): Promise<readonly Leaf[]> {
    return this.#leaves.of(registry);
  }

  /**
   * Another document than the listing that a proxy's upstream has of a package; `undefined` when it has none.
   *
   * @throws {UpstreamFailedError}
   */
  async upstreamDocument(
    { registry, upstream }: Leaf,
    packageName: string,
    wanted: Pick<DocumentQuestion, "name" | "path" | "headers" | "check">,
  ): Promise<Uint8Array | undefined> {
    if (upstream === undefined) return undefined;
    const { copy } = await this.#documents.ask({ ...wanted, registry, upstream, packageName });
    return copy.state === "missing" ? undefined : this.#documents.body(registry, packageName, copy);
  }

  /** Many ask for a popular document when it changes; one of them makes it. */
  async #makeOnce(
    registry: Registry,
    packageName: string,
    kind: string,
    prepared: Prepared,
    baseUrl: string,
  ): Promise<StoredDocument | undefined> {
    const name = `${registry.id} ${packageName} ${kind} ${prepared.basis}`;
    const making = this.#making.get(name);
    if (making !== undefined) return making;
    const mine = this.#make(registry, packageName, kind, prepared, baseUrl);
    this.#making.set(name, mine);
    try {
      return await mine;
    } finally {
      this.#making.delete(name);
    }
  }

  async #make(
    registry: Registry,
    packageName: string,
    kind: string,
    { inputs, basis, document: previous }: Prepared,
    baseUrl: string,
  ): Promise<StoredDocument | undefined> {
    const merged = await this.#listings.merge(registry, packageName, inputs);
    if (merged.versions.length === 0) return undefined;
    const scope = { registry, packageName, baseUrl: previous?.baseUrl ?? baseUrl };
    const { text, contentType } = this.#listings.format(registry).render(kind, scope, merged);
    const { document, ops } = await wholeDocument(this.#stores, {
      registryId: registry.id,
      packageName,
      kind,
      contentType,
      baseUrl: scope.baseUrl,
      text: Buffer.from(text),
      previous,
      basis,
      validUntilMs: merged.nextVersionAtMs,
    });
    const [put, ...rest] = ops;
    if (put?.op !== "put") throw new Error("a document is stored by a put");
    // Who loses against another reader has made the same, or something newer is there.
    const conditions =
      previous === undefined
        ? [{ kind: "absent" as const }]
        : [{ kind: "equals" as const, attribute: "etag", value: previous.etag }];
    try {
      // By the last row the package is found when the registry is deleted.
      await this.#stores.table.write([
        { ...put, conditions },
        ...rest,
        listPackageOp(registry.id, packageName),
      ]);
    } catch (error) {
      if (!(error instanceof ConditionFailedError)) throw error;
    }
    return document;
  }
}
