import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { NotFoundError, UnsupportedError } from "../../errors.ts";
import { isAvailable } from "../../domain/package.ts";
import type { Registry } from "../../domain/registry.ts";
import { ConditionFailedError, type Item, type Key } from "../../ports/table.ts";
import { documentKey, type StoredDocument, toDocument } from "../../records/documents.ts";
import { fileKey, toFile } from "../../records/files.ts";
import { listPackageOp, packageKey, toPackage } from "../../records/packages.ts";
import { toUpstreamCopy, upstreamCopyKey } from "../../records/upstream-copies.ts";
import { toVersion, versionKey } from "../../records/versions.ts";
import type { RegistryGrant } from "../access.ts";
import type { AvailableFile } from "../catalogue.ts";
import { documentBody, wholeDocument } from "../documents.ts";
import { unzip } from "../compression.ts";
import { getAll, readVersions } from "../queries.ts";
import type { Ecosystems, Stores } from "../stores.ts";
import { LocatedFiles } from "../upstreams/located-files.ts";
import type {
  DocumentQuestion,
  KnownCopy,
  UpstreamDocuments,
} from "../upstreams/upstream-documents.ts";
import type { UpstreamFiles } from "../upstreams/upstream-files.ts";
import {
  type DocumentOrigin,
  type Listing,
  type ListingFormat,
  type ListingSource,
  type MergedListing,
  mergeListings,
  visibleThrough,
  withFiles,
} from "./listing.ts";
import { type Leaf, type Leaves, type Route, routesFor } from "./routes.ts";

/** Names the copy of the document that listings are read from, and the one that has times added to it. */
const LISTING = "listing";
const DATED_LISTING = "dated-listing";
/** Listings that were just read, for the files that are asked next: so many bytes of their documents, for so long. */
const REMEMBERED_BYTES = 8 * 1024 * 1024;
const REMEMBERED_MS = 60_000;

/** A leaf that is asked for a package, and what is known of the package there before it is read. */
interface Input {
  readonly leaf: Leaf;
  /** Changes whenever what the leaf says of the package does. */
  readonly fingerprint: string;
  readonly copy?: KnownCopy;
}

interface Prepared {
  readonly inputs: readonly Input[];
  readonly basis: string;
  /** Why the answer may be old; empty when it is not. */
  readonly stale: string;
  readonly document: StoredDocument | undefined;
}

/**
 * Packages as registries show them that have none of their own: composites, and proxies, which are composites of
 * themselves alone. What a document is made of is known by fingerprints, so that a read of an unchanged one costs one
 * trip to the table.
 */
