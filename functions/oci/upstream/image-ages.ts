import { LRUCache } from "lru-cache";
import { isAvailable, type Version } from "../../../shared/domain/package.ts";
import { listVersionsQuery, toVersion } from "../../../shared/records/versions.ts";
import { usedBlobs } from "../../../shared/services/blob-links.ts";
import { parseImageConfig } from "../../../shared/services/images/image-config.ts";
import {
  findImageMetadata,
  type ImageMetadata,
} from "../../../shared/services/images/image-metadata.ts";
import { eachItem } from "../../../shared/services/queries.ts";
import type { Services } from "../../../shared/services/services.ts";
import { collect } from "../../../shared/services/streams.ts";
import { visibleThrough } from "../../../shared/services/views/listing.ts";
import type { Leaf } from "../../../shared/services/views/routes.ts";
import { findDigest } from "../names.ts";
import type { ProxiedBlobs } from "./proxied-blobs.ts";
import type { ProxiedManifests } from "./proxied-manifests.ts";
import { type ProxyImage, proxyImageOf, refOf } from "./proxy-image.ts";

const MAX_CONFIG_BYTES = 1024 * 1024;
const MAX_LEVELS = 3;
/** Builds that can be repeated have dates such as 1970 and 1980, which say nothing. */
const FIRST_PLAUSIBLE_MS = Date.UTC(2000, 0);
const DAY_MS = 86_400_000;
const CREATED = "org.opencontainers.image.created";
/** Signatures, SBOMs and attestations: about an image, younger than it by nature, and nothing that runs. */
const ABOUT = /cosign|sigstore|in-toto|dsse|spdx|cyclonedx|notary/;

/** How old images of proxies are, for rules about it. The protocol does not say when something was pushed. */
export class ImageAges {
  readonly #services: Services;
  readonly #manifests: ProxiedManifests;
  readonly #blobs: ProxiedBlobs;
  /** By registry, image and digest, whose bytes never change. */
  readonly #created = new LRUCache<string, number>({ max: 10_000 });

  constructor(services: Services, manifests: ProxiedManifests, blobs: ProxiedBlobs) {
    this.#services = services;
    this.#manifests = manifests;
    this.#blobs = blobs;
  }

  /** Whether any age is asked of this image here. */
  hasRule({ routings }: Leaf, image: string): boolean {
    const now = this.#services.stores.now();
    return visibleThrough(routings, image, now) > now;
  }

  /** Whether a manifest is old enough; `movedAtMs`: when the tag was seen to move to it, by which it was asked for. */
  async isVisible(leaf: Leaf, image: string, version: Version, movedAtMs = 0): Promise<boolean> {
    if (!this.hasRule(leaf, image)) return true;
    const proxied = proxyImageOf(leaf, image);
    const bornAtMs =
      proxied === undefined ? version.publishedAtMs : await this.#bornAtMs(proxied, version, 0);
    // Of what is as old as it likes to say, at least the tag that moved to it is known to be young.
    const atMs = bornAtMs === 0 ? 0 : Math.max(bornAtMs, movedAtMs);
    return visibleThrough(leaf.routings, image, atMs) <= this.#services.stores.now();
  }

  /** Whether a blob belongs to a manifest that is here and old enough. Reads all versions where there is a rule. */
  async isBlobVisible(leaf: Leaf, image: string, digest: string): Promise<boolean> {
    if (!this.hasRule(leaf, image)) return true;
    const { registryId, packageName } = refOf(leaf, image);
    for await (const item of eachItem(this.#services.stores.table, (page) =>
      listVersionsQuery(registryId, packageName, page),
    )) {
      const version = toVersion(item);
      if (!isAvailable(version) || !usedBlobs(version).includes(digest)) continue;
      if (await this.isVisible(leaf, image, version)) return true;
    }
    return false;
  }

  /** Unix milliseconds: when it says it was made, otherwise when it was first seen here; 0 for what has no age. */
  async #bornAtMs(image: ProxyImage, version: Version, level: number): Promise<number> {
    const name = `${image.registry.id} ${image.repository} ${version.version}`;
    const known = this.#created.get(name);
    if (known !== undefined) return known;
    const metadata = findImageMetadata(version);
    const isAbout =
      metadata !== undefined &&
      (metadata.subject !== undefined ||
        (metadata.layers.length > 0 &&
          metadata.layers.every((part) => ABOUT.test(part.mediaType))));
    const createdAtMs = isAbout ? 0 : await this.#createdAtMs(image, metadata, level);
    const isPlausible =
      isAbout ||
      (createdAtMs >= FIRST_PLAUSIBLE_MS && createdAtMs <= this.#services.stores.now() + DAY_MS);
    const bornAtMs = isPlausible ? createdAtMs : version.publishedAtMs;
    this.#created.set(name, bornAtMs);
    return bornAtMs;
  }

  /** NaN where nothing says. @throws {UpstreamFailedError} when the upstream must be asked and does not say. */
  async #createdAtMs(
    image: ProxyImage,
    metadata: ImageMetadata | undefined,
    level: number,
  ): Promise<number> {
    if (metadata === undefined || level >= MAX_LEVELS) return Number.NaN;
    const annotated = Date.parse(metadata.annotations[CREATED] ?? "");
    if (metadata.kind === "image") {
      const configured = await this.#configuredAtMs(image, metadata);
      return Number.isNaN(configured) ? annotated : configured;
    }
    const child = metadata.manifests.find(({ platform }) => platform?.["os"] !== "unknown");
    if (child === undefined) return annotated;
    const found = await this.#manifests.get(image, child.digest);
    return this.#bornAtMs(image, found.version(), level + 1);
  }

  async #configuredAtMs(image: ProxyImage, { config }: ImageMetadata): Promise<number> {
    const digest = config === undefined ? undefined : findDigest(config.digest);
    if (config === undefined || digest === undefined || config.size > MAX_CONFIG_BYTES) {
      return Number.NaN;
    }
    const link = await this.#blobs.getStored(image, digest);
    const stream = await this.#services.stores.blobs.open(link.sha256);
    if (stream === undefined) return Number.NaN;
    try {
      const { config: parsed } = parseImageConfig(await collect(stream, MAX_CONFIG_BYTES));
      return Date.parse(parsed.created ?? "");
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof RangeError) return Number.NaN;
      throw error;
    }
  }
}
