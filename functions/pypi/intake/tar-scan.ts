import { createGunzip, type Gunzip } from "node:zlib";
import { extract, type Extract, type Header } from "tar-stream";
import { InvalidInputError, RegistryError, TooLargeError } from "../../../shared/errors.ts";
import {
  type ArchiveScan,
  damaged,
  MAX_ENTRIES,
  MAX_METADATA_BYTES,
  requireHonestSize,
} from "./archive-limits.ts";
import { requireLinkInside, requirePathInside } from "./archive-path.ts";

const GUNZIP_CHUNK_BYTES = 64 * 1024;
/** https://packaging.python.org/en/latest/specifications/source-distribution-format/#source-distribution-archive-features */
const METADATA = /^[^/]+\/PKG-INFO$/;
const PLAIN_TYPES: ReadonlySet<string> = new Set(["file", "contiguous-file", "directory"]);

/** What is needed of the stream of an entry's bytes. */
interface EntryStream {
  on(event: "data", listener: (chunk: unknown) => void): unknown;
}

/** Reads a gzipped tar archive (an sdist) to its last byte; memory does not grow with it. */
export class TarScan implements ArchiveScan {
  readonly #gunzip: Gunzip = createGunzip({ chunkSize: GUNZIP_CHUNK_BYTES });
  readonly #tar: Extract = extract();
  /** Settles when all was read, or something was found wrong. */
  readonly #finished: Promise<void>;
  #packedBytes = 0;
  #unpackedBytes = 0;
  #entries = 0;
  #metadata: Uint8Array[] | undefined;
  #failure: Error | undefined;

  constructor() {
    this.#gunzip.on("error", () => {});
    this.#finished = this.#read();
    // Whoever writes, or waits for the end, learns of a failure there; nothing else may, or the process ends.
    this.#finished.catch(() => {});
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#packedBytes += bytes.length;
    const taken = new Promise<void>((resolve) => {
      this.#gunzip.write(bytes, () => resolve());
    });
    await Promise.race([taken, this.#finished]);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async finish(): Promise<Uint8Array> {
    this.#gunzip.end();
    await this.#finished;
    if (this.#metadata === undefined) throw damaged("there is no <name>-<version>/PKG-INFO in it");
    return Buffer.concat(this.#metadata);
  }

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
      this.#unpackedBytes += chunk.length;
      requireHonestSize(this.#unpackedBytes, this.#packedBytes);
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
          this.#enter(header, stream);
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
      this.#tar.on("close", () => reject(damaged("it was not read to its end")));
    });
  }

  #enter({ name, type, size, linkname }: Header, stream: EntryStream): void {
    if (++this.#entries > MAX_ENTRIES) throw damaged(`it has more than ${MAX_ENTRIES} entries`);
    requirePathInside(name);
    if (type === "symlink" || type === "link") {
      requireLinkInside(type, name, linkname ?? "");
      return;
    }
    if (!PLAIN_TYPES.has(type ?? "file")) {
      throw damaged(
        `its entry "${name.slice(0, 100)}" is a ${type}; only files, folders and links can be published`,
      );
    }
    const path = name.replace(/^(?:\.\/)+/, "");
    if (!METADATA.test(path)) return;
    // Of two, some installers read the first and some the last: what was checked must be what is installed.
    if (this.#metadata !== undefined) throw damaged("it has more than one PKG-INFO at its top");
    if ((size ?? 0) > MAX_METADATA_BYTES) {
      throw new TooLargeError("The metadata in the distribution", MAX_METADATA_BYTES);
    }
    const chunks: Uint8Array[] = [];
    this.#metadata = chunks;
    stream.on("data", (chunk) => {
      if (chunk instanceof Uint8Array) chunks.push(chunk);
    });
  }
}

/** What gzip and tar complain of is the sender's mistake. */
function toInputError(error: unknown): Error {
  if (error instanceof RegistryError) return error;
  const words = error instanceof Error ? error.message : String(error);
  return new InvalidInputError(
    `The distribution is damaged or not a gzipped tar archive (${words}); build it again.`,
    [{ at: "content", problem: words }],
  );
}