export class Views {
  readonly #stores: Stores;
  readonly #ecosystems: Ecosystems;
  readonly #leaves: Leaves;
  readonly #documents: UpstreamDocuments;
  readonly #files: UpstreamFiles;
  readonly #locatedFiles: LocatedFiles;
  /** By the digest of the document that each was read from. */
  readonly #remembered = new LRUCache<string, Listing>({
    maxSize: REMEMBERED_BYTES,
    ttl: REMEMBERED_MS,
  });
  readonly #making = new Map<string, Promise<StoredDocument | undefined>>();

  constructor(
    stores: Stores,
    ecosystems: Ecosystems,
    leaves: Leaves,
    documents: UpstreamDocuments,
    files: UpstreamFiles,
  ) {
    this.#stores = stores;
    this.#ecosystems = ecosystems;
    this.#leaves = leaves;
    this.#documents = documents;
    this.#files = files;
    this.#locatedFiles = new LocatedFiles(stores, files);
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
    const prepared = await this.#prepare(registry, packageName, key);
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
    const { inputs } = await this.#prepare(grant.registry, packageName);
    return this.#merge(grant.registry, packageName, inputs);
  }

  /**
   * A file, from the first registry that has its version, fetched when that is a proxy that does not have it yet.
   *
   * @throws {NotFoundError} when none has it, or it is too young here.
   */
  async getFile(
    grant: RegistryGrant,
    packageName: string,
    version: string,
    path: string,
  ): Promise<AvailableFile> {
    const { registry } = grant;
    const leaves = await this.#leaves.of(registry);
    const keys = (id: string): readonly Key[] => [
      packageKey(id, packageName),
      versionKey(id, packageName, version),
      fileKey(id, packageName, version, path),
    ];
    const items = await getAll(
      this.#stores.table,
      leaves.flatMap((leaf) => keys(leaf.registry.id)),
    );
    const rows = leaves.map((leaf, position) => ({
      leaf,
      package: items[position * 3],
      version: items[position * 3 + 1],
      file: items[position * 3 + 2],
    }));
    const owned = rows.some(({ leaf, ...row }) => isOwned(leaf, row.package));
    const routes = routesFor(leaves, packageName, owned);
    for (const [position, row] of rows.entries()) {
      if (routes[position]?.refusal !== "") continue;
      const found =
        row.leaf.upstream === undefined
          ? storedFile(row.version, row.file, path)
          : await this.#upstreamFile(row.leaf, packageName, version, path, cachedFile(row));
      if (found === undefined) continue;
      this.#requireOldEnough(row.leaf, packageName, found);
      return found;
    }
    throw new NotFoundError("file", path);
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
    const item = await this.#stores.table.get(
      upstreamCopyKey(registry.id, packageName, wanted.name),
    );
    const known = item === undefined ? undefined : toUpstreamCopy(item);
    const question = { ...wanted, registry, upstream, packageName };
    const { copy } = await this.#documents.ask(question, known);
    return copy.state === "missing" ? undefined : this.#documents.body(registry, packageName, copy);
  }

  async #prepare(registry: Registry, packageName: string, documentAt?: Key): Promise<Prepared> {
    const leaves = await this.#leaves.of(registry);
    const items = await this.#stores.table.getMany([
      ...leaves.map((leaf) =>
        leaf.upstream === undefined
          ? packageKey(leaf.registry.id, packageName)
          : upstreamCopyKey(leaf.registry.id, packageName, this.#copyName(leaf, packageName)),
      ),
      ...(documentAt === undefined ? [] : [documentAt]),
    ]);
    const owned = leaves.some((leaf, position) => isOwned(leaf, items[position]));
    const routes = routesFor(leaves, packageName, owned);
    const inputs = await Promise.all(
      leaves.flatMap((leaf, position) =>
        routes[position]?.refusal === "" ? [this.#input(leaf, packageName, items[position])] : [],
      ),
    );
    const documentItem = items[leaves.length];
    return {
      inputs,
      basis: basisOf(registry, leaves, inputs),
      stale: inputs.find(({ copy }) => (copy?.stale ?? "") !== "")?.copy?.stale ?? "",
      document: documentItem === undefined ? undefined : toDocument(documentItem),
    };
  }

  async #input(leaf: Leaf, packageName: string, item: Item | undefined): Promise<Input> {
    const { registry, upstream } = leaf;
    if (upstream === undefined) {
      const revision = item === undefined ? 0 : toPackage(item).revision;
      return { leaf, fingerprint: `${registry.id} ${revision}` };
    }
    const format = this.#format(registry);
    const { path, headers } = format.request(packageName);
    const name = this.#copyName(leaf, packageName);
    const dating =
      (date: NonNullable<ListingFormat["date"]>): NonNullable<DocumentQuestion["amend"]> =>
      (body, from) =>
        date(body, { packageName, ...from }, this.#documents.questions(upstream));
    const copy = await this.#documents.ask(
      {
        registry,
        upstream,
        packageName,
        name,
        path,
        headers,
        check: (body, from) => void this.#parse(registry, body, { packageName, ...from }),
        ...(name === LISTING || format.date === undefined ? {} : { amend: dating(format.date) }),
      },
      item === undefined ? undefined : toUpstreamCopy(item),
    );
    return { leaf, copy, fingerprint: `${registry.id} ${copy.copy.sha256}` };
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
    const merged = await this.#merge(registry, packageName, inputs);
    if (merged.versions.length === 0) return undefined;
    const scope = { registry, packageName, baseUrl: previous?.baseUrl ?? baseUrl };
    const { text, contentType } = this.#format(registry).render(kind, scope, merged);
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

  async #merge(
    registry: Registry,
    packageName: string,
    inputs: readonly Input[],
  ): Promise<MergedListing> {
    const sources = await Promise.all(
      inputs.map(
        async ({ leaf, copy }): Promise<ListingSource> => ({
          slug: leaf.registry.slug,
          routings: leaf.routings,
          listing: await this.#read(leaf, packageName, copy),
        }),
      ),
    );
    const ecosystem = this.#ecosystems[registry.ecosystem];
    return mergeListings(ecosystem, packageName, sources, this.#stores.now());
  }

  async #read(leaf: Leaf, packageName: string, copy: KnownCopy | undefined): Promise<Listing> {
    const { registry } = leaf;
    const format = this.#format(registry);
    if (copy !== undefined) {
      const { state, sha256, url, contentType } = copy.copy;
      if (state === "missing") return NOTHING;
      const remembered = this.#remembered.get(`${registry.id} ${packageName} ${sha256}`);
      if (remembered !== undefined) return remembered;
      const body = await this.#documents.body(registry, packageName, copy.copy);
      return this.#parse(registry, body, { packageName, url, contentType });
    }
    const key = documentKey(registry.id, packageName, format.sourceKind);
    const item = await this.#stores.table.get(key);
    if (item === undefined) return NOTHING;
    const document = toDocument(item);
    const body = await unzip(await documentBody(this.#stores.blobs, document));
    const { contentType, baseUrl } = document;
    const listing = format.parse(body, { packageName, url: baseUrl, contentType });
    const isDated = listing.versions.every(({ publishedAtMs }) => publishedAtMs > 0);
    return isDated || this.#copyName(leaf, packageName) === LISTING
      ? listing
      : this.#dated(registry, packageName, listing);
  }

  /** The listing of a source whose document has no times, with those of its rows. */
  async #dated(registry: Registry, packageName: string, listing: Listing): Promise<Listing> {
    const rows = await readVersions(this.#stores.table, registry.id, packageName);
    const times = new Map(rows.map(({ version, publishedAtMs }) => [version, publishedAtMs]));
    const versions = listing.versions.map((listed) => ({
      ...listed,
      publishedAtMs: times.get(listed.version) ?? 0,
    }));
    return { ...listing, versions };
  }

  /** Times are asked for only where they decide what is seen. */
  #copyName({ registry, routings }: Leaf, packageName: string): string {
    const isAged = visibleThrough(routings, packageName, 1) > 0;
    return isAged && this.#format(registry).date !== undefined ? DATED_LISTING : LISTING;
  }

  /** @throws {SyntaxError} for what is no document. */
  #parse(registry: Registry, body: Uint8Array, from: DocumentOrigin): Listing {
    const listing = this.#format(registry).parse(body, from);
    const sha256 = createHash("sha256").update(body).digest("hex");
    this.#remembered.set(`${registry.id} ${from.packageName} ${sha256}`, listing, {
      size: Math.max(1, body.length),
    });
    return listing;
  }

  /** `undefined` when the upstream has no such version, or the version no such file. `cached`: what is here of it. */
  async #upstreamFile(
    leaf: Leaf,
    packageName: string,
    version: string,
    path: string,
    cached: AvailableFile | undefined,
  ): Promise<AvailableFile | undefined> {
    const { registry, upstream } = leaf;
    if (upstream === undefined) return undefined;
    const ecosystem = this.#ecosystems[registry.ecosystem];
    const locate = ecosystem.listings?.locate ?? ecosystem.locate;
    if (locate === undefined && cached !== undefined) {
      this.#files.heardCached(upstream);
      return cached;
    }
    const { listed, description } =
      locate === undefined
        ? await this.#listed(leaf, packageName, version)
        : { listed: locate(packageName, version, path), description: "" };
    const file = listed?.files.find((candidate) => candidate.path === path);
    if (listed === undefined || file === undefined) return undefined;
    const { publishedAtMs } = listed;
    const fromMs = visibleThrough(leaf.routings, packageName, file.publishedAtMs ?? publishedAtMs);
    if (fromMs > this.#stores.now()) throw new NotFoundError("file", path);
    const question = {
      registry,
      upstream,
      packageName,
      version,
      publishedAtMs,
      metadata: withFiles(ecosystem, listed, [file]).entry,
      description,
      file,
    };
    if (locate === undefined) return this.#files.get(question);
    const found = await this.#locatedFiles.find(question, cached);
    if (found !== undefined && found === cached) this.#files.heardCached(upstream);
    return found;
  }

  async #listed(leaf: Leaf, packageName: string, version: string) {
    const { id } = leaf.registry;
    const name = this.#copyName(leaf, packageName);
    const item = await this.#stores.table.get(upstreamCopyKey(id, packageName, name));
    const { copy } = await this.#input(leaf, packageName, item);
    const { versions, about } = await this.#read(leaf, packageName, copy);
    const { description } = about;
    return {
      listed: versions.find((candidate) => candidate.version === version),
      description: typeof description === "string" ? description : "",
    };
  }

  #requireOldEnough(leaf: Leaf, packageName: string, { file, version }: AvailableFile): void {
    const publishedAtMs =
      file.publishedAtMs ??
      (leaf.upstream === undefined ? file.createdAtMs : version.publishedAtMs);
    const fromMs = visibleThrough(leaf.routings, packageName, publishedAtMs);
    if (fromMs > this.#stores.now()) throw new NotFoundError("file", file.path);
  }

  #format(registry: Registry): ListingFormat {
    const { listings } = this.#ecosystems[registry.ecosystem];
    if (listings !== undefined) return listings;
    throw new UnsupportedError(`${registry.ecosystem} registries have no listings.`);
  }
}

