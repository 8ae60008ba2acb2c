import { createHash } from "node:crypto";
import type { Digests } from "../../../shared/domain/digest.ts";
import { TooLargeError } from "../../../shared/errors.ts";
import type { Blobs, StoredBlob } from "../../../shared/ports/blobs.ts";
import { ByteChannel } from "./byte-channel.ts";
import { TarballCheck, type TarballFacts } from "./tarball-check.ts";

/** A tarball that was read to its end and found well, but is not stored for good yet. */
export interface CheckedTarball {
  readonly facts: TarballFacts;
  readonly sizeBytes: number;
  readonly md5: string;
  readonly sha1: string;
  readonly sha512: string;
}

/**
 * Takes a tarball in: hashes it, checks it and hands it to blob storage, all while it arrives. Storage is not
 * told that it is complete before `commit`, so that whatever is wrong with the publish, or turns out to be
 * wrong in the rest of the request, leaves nothing behind. That is also why the digests are computed here.
 */
export class TarballIntake {
  readonly #maxBytes: number;
  readonly #check = new TarballCheck();
  readonly #channel = new ByteChannel();
  readonly #hashes = {
    md5: createHash("md5"),
    sha1: createHash("sha1"),
    sha512: createHash("sha512"),
  };
  readonly #stored: Promise<StoredBlob>;
  #sizeBytes = 0;

  constructor(blobs: Blobs, maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#stored = blobs.put(this.#channel.stream);
    // Who commits or writes learns of a failure there.
    this.#stored.catch(() => {});
  }

  /** @throws {TooLargeError} | {InvalidInputError} for what was found so far, and what storage throws. */
  async write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    this.#sizeBytes += bytes.length;
    if (this.#sizeBytes > this.#maxBytes) throw new TooLargeError("The tarball", this.#maxBytes);
    for (const hash of Object.values(this.#hashes)) hash.update(bytes);
    // When storage fails it may not read on, and a write alone would wait for ever.
    await Promise.race([this.#channel.write(bytes), this.#stored]);
    await this.#check.write(bytes);
  }

  /** After the last byte. @throws {InvalidInputError} | {TooLargeError} when the tarball is not one to be published. */
  async finish(): Promise<CheckedTarball> {
    const facts = await this.#check.finish();
    const { md5, sha1, sha512 } = this.#hashes;
    return {
      facts,
      sizeBytes: this.#sizeBytes,
      md5: md5.digest("hex"),
      sha1: sha1.digest("hex"),
      sha512: sha512.digest("hex"),
    };
  }

  /** Stores the bytes for good. */
  async commit(checked: CheckedTarball): Promise<Digests> {
    this.#channel.close();
    const { sha256 } = await this.#stored;
    const { md5, sha1, sha512 } = checked;
    return { md5, sha1, sha256, sha512 };
  }

  /** Stores nothing; resolves when storage has cleaned up. */
  async discard(): Promise<void> {
    this.#check.destroy();
    this.#channel.fail(new Error("the publish was refused"));
    await this.#stored.catch(() => {});
  }
}
