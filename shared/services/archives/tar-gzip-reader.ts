import { createGunzip, type Gunzip } from "node:zlib";
import { extract, type Extract, type Header } from "tar-stream";
import { RegistryError } from "../../errors.ts";

const GUNZIP_CHUNK_BYTES = 64 * 1024;

/** What is needed of the stream of an entry's bytes. */
export interface EntryStream {
  on(event: "data", listener: (chunk: unknown) => void): unknown;
}

/** What a protocol wants of an archive, and says of it. Errors that it throws end the reading. */
export interface TarGzipRules {
  /** Judges an entry and notes what it is. The reader reads the stream. */
  enter(header: Header, stream: EntryStream): void;
  /** Judges the sizes so far, whenever bytes were unpacked. */
  requireHonestSize(unpackedBytes: number, packedBytes: number): void;
  /** The sender's mistake that gzip or tar complain of, in these words. */
  damaged(words: string): RegistryError;
}

/** Reads a gzipped tar archive while it arrives, to its last byte; memory does not grow with it. */
export class TarGzipReader {
  readonly #rules: TarGzipRules;
  readonly #gunzip: Gunzip = createGunzip({ chunkSize: GUNZIP_CHUNK_BYTES });
  readonly #tar: Extract = extract();
  /** Settles when all was read, or something was found wrong. */
  readonly #finished: Promise<void>;
  #packedBytes = 0;
  #unpackedBytes = 0;
  #failure: RegistryError | undefined;

  constructor(rules: TarGzipRules) {
    this.#rules = rules;
    this.#gunzip.on("error", () => {});
    this.#finished = this.#read();
    // Whoever writes, or waits for the end, learns of a failure there; nothing else may, or the process ends.
    this.#finished.catch(() => {});
  }

  /** Takes the next bytes of the gzip file. @throws {RegistryError} of the rules, for what was found so far. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#packedBytes += bytes.length;
    const taken = new Promise<void>((resolve) => {
      this.#gunzip.write(bytes, () => resolve());
    });
    await Promise.race([taken, this.#finished]);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Resolves when all was read, after the last byte. @throws {RegistryError} of the rules. */
  async finish(): Promise<void> {
    this.#gunzip.end();
    await this.#finished;
  }

  /** Stops reading; there will be no verdict. */
  destroy(): void {
    this.#gunzip.destroy();
    this.#tar.destroy();
  }

  async #read(): Promise<void> {
    try {
      await this.#unpack();
    } catch (error) {
      this.#failure = this.#toRegistryError(error);
      this.destroy();
      throw this.#failure;
    }
  }

  async #unpack(): Promise<void> {
    const ended = this.#readEntries();
    ended.catch(() => {});
    for await (const chunk of this.#gunzip) {
      if (!(chunk instanceof Uint8Array)) continue;
      this.#unpackedBytes += chunk.length;
      this.#rules.requireHonestSize(this.#unpackedBytes, this.#packedBytes);
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
          this.#rules.enter(header, stream);
        } catch (error) {
          reject(this.#toRegistryError(error));
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
      this.#tar.on("close", () => reject(this.#rules.damaged("it was not read to its end")));
    });
  }

  #toRegistryError(error: unknown): RegistryError {
    if (error instanceof RegistryError) return error;
    return this.#rules.damaged(error instanceof Error ? error.message : String(error));
  }
}

/** The bytes of an entry, complete when the archive was read. */
export function gatherBytes(stream: EntryStream): readonly Uint8Array[] {
  const chunks: Uint8Array[] = [];
  stream.on("data", (chunk) => {
    if (chunk instanceof Uint8Array) chunks.push(chunk);
  });
  return chunks;
}