const NOTHING: Listing = { tags: {}, versions: [], about: {} };

/** Deleted ones too, while they can be restored: their names are not free for somebody outside. */
const isOwned = ({ upstream }: Leaf, packageItem: Item | undefined): boolean =>
  upstream === undefined && packageItem !== undefined;

/** Of everything that decides what a document says: the inputs and their order, and the rules on the way to them. */
function basisOf(registry: Registry, leaves: readonly Leaf[], inputs: readonly Input[]): string {
  const rules = leaves.map(({ registry: { id }, routings }) => [id, routings]);
  return createHash("sha256")
    .update(JSON.stringify([registry.slug, rules, inputs.map(({ fingerprint }) => fingerprint)]))
    .digest("base64url");
}

function storedFile(
  versionItem: Item | undefined,
  fileItem: Item | undefined,
  path: string,
): AvailableFile | undefined {
  const version = versionItem === undefined ? undefined : toVersion(versionItem);
  if (version === undefined || !isAvailable(version)) return undefined;
  // Its version is here, so that no other registry may add files to it.
  if (fileItem === undefined) throw new NotFoundError("file", path);
  return { version, file: toFile(fileItem) };
}

function cachedFile(row: {
  readonly version: Item | undefined;
  readonly file: Item | undefined;
}): AvailableFile | undefined {
  if (row.version === undefined || row.file === undefined) return undefined;
  const version = toVersion(row.version);
  return isAvailable(version) ? { version, file: toFile(row.file) } : undefined;
}
