import type { Registry } from "../../shared/domain/registry.ts";
import { NotFoundError, UpstreamFailedError } from "../../shared/errors.ts";
import type { ByteStream } from "../../shared/ports/blobs.ts";
import type { RegistryGrant } from "../../shared/services/access.ts";
import type { Services } from "../../shared/services/services.ts";
import type { Leaf } from "../../shared/services/views/routes.ts";
import { ListViews } from "./list-views.ts";
import type { FoundManifest, Manifests } from "./manifests.ts";
import type { OciDigest, Reference } from "./names.ts";
import { isAskedFor } from "./upstream/asked.ts";
import { CachedManifests } from "./upstream/cached-manifests.ts";
import { DistributionClient } from "./upstream/distribution-client.ts";
import { ImageAges } from "./upstream/image-ages.ts";
import { ProxiedBlobs } from "./upstream/proxied-blobs.ts";
import { ProxiedLists } from "./upstream/proxied-lists.ts";
import { ProxiedManifests } from "./upstream/proxied-manifests.ts";
import { ProxiedTags } from "./upstream/proxied-tags.ts";
import { proxyImageOf, refOf } from "./upstream/proxy-image.ts";
import { UpstreamManifests } from "./upstream/upstream-manifests.ts";

/** A blob that can be pulled; without bytes here when only its length was asked for. */
export interface FoundBlob {
  readonly sizeBytes: number;
  /** Where its bytes are; empty while they are not here. */
  readonly sha256: string;
  readonly createdAtMs: number;
  /** Its bytes, while they are on their way. */
  readonly arriving?: ByteStream;
}

/**
 * Images as registries of any kind show them. There is no merged document: a tag is that of the first registry that has
 * it, and a digest names the same bytes wherever it is.
 */
export class ImageViews {
  readonly #services: Services;
  readonly #manifests: Manifests;
  readonly #tags: ProxiedTags;
  readonly #byDigest: ProxiedManifests;
  readonly #blobs: ProxiedBlobs;
  readonly #ages: ImageAges;
  readonly lists: ListViews;

  constructor(services: Services, manifests: Manifests) {
    const client = new DistributionClient(services);
    const upstream = new UpstreamManifests(services, client);
    const cached = new CachedManifests(services);
    this.#services = services;
    this.#manifests = manifests;
    this.#tags = new ProxiedTags(services, upstream, cached);
    this.#byDigest = new ProxiedManifests(services, manifests, upstream, cached);
    this.#blobs = new ProxiedBlobs(services, client);
    this.#ages = new ImageAges(services, this.#byDigest, this.#blobs);
    this.lists = new ListViews(
      services,
      ({ registry }, image) => this.#asked(registry, image),
      new ProxiedLists(services, client, upstream),
    );
  }

  /** @throws {NotFoundError} | {@link UpstreamFailedError} when an upstream must be asked and does not say. */
  async getManifest(
    grant: RegistryGrant,
    image: string,
    reference: Reference,
  ): Promise<FoundManifest> {
    if (grant.registry.kind === "source") return this.#manifests.get(grant, image, reference);
    const leaves = await this.#asked(grant.registry, image);
    return reference.kind === "tag"
      ? this.#byTag(leaves, image, reference.tag)
      : this.#anywhere(leaves, image, reference.digest.text);
  }

