import { closeSync, fsync, openSync, unlinkSync, writeSync } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { promisify } from "node:util";

const fsyncAsync = promisify(fsync);

/** Large enough that a write costs more than its trip to the thread pool, small enough to stay flat. */
const BATCH_BYTES = 1024 * 1024;
/** What the disk may begin with while more arrives; at the end there is little left to wait for. */
const SYNC_BYTES = 16 * BATCH_BYTES;
/** The kernel takes 1,024 pieces in one writev; a client may send very small ones. */
const BATCH_PIECES = 512;

/**
 * Creates `path` with these bytes, durable (but not yet its name) when it resolves.
 * Nothing is left when it fails. Meant for small bodies: the write itself is synchronous, since copying
 * 1 MB to the page cache takes less time than a thread pool answers; the fsync is not.
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
  const handle = await open(path, "wx");
  const writer = new BatchWriter(handle);
  try {
    for await (const chunk of body) {
      onChunk(chunk);
      await writer.push(chunk);
    }
    await writer.flush();
    await writer.synced();
    await handle.sync();
    await handle.close();
  } catch (error) {
    await writer.settled();
    await handle.close();
    await rm(path, { force: true });
    throw error;
  }
}

/** Gathers chunks without copying them, and writes one batch while the next is gathered. */
class BatchWriter {
  readonly #handle: FileHandle;
  #batch: Uint8Array[] = [];
  #batchBytes = 0;
  #writing: Promise<void> = Promise.resolve();
  #unsyncedBytes = 0;
  #syncing: Promise<void> = Promise.resolve();

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async push(chunk: Uint8Array): Promise<void> {
    if (chunk.byteLength === 0) return;
    this.#batch.push(chunk);
    this.#batchBytes += chunk.byteLength;
    if (this.#batchBytes >= BATCH_BYTES || this.#batch.length >= BATCH_PIECES) await this.#start();
  }

  async flush(): Promise<void> {
    await this.#start();
    await this.#writing;
  }

  /** Resolves when no write and no sync is under way, however they ended. */
  async settled(): Promise<void> {
    await Promise.allSettled([this.#writing, this.#syncing]);
  }

  /** The syncs begun so far. The kernel tells of a failure once, so that a later sync would not know of it. */
  async synced(): Promise<void> {
    await this.#syncing;
  }

  async #start(): Promise<void> {
    await this.#writing;
    this.#syncSome();
    const batch = this.#batch;
    if (batch.length === 0) return;
    this.#writing = writeAll(this.#handle, batch, this.#batchBytes);
    // The failure is met by the next push, which may be a slow network away: not unhandled until then.
    this.#writing.catch(() => undefined);
    this.#unsyncedBytes += this.#batchBytes;
    this.#batch = [];
    this.#batchBytes = 0;
  }

  #syncSome(): void {
    if (this.#unsyncedBytes < SYNC_BYTES) return;
    this.#unsyncedBytes = 0;
    this.#syncing = Promise.all([this.#syncing, this.#handle.datasync()]).then(() => undefined);
    // Met by `synced`.
    this.#syncing.catch(() => undefined);
  }
}

async function writeAll(
  handle: FileHandle,
  batch: readonly Uint8Array[],
  totalBytes: number,
): Promise<void> {
  let { bytesWritten } = await handle.writev([...batch]);
  if (bytesWritten === totalBytes) return;
  // A nearly full disk takes a part and tells why only when asked for the rest.
  const rest = Buffer.concat(batch, totalBytes);
  while (bytesWritten < totalBytes) {
    bytesWritten += (await handle.write(rest, bytesWritten)).bytesWritten;
  }
}
