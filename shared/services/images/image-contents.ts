import { LRUCache } from "lru-cache";
import { UnavailableError, UnsupportedError } from "../../errors.ts";
import type { Version } from "../../domain/package.ts";
import { BlobsUnavailableError } from "../../ports/blobs.ts";
import type { PackageRef } from "../blob-links.ts";
import { FileTree, type LayerChanges, noteEntry, segmentsOf, type TreeEntry } from "./file-tree.ts";
import { type ImageBlobs, UnreadableError } from "./image-blobs.ts";
import { imageMetadataOf, type ImagePart } from "./image-metadata.ts";
import { BudgetExceededError, ReadBudget } from "./read-budget.ts";
import { readTar } from "./read-tar.ts";

/** The files of an image, and what is wrong with them. */
export interface ImageContents {
  /** In the order of paths compared segment by segment. */
  readonly entries: readonly TreeEntry[];
  /** Files, without folders and links. */
  readonly fileCount: number;
  /** Of the files that are there in the end. */
  readonly totalBytes: number;
  /** Sentences on what could not be read; empty when everything was. */
  readonly problems: readonly string[];
}

/** An answer is due within the 30 s of an API gateway; 100,000 entries are a large distribution with its sources. */
const LIMITS = {
  maxEntries: 100_000,
  maxPathCharacters: 16_000_000,
  maxBytes: 8 * 1024 ** 3,
  maxMs: 20_000,
};
/** Of all trees that are kept: some 50 MB. */
const MAX_KEPT_ENTRIES = 300_000;
/** Where reading stopped, another try may get further, but not at once. */
const PARTIAL_MS = 10 * 60_000;
const MAX_READERS = 2;
const TAR = /\btar\b/;

/**
 * Reads the file tree of an image from its layers when somebody asks, and keeps the latest trees in this process:
 * they can always be made again, and most images are never looked at.
 */
export class ImageContentsReader {
  readonly #blobs: ImageBlobs;
  readonly #running = new Map<string, Promise<ImageContents>>();
  readonly #kept = new LRUCache<string, ImageContents>({
    maxSize: MAX_KEPT_ENTRIES,
    sizeCalculation: ({ entries }) => entries.length + 1,
  });

  constructor(blobs: ImageBlobs) {
    this.#blobs = blobs;
  }

  /** What is kept of a version; reads nothing. */
  peek(version: Version): ImageContents | undefined {
    return this.#kept.get(keyOf(version));
  }

  /**
   * The caller has checked that the version may be read.
   *
   * @throws {UnsupportedError} for what has no files, {@link UnavailableError} while too many others are read.
   */
  async read(version: Version): Promise<ImageContents> {
    const { kind, layers } = imageMetadataOf(version);
    if (kind === "index") {
      throw new UnsupportedError(
        "This is an index of images and has no files of its own; ask for the image of one platform.",
      );
    }
    if (!layers.some(({ mediaType }) => TAR.test(mediaType))) {
      throw new UnsupportedError("This artifact has no layers with files.");
    }
    const key = keyOf(version);
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    if (this.#running.size >= MAX_READERS) {
      throw new UnavailableError("The files of other images are being read; try again soon.", 5);
    }
    const reading = this.#read(version, layers).finally(() => {
      this.#running.delete(key);
    });
    this.#running.set(key, reading);
    return reading;
  }

  async #read(version: Version, layers: readonly ImagePart[]): Promise<ImageContents> {
    const budget = new ReadBudget(LIMITS);
    const tree = new FileTree();
    const problems: string[] = [];
    for (const [position, layer] of layers.entries()) {
      const { changes, problem, isOver } = await this.#readLayer(version, layer, position, budget);
      tree.apply(changes);
      if (problem !== undefined) problems.push(`Layer ${position + 1}: ${problem}`);
      if (isOver) break;
    }
    const entries = tree.list();
    const files = entries.filter(({ type }) => type === "file");
    const contents = {
      entries,
      fileCount: files.length,
      totalBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      problems,
    };
    const ttl = problems.length === 0 ? {} : { ttl: PARTIAL_MS };
    this.#kept.set(keyOf(version), contents, ttl);
    return contents;
  }

  async #readLayer(
    ref: PackageRef,
    { digest, mediaType }: ImagePart,
    position: number,
    budget: ReadBudget,
  ) {
    const changes: LayerChanges = { entries: [], removed: [], emptied: [] };
    if (!TAR.test(mediaType)) return { changes, problem: `${mediaType} holds no files.` };
    let ignored = 0;
    try {
      await readTar(await this.#blobs.open(ref, digest), budget, {
        enter: (header) => budget.countEntry(header.name),
        leave: (header) => {
          const segments = segmentsOf(header.name);
          if (segments === undefined) ignored++;
          else noteEntry(changes, segments, header, position);
        },
      });
    } catch (error) {
      if (error instanceof BlobsUnavailableError) throw error;
      const message = error instanceof Error ? error.message : String(error);
      const isKnown = error instanceof BudgetExceededError || error instanceof UnreadableError;
      const problem = isKnown ? message : `It is damaged, or no tar archive (${message}).`;
      return { changes, problem, isOver: error instanceof BudgetExceededError };
    }
    if (ignored === 0) return { changes };
    return {
      changes,
      problem: `${ignored} entries whose names lead out of the image are left out.`,
    };
  }
}

/** With the repository: another one may have the same manifest without all of its layers, and must not show them. */
function keyOf({ registryId, packageName, version }: Version): string {
  return `${registryId}#${packageName}#${version}`;
}
