import {
  closeSync,
  fdatasync,
  fsync,
  openSync,
  unlinkSync,
  write,
  writeSync,
  writev,
} from "node:fs";
import { rm } from "node:fs/promises";
import { promisify } from "node:util";

const fdatasyncAsync = promisify(fdatasync);
const fsyncAsync = promisify(fsync);
const writeAsync = promisify(write);
const writevAsync = promisify(writev);

/** Large enough that a write costs more than its trip to the thread pool; the last one is all that a small body waits for. */
const BATCH_BYTES = 256 * 1024;
/** What the disk may begin with while more arrives; at the end there is little left to wait for. */
const SYNC_BYTES = 16 * 1024 * 1024;
/** The kernel takes 1,024 pieces in one writev; a client may send very small ones. */
const BATCH_PIECES = 512;

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
 * At most two batches of 1 MB (and a chunk) are in memory. Nothing is left when it fails, and the stream
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

/** Gathers chunks without copying them, and writes one batch while the next is gathered. */
class BatchWriter {
  readonly #descriptor: number;
  #batch: Uint8Array[] = [];
  #batchBytes = 0;
  #writing: Promise<void> = Promise.resolve();
  #unsyncedBytes = 0;
  #syncing: Promise<void> = Promise.resolve();

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  async push(chunk: Uint8Array): Promise<void> {
    if (chunk.byteLength === 0) return;
    this.#batch.push(chunk);
    this.#batchBytes += chunk.byteLength;
    if (this.#batchBytes >= BATCH_BYTES || this.#batch.length >= BATCH_PIECES) await this.#start();
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
    const batch = this.#batch;
    if (batch.length === 0) return;
    this.#writing = writeAll(this.#descriptor, batch, this.#batchBytes);
    // The failure is met by the next push, which may be a slow network away: not unhandled until then.
    this.#writing.catch(() => undefined);
    this.#unsyncedBytes += this.#batchBytes;
    this.#batch = [];
    this.#batchBytes = 0;
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

async function writeAll(
  descriptor: number,
  batch: readonly Uint8Array[],
  totalBytes: number,
): Promise<void> {
  let { bytesWritten } = await writevAsync(descriptor, batch);
  if (bytesWritten === totalBytes) return;
  // A nearly full disk takes a part and tells why only when asked for the rest.
  const rest = Buffer.concat(batch, totalBytes);
  while (bytesWritten < totalBytes) {
    bytesWritten += (await writeAsync(descriptor, rest, bytesWritten)).bytesWritten;
  }
}
