import { createGunzip, type Gunzip } from "node:zlib";
import { extract, type Extract } from "tar-stream";
import type { JsonObject } from "../../../shared/domain/json.ts";
import { InvalidInputError, RegistryError, TooLargeError } from "../../../shared/errors.ts";
import { TarballContents } from "./tarball-contents.ts";

/** What a tarball turned out to hold. */
export interface TarballFacts {
  readonly packageJson: JsonObject;
  /** Regular files. */
  readonly fileCount: number;
  /** Sum of the sizes of the files. */
  readonly unpackedSizeBytes: number;
  readonly hasShrinkwrap: boolean;
  /** `binding.gyp` at the root makes npm run node-gyp at install. */
  readonly hasBindingGyp: boolean;
  /** Text of the README at the root, cut off where npm's registry cuts it; empty without one. */
  readonly readme: string;
}

const MAX_UNPACKED_BYTES = 4 * 1024 ** 3;
/** Below this, whatever the ratio: real packages of repetitive files are that small. */
const MAX_SUSPICIOUS_BYTES = 100 * 1024 ** 2;
const MAX_RATIO = 200;
const GUNZIP_CHUNK_BYTES = 64 * 1024;

/**
 * Reads a package's tarball while it arrives: gzip and tar must be well formed to the last byte, no entry may
 * be dangerous to unpack, and it must hold a `package.json`. Memory does not grow with the tarball.
 */
export class TarballCheck {
  readonly #gunzip: Gunzip = createGunzip({ chunkSize: GUNZIP_CHUNK_BYTES });
  readonly #tar: Extract = extract();
  readonly #contents = new TarballContents();
  /** Settles when all was read, or something was found wrong. */
  readonly #finished: Promise<void>;
  #packedBytes = 0;
  #unpackedBytes = 0;
  #failure: Error | undefined;

  constructor() {
    this.#gunzip.on("error", () => {});
    this.#finished = this.#read();
    // Whoever writes, or waits for the end, learns of a failure there; nothing else may, or the process ends.
    this.#finished.catch(() => {});
  }

  /** Takes the next bytes of the gzip file. @throws {InvalidInputError} | {TooLargeError} for what was found so far. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#packedBytes += bytes.length;
    const taken = new Promise<void>((resolve) => {
      this.#gunzip.write(bytes, () => resolve());
    });
    await Promise.race([taken, this.#finished]);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** The verdict, after the last byte. @throws {InvalidInputError} | {TooLargeError} */
  async finish(): Promise<TarballFacts> {
    this.#gunzip.end();
    await this.#finished;
    return this.#contents.facts();
  }

  /** Stops reading; the check is over without a verdict. */
  destroy(): void {
    this.#gunzip.destroy();
    this.#tar.destroy();
  }

  async #read(): Promise<void> {
    try {
      await this.#unpack();
    } catch (error) {
      this.#failure = toInputError(error);
      this.destroy();
      throw this.#failure;
    }
  }

  async #unpack(): Promise<void> {
    const ended = this.#readEntries();
    ended.catch(() => {});
    for await (const chunk of this.#gunzip) {
      if (!(chunk instanceof Uint8Array)) continue;
      this.#count(chunk.length);
      if (!this.#tar.write(chunk)) {
        const drained = new Promise<void>((resolve) => {
          this.#tar.once("drain", () => resolve());
        });
        await Promise.race([drained, ended]);
      }
    }
    this.#tar.end(undefined);
    await ended;
  }

  /** Resolves when the archive ended well. */
  #readEntries(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#tar.on("entry", (header, stream, next) => {
        try {
          this.#contents.enter(header, stream);
        } catch (error) {
          reject(toInputError(error));
          this.#tar.destroy();
          return;
        }
        // An archive that breaks off within an entry fails there too; the archive itself tells of it.
        stream.on("error", () => {});
        stream.on("end", () => next());
        stream.resume();
      });
      this.#tar.on("finish", () => resolve());
      this.#tar.on("error", reject);
      this.#tar.on("close", () =>
        reject(new InvalidInputError("The tarball was not read to its end.")),
      );
    });
  }

  #count(bytes: number): void {
    this.#unpackedBytes += bytes;
    if (this.#unpackedBytes > MAX_UNPACKED_BYTES) {
      throw new TooLargeError("The unpacked tarball", MAX_UNPACKED_BYTES);
    }
    if (
      this.#unpackedBytes > MAX_SUSPICIOUS_BYTES &&
      this.#unpackedBytes > this.#packedBytes * MAX_RATIO
    ) {
      throw new InvalidInputError(
        `The tarball unpacks to more than ${MAX_RATIO} times its size; that is taken for a decompression bomb.`,
        [{ at: "/_attachments", problem: "suspicious compression ratio" }],
      );
    }
  }
}

/** What gzip and tar complain of is the sender's mistake. */
function toInputError(error: unknown): Error {
  if (error instanceof RegistryError) return error;
  const words = error instanceof Error ? error.message : String(error);
  return new InvalidInputError(
    `The tarball is damaged or not a gzipped tar archive (${words}); pack it again.`,
    [{ at: "/_attachments", problem: words }],
  );
}