  /** The blob of an image. @throws as {@link ImageViews.getManifest} */
  async getBlob(
    grant: RegistryGrant,
    image: string,
    digest: OciDigest,
    options: { readonly withBytes: boolean },
  ): Promise<FoundBlob> {
    if (grant.registry.kind === "source") return this.#ownBlob(grant, image, digest);
    const leaves = await this.#blobLeaves(grant, image, options);
    const links = await Promise.all(
      leaves.map((leaf) => this.#services.blobLinks.find(refOf(leaf, image), digest.text)),
    );
    for (const [position, leaf] of leaves.entries()) {
      const link = links[position];
      if (link === undefined || !(await this.#ages.isBlobVisible(leaf, image, digest.text)))
        continue;
      if (leaf.upstream !== undefined && options.withBytes) this.#blobs.heardCached(leaf.upstream);
      return { ...link, createdAtMs: link.linkedAtMs };
    }
    return this.#firstOf(leaves, new NotFoundError("file", digest.text), async (leaf) => {
      const proxied = proxyImageOf(leaf, image);
      if (proxied === undefined) return undefined;
      if (!(await this.#ages.isBlobVisible(leaf, image, digest.text))) return undefined;
      if (!options.withBytes) {
        const sizeBytes = await this.#blobs.sizeBytes(proxied, digest);
        const createdAtMs = this.#services.stores.now();
        if (sizeBytes !== undefined) return { sizeBytes, sha256: "", createdAtMs };
      }
      const link = await this.#blobs.get(proxied, digest);
      return { ...link, createdAtMs: link.linkedAtMs };
    });
  }

  /** The registries that are asked for an image, in their order. */
  async #asked(registry: Registry, image: string): Promise<readonly Leaf[]> {
    if (registry.kind === "source") return [{ registry, routings: [] }];
    const routes = await this.#services.views.routes(registry, image);
    return routes.filter((route) => isAskedFor(route, image)).map(({ leaf }) => leaf);
  }

  async #ownBlob({ registry }: RegistryGrant, image: string, digest: OciDigest) {
    const ref = { registryId: registry.id, packageName: image };
    const link = await this.#services.blobLinks.find(ref, digest.text);
    if (link === undefined) throw new NotFoundError("file", digest.text);
    return { ...link, createdAtMs: link.linkedAtMs };
  }

  /**
   * Clients that push ask with HEAD which blobs they need not send. They are told of those in the registry that they
   * push to: others would be missing there.
   */
  async #blobLeaves(
    grant: RegistryGrant,
    image: string,
    { withBytes }: { readonly withBytes: boolean },
  ): Promise<readonly Leaf[]> {
    const leaves = await this.#asked(grant.registry, image);
    const { publishTo } = grant.registry.routing;
    const isPush = !withBytes && publishTo !== "" && grant.may("packages:write", image);
    return isPush ? leaves.filter(({ registry }) => registry.slug === publishTo) : leaves;
  }

  async #byTag(leaves: readonly Leaf[], image: string, tag: string): Promise<FoundManifest> {
    for (const leaf of leaves) {
      const found = await this.#tagOf(leaf, image, tag);
      if (found !== undefined) return found;
    }
    throw new NotFoundError("tag", tag);
  }

  /** @throws {NotFoundError} when it is there and too young: the next registry's tag would be another image. */
  async #tagOf(leaf: Leaf, image: string, tag: string): Promise<FoundManifest | undefined> {
    const proxied = proxyImageOf(leaf, image);
    if (proxied === undefined) {
      const found = await this.#manifests.findTag(refOf(leaf, image), tag);
      if (found === undefined) return undefined;
      if (await this.#ages.isVisible(leaf, image, found.version())) return found;
      throw new NotFoundError("tag", tag);
    }
    const known = await this.#tags.find(proxied, tag);
    if (known === undefined) return undefined;
    const { stale } = known;
    const withStale = (found: FoundManifest): FoundManifest =>
      stale === "" ? found : { ...found, stale };
    if (!this.#ages.hasRule(leaf, image)) {
      return withStale(await this.#byDigest.get(proxied, known.digest));
    }
    for (const { digest, movedAtMs } of await known.history()) {
      const found = await this.#byDigest.get(proxied, digest);
      if (await this.#ages.isVisible(leaf, image, found.version(), movedAtMs)) {
        return withStale(found);
      }
    }
    throw new NotFoundError("tag", tag);
  }

  /** What is here needs no upstream, whichever comes first. */
  async #anywhere(leaves: readonly Leaf[], image: string, digest: string): Promise<FoundManifest> {
    const stored = await Promise.all(
      leaves.map((leaf) => this.#manifests.find(refOf(leaf, image), digest)),
    );
    for (const [position, leaf] of leaves.entries()) {
      const found = stored[position];
      if (found === undefined) continue;
      if (await this.#ages.isVisible(leaf, image, found.version())) return found;
    }
    return this.#firstOf(leaves, new NotFoundError("version", digest), async (leaf, position) => {
      const proxied = proxyImageOf(leaf, image);
      if (proxied === undefined || stored[position] !== undefined) return undefined;
      const found = await this.#byDigest.get(proxied, digest);
      return (await this.#ages.isVisible(leaf, image, found.version())) ? found : undefined;
    });
  }

  /** An upstream that fails keeps nobody from what another has: a digest cannot be taken over. */
  async #firstOf<T>(
    leaves: readonly Leaf[],
    missing: NotFoundError,
    find: (leaf: Leaf, position: number) => Promise<T | undefined>,
  ): Promise<T> {
    let failure: Error = missing;
    for (const [position, leaf] of leaves.entries()) {
      try {
        const found = await find(leaf, position);
        if (found !== undefined) return found;
      } catch (error) {
        if (error instanceof UpstreamFailedError) failure = error;
        else if (!(error instanceof NotFoundError)) throw error;
      }
    }
    throw failure;
  }
}
