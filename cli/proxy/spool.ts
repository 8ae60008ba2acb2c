import { createHash, type Hash, randomUUID } from "node:crypto";
import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { systemCode } from "../client/failures.ts";

const READ_BYTES = 256 * 1024;
/** What is read on of an upload that was refused: a client that still sends sees no answer, only a broken pipe. */
const MAX_DRAIN_BYTES = 5 * 1024 ** 3;

/** The folder, or the room that was allowed, is full. */
export class SpoolFullError extends Error {
  override readonly name = "SpoolFullError";
}

/** A temporary folder of this process, and the room that all of its uploads share. */
export class SpoolFolder {
  readonly maxBytes: number;
  readonly #folder: string;
  #usedBytes = 0;

  private constructor(folder: string, maxBytes: number) {
    this.#folder = folder;
    this.maxBytes = maxBytes;
  }

  /** A new folder inside `parent`. @throws the system's error when `parent` cannot be written to. */
  static async open(parent: string, maxBytes: number): Promise<SpoolFolder> {
    return new SpoolFolder(await mkdtemp(join(parent, "entrepot-proxy-")), maxBytes);
  }

  /** Bytes that uploads hold now. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  async create(): Promise<Spool> {
    const path = join(this.#folder, randomUUID());
    const file = await open(path, "wx+", 0o600);
    // The open file lives on without a name, so that nothing is left behind however this process ends.
    await rm(path);
    return new Spool(file, this);
  }

  /** @throws {SpoolFullError} */
  take(bytes: number): void {
    if (this.#usedBytes + bytes > this.maxBytes) {
      throw new SpoolFullError(
        `The proxy keeps ${this.maxBytes} bytes of unfinished uploads at most. Push fewer layers at once, or start it with a larger --spool-limit.`,
      );
    }
    this.#usedBytes += bytes;
  }

  giveBack(bytes: number): void {
    this.#usedBytes -= bytes;
  }

  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** The bytes of one upload, hashed while they come. */
export class Spool {
  readonly #file: FileHandle;
  readonly #folder: SpoolFolder;
  readonly #hash: Hash = createHash("sha256");
  #sizeBytes = 0;
  #isClosed = false;

  constructor(file: FileHandle, folder: SpoolFolder) {
    this.#file = file;
    this.#folder = folder;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** `sha256:<hex>` of what has come so far. */
  digest(): string {
    return `sha256:${this.#hash.copy().digest("hex")}`;
  }

  /** Adds a stream at the end, in flat memory. @throws {SpoolFullError}; whatever the stream throws. */
  async append(body: AsyncIterable<Uint8Array>): Promise<void> {
    let full: SpoolFullError | undefined;
    let drainedBytes = 0;
    for await (const chunk of body) {
      if (full === undefined) full = await this.#add(chunk);
      else drainedBytes += chunk.length;
      if (drainedBytes > MAX_DRAIN_BYTES) break;
    }
    if (full !== undefined) throw full;
  }

  /** Gives the failure for which there is no room for this. */
  async #add(chunk: Uint8Array): Promise<SpoolFullError | undefined> {
    try {
      this.#folder.take(chunk.length);
      this.#sizeBytes += chunk.length;
      this.#hash.update(chunk);
      await this.#file.writeFile(chunk);
      return undefined;
    } catch (error) {
      if (error instanceof SpoolFullError) return error;
      if (systemCode(error) !== "ENOSPC") throw error;
      return new SpoolFullError(
        "The disk of the proxy is full. Make room, or name another folder with --spool.",
        { cause: error },
      );
    }
  }

  /** The bytes from `start` to `end`, the last included; all of them by default. May be read again. */
  read(start = 0, end = this.#sizeBytes - 1): Readable {
    return Readable.from(this.#chunks(start, end), { objectMode: false });
  }

  /** Not the file's own stream: that closes the file when a connection breaks, and nothing could be sent again. */
  async *#chunks(start: number, end: number): AsyncGenerator<Uint8Array> {
    for (let position = start; position <= end; ) {
      const length = Math.min(READ_BYTES, end + 1 - position);
      const chunk = Buffer.allocUnsafe(length);
      const { bytesRead } = await this.#file.read(chunk, 0, length, position);
      if (bytesRead === 0) return;
      yield chunk.subarray(0, bytesRead);
      position += bytesRead;
    }
  }

  /** Forgets the bytes; a second time does nothing. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#folder.giveBack(this.#sizeBytes);
    await this.#file.close();
  }
}
