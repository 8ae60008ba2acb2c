import { closeSync, fdatasync, fsync, openSync, unlinkSync, write, writeSync } from "node:fs";
import { rm } from "node:fs/promises";
import { promisify } from "node:util";

const fdatasyncAsync = promisify(fdatasync);
const fsyncAsync = promisify(fsync);
const writeAsync = promisify(write);

/** Large enough that a write costs more than its trip to the thread pool; the last one is all that a small body waits for. */
const BATCH_BYTES = 256 * 1024;
/** What the disk may begin with while more arrives; at the end there is little left to wait for. */
const SYNC_BYTES = 16 * 1024 * 1024;
/** Kept for later bodies. */
const MAX_SPARE_BUFFERS = 16;

const spare: Uint8Array[] = [];

/**
 * Creates `path` with these bytes, durable (but not yet its name) when it resolves.
 * Nothing is left when it fails. Meant for small bodies: the write itself is synchronous, since copying
 * 64 KB to the page cache takes no longer than a thread pool needs to answer; the fsync is not.
 */
export async function writeSmallFile(path: string, bytes: Uint8Array): Promise<void> {
  const descriptor = openSync(path, "wx");
  try {
    for (let written = 0; written < bytes.byteLength; ) {
      written += writeSync(descriptor, bytes, written);
    }
    await fsyncAsync(descriptor);
  } catch (error) {
    unlinkSync(path);
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Creates `path` with the bytes of a stream, durable (but not yet its name) when it resolves; calls
 * `onChunk` with each chunk, in order, while earlier ones are being written.
 * At most two batches (and a chunk) are in memory. Nothing is left when it fails, and the stream
 * is cancelled when it was not the stream that failed.
 */
export async function writeStreamToFile(
  path: string,
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  onChunk: (chunk: Uint8Array) => void,
): Promise<void> {
  const descriptor = openSync(path, "wx");
  const writer = new BatchWriter(descriptor);
  try {
    for await (const chunk of body) {
      onChunk(chunk);
      await writer.push(chunk);
    }
    await writer.finish();
  } catch (error) {
    await writer.settled();
    closeSync(descriptor);
    await rm(path, { force: true });
    throw error;
  }
  closeSync(descriptor);
}

/**
 * Gathers chunks in a buffer, and writes one while the next is filled. Copying costs little; chunks that waited for the
 * disk would outlive young generations, and the collector would mark its whole heap for them again and again.
 */
class BatchWriter {
  readonly #descriptor: number;
  #buffer: Uint8Array | undefined;
  #filledBytes = 0;
  #writing: Promise<void> = Promise.resolve();
  #unsyncedBytes = 0;
  #syncing: Promise<void> = Promise.resolve();

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  async push(chunk: Uint8Array): Promise<void> {
    for (let taken = 0; taken < chunk.byteLength; ) {
      this.#buffer ??= spare.pop() ?? new Uint8Array(BATCH_BYTES);
      const some = chunk.subarray(taken, taken + BATCH_BYTES - this.#filledBytes);
      this.#buffer.set(some, this.#filledBytes);
      this.#filledBytes += some.byteLength;
      taken += some.byteLength;
      if (this.#filledBytes === BATCH_BYTES) await this.#start();
    }
  }

  /** Resolves when everything is on the disk. */
  async finish(): Promise<void> {
    await this.#start();
    await this.#writing;
    // The kernel tells of a failure once, so that the last sync would not know of an earlier one's.
    await this.#syncing;
    await fsyncAsync(this.#descriptor);
  }

  /** Resolves when no write and no sync is under way, however they ended. */
  async settled(): Promise<void> {
    await Promise.allSettled([this.#writing, this.#syncing]);
  }

  async #start(): Promise<void> {
    await this.#writing;
    this.#syncSome();
    if (this.#buffer === undefined) return;
    this.#writing = writeAndSpare(this.#descriptor, this.#buffer, this.#filledBytes);
    // The failure is met by the next push, which may be a slow network away: not unhandled until then.
    this.#writing.catch(() => undefined);
    this.#unsyncedBytes += this.#filledBytes;
    this.#buffer = undefined;
    this.#filledBytes = 0;
  }

  #syncSome(): void {
    if (this.#unsyncedBytes < SYNC_BYTES) return;
    this.#unsyncedBytes = 0;
    this.#syncing = Promise.all([this.#syncing, fdatasyncAsync(this.#descriptor)]).then(
      () => undefined,
    );
    // Met by `finish`.
    this.#syncing.catch(() => undefined);
  }
}

async function writeAndSpare(
  descriptor: number,
  buffer: Uint8Array,
  filledBytes: number,
): Promise<void> {
  try {
    for (let written = 0; written < filledBytes; ) {
      // A nearly full disk takes a part and tells why only when asked for the rest.
      written += (await writeAsync(descriptor, buffer, written, filledBytes - written))
        .bytesWritten;
    }
  } finally {
    if (spare.length < MAX_SPARE_BUFFERS) spare.push(buffer);
  }
}
