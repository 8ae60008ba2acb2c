import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { UnsupportedError } from "../../errors.ts";
import type { Registry } from "../../domain/registry.ts";
import type { Item, Key } from "../../ports/table.ts";
import { documentKey, type StoredDocument, toDocument } from "../../records/documents.ts";
import { packageKey, toPackage } from "../../records/packages.ts";
import { toUpstreamCopy, upstreamCopyKey } from "../../records/upstream-copies.ts";
import { documentBody } from "../documents.ts";
import { unzip } from "../compression.ts";
import { readVersions } from "../queries.ts";
import type { Ecosystems, Stores } from "../stores.ts";
import type {
  DocumentQuestion,
  KnownCopy,
  UpstreamDocuments,
} from "../upstreams/upstream-documents.ts";
import {
  type DocumentOrigin,
  type ListedVersion,
  type Listing,
  type ListingFormat,
  type ListingSource,
  type MergedListing,
  mergeListings,
  visibleThrough,
} from "./listing.ts";
import { isOwned, type Leaf, type Leaves, routesFor } from "./routes.ts";

/** Names the copy of the document that listings are read from, and the one that has times added to it. */
const LISTING = "listing";
const DATED_LISTING = "dated-listing";
/** Listings that were just read, for the files that are asked next: so many bytes of their documents, for so long. */
const REMEMBERED_BYTES = 8 * 1024 * 1024;
const REMEMBERED_MS = 60_000;

/** A leaf that is asked for a package, and what is known of the package there before it is read. */
export interface Input {
  readonly leaf: Leaf;
  /** Changes whenever what the leaf says of the package does. */
  readonly fingerprint: string;
  readonly copy?: KnownCopy;
}

/** What a document is made of, and the one that there is. */
export interface Prepared {
  readonly inputs: readonly Input[];
  /** Changes whenever one of the inputs, their order or the rules on the way to them does. */
  readonly basis: string;
  /** Why the answer may be old; empty when it is not. */
  readonly stale: string;
  readonly document: StoredDocument | undefined;
}

/** Reads what registries say of packages: sources from their documents, proxies from copies of their upstreams'. */
export class Listings {
  readonly #stores: Stores;
  readonly #ecosystems: Ecosystems;
  readonly #leaves: Leaves;
  readonly #documents: UpstreamDocuments;
  /** By the digest of the document that each was read from. */
  readonly #remembered = new LRUCache<string, Listing>({
    maxSize: REMEMBERED_BYTES,
    ttl: REMEMBERED_MS,
  });

  constructor(
    stores: Stores,
    ecosystems: Ecosystems,
    leaves: Leaves,
    documents: UpstreamDocuments,
  ) {
    this.#stores = stores;
    this.#ecosystems = ecosystems;
    this.#leaves = leaves;
    this.#documents = documents;
  }

  /**
   * What a registry's documents of a package are made of, in one trip to the table unless an upstream must be asked.
   * `documentAt`: a document to read with it.
   *
   * @throws {UpstreamFailedError} when an upstream must be asked and does not say.
   */
  async prepare(registry: Registry, packageName: string, documentAt?: Key): Promise<Prepared> {
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
    const format = this.format(registry);
    const { path, headers } = format.request(packageName);
    const name = this.#copyName(leaf, packageName);
    const dating =
      (date: NonNullable<ListingFormat["date"]>): NonNullable<DocumentQuestion["amend"]> =>
      (body, from) =>
        date(body, { packageName, ...from }, this.#documents.questions(upstream));
    const copy = await this.#documents.askKnowing(
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

  /** The listings of all inputs as one. */
  async merge(
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
    const format = this.format(registry);
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
    return isAged && this.format(registry).date !== undefined ? DATED_LISTING : LISTING;
  }

  /** @throws {SyntaxError} for what is no document. */
  #parse(registry: Registry, body: Uint8Array, from: DocumentOrigin): Listing {
    const listing = this.format(registry).parse(body, from);
    const sha256 = createHash("sha256").update(body).digest("hex");
    this.#remembered.set(`${registry.id} ${from.packageName} ${sha256}`, listing, {
      size: Math.max(1, body.length),
    });
    return listing;
  }

  /** What a proxy's upstream says of one version; `listed` is `undefined` when it has none. */
  async listed(
    leaf: Leaf,
    packageName: string,
    version: string,
  ): Promise<{ readonly listed: ListedVersion | undefined; readonly description: string }> {
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

  /** @throws {UnsupportedError} */
  format(registry: Registry): ListingFormat {
    const { listings } = this.#ecosystems[registry.ecosystem];
    if (listings !== undefined) return listings;
    throw new UnsupportedError(`${registry.ecosystem} registries have no listings.`);
  }
}

const NOTHING: Listing = { tags: {}, versions: [], about: {} };

/** Of everything that decides what a document says: the inputs and their order, and the rules on the way to them. */
function basisOf(registry: Registry, leaves: readonly Leaf[], inputs: readonly Input[]): string {
  const rules = leaves.map(({ registry: { id }, routings }) => [id, routings]);
  return createHash("sha256")
    .update(JSON.stringify([registry.slug, rules, inputs.map(({ fingerprint }) => fingerprint)]))
    .digest("base64url");
}
