import { isDefined } from "../../domain/defined.ts";
import type { Digests } from "../../domain/digest.ts";
import { isAvailable, type Version } from "../../domain/package.ts";
import { listFilesQuery, toFile } from "../../records/files.ts";
import { listTagsQuery, toTag } from "../../records/tags.ts";
import { toVersion, versionKey } from "../../records/versions.ts";
import type { BlobLinks } from "../blob-links.ts";
import { eachItem } from "../queries.ts";
import type { Stores } from "../stores.ts";
import { type ChartDetails, readChart } from "./chart.ts";
import { ImageBlobs, UnreadableError } from "./image-blobs.ts";
import { type ImageConfig, type ParsedConfig, parseImageConfig } from "./image-config.ts";
import { type ImageContents, ImageContentsReader } from "./image-contents.ts";
import {
  compressedBytes,
  findImageMetadata,
  type ImageKind,
  imageMetadataOf,
  type ImageMetadata,
  kindOf,
} from "./image-metadata.ts";
import { listNamedReferrers, type NamedReferrer } from "./referrers.ts";

/** One image of an index, or the image itself. */
export interface ImagePlatform {
  readonly digest: string;
  readonly mediaType: string;
  /** Empty where neither index nor config says. */
  readonly os: string;
  readonly architecture: string;
  readonly variant: string;
  readonly osVersion: string;
  /** Config and layers together; 0 when the image is not there. */
  readonly compressedBytes: number;
}

export interface ImageLayer {
  readonly digest: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  /** What made it; empty where the image does not say. */
  readonly createdBy: string;
}

export interface ImageDetails {
  readonly kind: ImageKind;
  readonly mediaType: string;
  readonly artifactType: string;
  /** Of the manifest; absent when its file is gone. */
  readonly digests: Digests | undefined;
  readonly manifestBytes: number;
  readonly compressedBytes: number;
  readonly platforms: readonly ImagePlatform[];
  readonly layers: readonly ImageLayer[];
  /** Absent for what has none, or when it cannot be read. */
  readonly config: ImageConfig | undefined;
  readonly annotations: Readonly<Record<string, string>>;
  /** What this is about; empty for nothing. */
  readonly subject: string;
  readonly referrers: readonly NamedReferrer[];
  readonly moreReferrers: boolean;
  /** The newest first, at most {@link MAX_TAGS}. */
  readonly tags: readonly string[];
  /** Known when the files have been read before. */
  readonly contents: ImageContents | undefined;
  readonly problems: readonly string[];
}

const MAX_TAGS = 100;
const BATCH = 100;

/**
 * What people want to know of images and charts. It needs only rows that are neutral (metadata, links, referrers)
 * and the blobs, and no other ecosystem has layers: so it is a service, not a part of every ecosystem's interface.
 */
export class Images {
  readonly #stores: Stores;
  readonly #blobs: ImageBlobs;
  readonly #contents: ImageContentsReader;

  constructor(stores: Stores, blobLinks: BlobLinks) {
    this.#stores = stores;
    this.#blobs = new ImageBlobs(stores, blobLinks);
    this.#contents = new ImageContentsReader(this.#blobs);
  }

  /** The caller has checked that the version may be read. @throws {UnsupportedError} for another ecosystem's. */
  async describe(version: Version): Promise<ImageDetails> {
    const metadata = imageMetadataOf(version);
    const { registryId, packageName, version: digest } = version;
    const { table } = this.#stores;
    const [parsed, children, about, tags, files] = await Promise.all([
      this.#readConfig(version, metadata),
      this.#children(version, metadata),
      listNamedReferrers(table, registryId, packageName, digest),
      this.listTags(version),
      table.query(listFilesQuery(registryId, packageName, digest, { limit: 1 })),
    ]);
    const [file] = files.items.map(toFile);
    const own = metadata.kind === "image" ? [platformOfImage(version, metadata, parsed)] : [];
    return {
      kind: kindOf(metadata),
      mediaType: metadata.mediaType,
      artifactType: metadata.artifactType,
      digests: file?.digests,
      manifestBytes: version.sizeBytes,
      compressedBytes:
        metadata.kind === "image"
          ? compressedBytes(metadata)
          : children.platforms.reduce((sum, platform) => sum + platform.compressedBytes, 0),
      platforms: [...own, ...children.platforms],
      layers: metadata.layers.map((layer, position) => ({
        digest: layer.digest,
        mediaType: layer.mediaType,
        sizeBytes: layer.size,
        createdBy: parsed.layerCommands[position] ?? "",
      })),
      config: parsed.config,
      annotations: metadata.annotations,
      subject: metadata.subject ?? "",
      referrers: [...about.referrers, ...children.attestations],
      moreReferrers: about.more,
      tags,
      contents: this.#contents.peek(version),
      problems: parsed.problem === undefined ? [] : [parsed.problem],
    };
  }

