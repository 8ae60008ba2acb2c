import { closeSync, fstatSync, openSync, read, readSync } from "node:fs";
import { promisify } from "node:util";
import type { ByteRange, ByteStream } from "../../ports/blobs.ts";
import { unlessMissingSync } from "./errno.ts";

const CHUNK_BYTES = 512 * 1024;

const readAsync = promisify(read);

/**
 * The bytes of a file, or those of `range`, or `undefined` when there is no such file.
 * The file is held open, so that removing it meanwhile does no harm; it is closed at the end of the
 * stream, on failure and on cancel. It is a byte stream: who brings buffers of its own (a BYOB reader) gets
 * them filled, again and again the same ones if it likes.
 *
 * Opening and closing take microseconds and are synchronous; only reading is worth a trip to the thread pool.
 *
 * @throws {RangeError} for a range outside the file.
 */
export async function openFileStream(
  path: string,
  range?: ByteRange,
): Promise<ByteStream | undefined> {
  const descriptor = unlessMissingSync(() => openSync(path, "r"));
  if (descriptor === undefined) return undefined;
  try {
    const { start, end } = spanOf(descriptor, range);
    return streamOf(descriptor, start, end);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/**
 * The bytes of a small file, or those of `range`, in memory; `undefined` when there is no such file.
 *
 * Read without the thread pool: bytes that the kernel has are copied in less time than the trip there takes, and for
 * others the disk is waited for once, as for a page of LMDB.
 *
 * @throws {RangeError} for a range outside the file.
 */
export function readFileBytes(
  path: string,
  range?: ByteRange,
): Uint8Array<ArrayBuffer> | undefined {
  const descriptor = unlessMissingSync(() => openSync(path, "r"));
  if (descriptor === undefined) return undefined;
  try {
    const { start, end } = spanOf(descriptor, range);
    const length = end - start;
    const bytes = Buffer.allocUnsafe(length);
    if (readSync(descriptor, bytes, 0, length, start) === length) return bytes;
    throw new Error("a blob's file became shorter while it was read");
  } finally {
    closeSync(descriptor);
  }
}

/** Where reading begins and ends (exclusive). @throws {RangeError} for a range outside the file. */
function spanOf(descriptor: number, range: ByteRange | undefined): { start: number; end: number } {
  const { size } = fstatSync(descriptor);
  if (range === undefined) return { start: 0, end: size };
  requireInside(range, size);
  return { start: range.start, end: range.end + 1 };
}

/** @throws {RangeError} unless both positions are bytes of something `sizeBytes` long, in order. */
export function requireInside(range: ByteRange, sizeBytes: number): void {
  const { start, end } = range;
  const isInside = Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start <= end;
  if (!isInside || end >= sizeBytes) {
    throw new RangeError(`bytes ${start}-${end} are not inside ${sizeBytes} bytes`);
  }
}

function streamOf(descriptor: number, start: number, end: number): ByteStream {
  let position = start;
  let isOpen = true;
  let isReading = false;
  let isCancelled = false;
  const close = (): void => {
    if (isOpen) closeSync(descriptor);
    isOpen = false;
  };
  return new ReadableStream({
    type: "bytes",
    autoAllocateChunkSize: Math.max(1, Math.min(CHUNK_BYTES, end - start)),
    start(controller) {
      if (position < end) return;
      close();
      controller.close();
    },
    async pull(controller) {
      const request = controller.byobRequest;
      const view = request?.view;
      if (request === null || view === null || view === undefined) {
        throw new TypeError("a byte stream is read into buffers");
      }
      try {
        const wanted = Math.min(view.byteLength, end - position);
        const buffer = new Uint8Array(view.buffer, view.byteOffset, wanted);
        isReading = true;
        const { bytesRead } = await readAsync(descriptor, buffer, 0, wanted, position);
        isReading = false;
        if (isCancelled) {
          close();
          return;
        }
        if (bytesRead === 0) throw new Error("a blob's file became shorter while it was read");
        position += bytesRead;
        request.respond(bytesRead);
        if (position < end) return;
        close();
        controller.close();
      } catch (error) {
        close();
        throw error;
      }
    },
    cancel() {
      isCancelled = true;
      // The number of a file that is closed under a read may be another file's by then.
      if (!isReading) close();
    },
  });
}
