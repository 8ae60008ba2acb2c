import { createHash } from "node:crypto";
import { createBLAKE2b, type IHasher } from "hash-wasm";
import type { Digests } from "../../../shared/domain/digest.ts";
import { TooLargeError } from "../../../shared/errors.ts";
import type { Blobs, StoredBlob } from "../../../shared/ports/blobs.ts";
import { formatOf } from "../names.ts";
import type { ArchiveScan } from "./archive-limits.ts";
import { TarScan } from "./tar-scan.ts";
import { ZipScan } from "./zip-scan.ts";

/** A distribution that was read to its end and found well, but is not stored for good yet. */
export interface CheckedDistribution {
  readonly sizeBytes: number;
  readonly digests: Digests;
  /** Lower-case hexadecimal. */
  readonly blake2b256: string;
  /** The METADATA of a wheel or the PKG-INFO of an sdist, as it is. */
  readonly metadata: Uint8Array;
}

/** The reader for an archive of this name. @throws {InvalidInputError} for other names. */
export function scanFor(fileName: string): ArchiveScan {
  if (formatOf(fileName) === "tar.gz") return new TarScan();
  return new ZipScan(fileName.endsWith(".whl") ? "wheel" : "sdist");
}

/** BLAKE2b with a digest of 256 bits, which Node has not: its own of 512 bits is no extension of it. */
export const startBlake2b256 = async (): Promise<IHasher> => createBLAKE2b(256);

/**
 * Takes a distribution in: hashes it, checks it and hands it to blob storage, all while it arrives. Storage is not
 * told that it is complete before `commit`, so that whatever turns out to be wrong leaves nothing behind. That is
 * also why the digests are computed here.
 */
export class DistributionIntake {
  readonly fileName: string;
  readonly #maxBytes: number;
  readonly #scan: ArchiveScan;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #stored: Promise<StoredBlob>;
  readonly #hashes = {
    md5: createHash("md5"),
    sha1: createHash("sha1"),
    sha256: createHash("sha256"),
    sha512: createHash("sha512"),
  };
  readonly #blake2b: IHasher;
  #sizeBytes = 0;

  /** `blake2b` comes from outside because only waiting makes one. @throws {InvalidInputError} */
  constructor(
    blobs: Blobs,
    fileName: string,
    options: { readonly maxBytes: number; readonly blake2b: IHasher },
  ) {
    this.fileName = fileName;
    this.#maxBytes = options.maxBytes;
    this.#scan = scanFor(fileName);
    this.#blake2b = options.blake2b;
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    this.#writer = writable.getWriter();
    this.#writer.closed.catch(() => {});
    this.#stored = blobs.put(readable);
    // Who commits or writes learns of a failure there.
    this.#stored.catch(() => {});
  }

  /** @throws {TooLargeError} | {InvalidInputError} for what was found so far, and what storage throws. */
  async write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    this.#sizeBytes += bytes.length;
    if (this.#sizeBytes > this.#maxBytes) {
      throw new TooLargeError("The distribution", this.#maxBytes);
    }
    for (const hash of Object.values(this.#hashes)) hash.update(bytes);
    this.#blake2b.update(bytes);
    // When storage fails it may not read on, and a write alone would wait for ever.
    await Promise.race([this.#writer.write(bytes), this.#stored]);
    await this.#scan.write(bytes);
  }

  /** After the last byte. @throws {InvalidInputError} | {TooLargeError} when it cannot be published. */
  async finish(): Promise<CheckedDistribution> {
    const metadata = await this.#scan.finish();
    const { md5, sha1, sha256, sha512 } = this.#hashes;
    return {
      sizeBytes: this.#sizeBytes,
      digests: {
        md5: md5.digest("hex"),
        sha1: sha1.digest("hex"),
        sha256: sha256.digest("hex"),
        sha512: sha512.digest("hex"),
      },
      blake2b256: this.#blake2b.digest(),
      metadata,
    };
  }

  /** Stores the bytes for good. */
  async commit(): Promise<void> {
    await Promise.race([this.#writer.close(), this.#stored]);
    await this.#stored;
  }

  /** Stores nothing; resolves when storage has cleaned up. After `commit` it does nothing. */
  async discard(): Promise<void> {
    this.#scan.destroy();
    await this.#writer.abort(new Error("the upload was refused")).catch(() => {});
    await this.#stored.catch(() => {});
  }
}