  /** The file tree; see {@link ImageContentsReader.read}. */
  contents(version: Version): Promise<ImageContents> {
    return this.#contents.read(version);
  }

  /** See {@link readChart}. */
  chart(version: Version): Promise<ChartDetails> {
    return readChart(this.#blobs, version);
  }

  async #readConfig(
    version: Version,
    metadata: ImageMetadata,
  ): Promise<Partial<ParsedConfig> & { layerCommands: readonly string[]; problem?: string }> {
    const { config } = metadata;
    if (config === undefined || kindOf(metadata) !== "image") return { layerCommands: [] };
    try {
      return await this.#blobs.readConfig(version, config, parseImageConfig);
    } catch (error) {
      if (error instanceof UnreadableError) return { layerCommands: [], problem: error.message };
      throw error;
    }
  }

  /** Tags that point at a version, the newest first, at most {@link MAX_TAGS}. Reads every tag of the image. */
  async listTags({ registryId, packageName, version }: Version): Promise<readonly string[]> {
    const tags = [];
    for await (const item of eachItem(this.#stores.table, (page) =>
      listTagsQuery(registryId, packageName, page),
    )) {
      const tag = toTag(item);
      if (tag.version === version) tags.push(tag);
    }
    tags.sort((a, b) => b.updatedAtMs - a.updatedAtMs);
    return tags.slice(0, MAX_TAGS).map(({ name }) => name);
  }

  /** The images of an index; buildx puts attestations beside them, for a platform that does not exist. */
  async #children({ registryId, packageName }: Version, { manifests }: ImageMetadata) {
    const platforms: ImagePlatform[] = [];
    const attestations: NamedReferrer[] = [];
    for (let start = 0; start < manifests.length; start += BATCH) {
      const some = manifests.slice(start, start + BATCH);
      const items = await this.#stores.table.getMany(
        [...new Set(some.map(({ digest }) => digest))].map((digest) =>
          versionKey(registryId, packageName, digest),
        ),
      );
      const versions = new Map(
        items
          .filter(isDefined)
          .map(toVersion)
          .filter(isAvailable)
          .map((version) => [version.version, findImageMetadata(version)]),
      );
      for (const { digest, mediaType, size, platform = {} } of some) {
        const child = versions.get(digest);
        const isAttestation =
          platform["os"] === "unknown" ||
          child?.layers.some((layer) => layer.mediaType.includes("in-toto")) === true;
        if (isAttestation) {
          attestations.push({
            kind: "attestation",
            digest,
            artifactType: child?.artifactType ?? "",
            sizeBytes: size,
            annotations: {},
            by: "index",
          });
        } else {
          platforms.push({
            digest,
            mediaType,
            os: platform["os"] ?? "",
            architecture: platform["architecture"] ?? "",
            variant: platform["variant"] ?? "",
            osVersion: platform["os.version"] ?? "",
            compressedBytes: child === undefined ? 0 : compressedBytes(child),
          });
        }
      }
    }
    return { platforms, attestations };
  }
}

function platformOfImage(
  { version }: Version,
  metadata: ImageMetadata,
  { config }: Partial<ParsedConfig>,
): ImagePlatform {
  return {
    digest: version,
    mediaType: metadata.mediaType,
    os: config?.os ?? "",
    architecture: config?.architecture ?? "",
    variant: config?.variant ?? "",
    osVersion: config?.osVersion ?? "",
    compressedBytes: compressedBytes(metadata),
  };
}
