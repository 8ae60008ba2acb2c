import type { ByteStream } from "../../ports/blobs.ts";
import type { BlobLinks, PackageRef } from "../blob-links.ts";
import { collect } from "../streams.ts";
import type { Stores } from "../stores.ts";

/** Configs are some kilobytes; what is larger is not shown. */
const MAX_CONFIG_BYTES = 1024 * 1024;

/** Why something that a manifest names cannot be shown; its message is a sentence for people. */
export class UnreadableError extends Error {
  override readonly name = "UnreadableError";
}

/** The blobs of one repository: only what it links, whatever else is stored. */
export class ImageBlobs {
  readonly #stores: Stores;
  readonly #blobLinks: BlobLinks;

  constructor(stores: Stores, blobLinks: BlobLinks) {
    this.#stores = stores;
    this.#blobLinks = blobLinks;
  }

  /** @throws {UnreadableError} for what clients get from elsewhere, or has been deleted. */
  async open(ref: PackageRef, digest: string): Promise<ByteStream> {
    const link = await this.#blobLinks.find(ref, digest);
    const stream = link === undefined ? undefined : await this.#stores.blobs.open(link.sha256);
    if (stream === undefined) throw new UnreadableError(`${digest} is not stored here.`);
    return stream;
  }

  /**
   * Reads a config with `parse`, whose failures count as what is wrong with the config.
   *
   * @throws {UnreadableError}
   */
  async readConfig<T>(
    ref: PackageRef,
    config: { readonly digest: string; readonly size: number },
    parse: (bytes: Uint8Array) => T,
  ): Promise<T> {
    if (config.size > MAX_CONFIG_BYTES) {
      throw new UnreadableError(`The config is larger than ${MAX_CONFIG_BYTES} bytes.`);
    }
    const stream = await this.open(ref, config.digest);
    try {
      // A manifest may lie about the size of its parts.
      return parse(await collect(stream, MAX_CONFIG_BYTES));
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof RangeError) {
        throw new UnreadableError(
          "The config cannot be read: it is not the JSON object that it should be.",
        );
      }
      throw error;
    }
  }
}
