import { type FileHandle, open } from "node:fs/promises";
import type { ByteRange, ByteStream } from "../../ports/blobs.ts";
import { unlessMissing } from "./errno.ts";

const CHUNK_BYTES = 512 * 1024;

/**
 * The bytes of a file, or those of `range`, or `undefined` when there is no such file.
 * The file is held open, so that removing it meanwhile does no harm; it is closed at the end of the
 * stream, on failure and on cancel. One chunk is read ahead.
 *
 * @throws {RangeError} for a range outside the file.
 */
export async function openFileStream(
  path: string,
  range?: ByteRange,
): Promise<ByteStream | undefined> {
  const handle = await unlessMissing(() => open(path, "r"));
  if (handle === undefined) return undefined;
  try {
    const { size } = await handle.stat();
    if (range !== undefined) requireInside(range, size);
    const start = range?.start ?? 0;
    const end = range === undefined ? size : range.end + 1;
    if (end - start > CHUNK_BYTES) return streamOf(handle, start, end);
    const bytes = await readExactly(handle, start, end - start);
    await handle.close();
    return streamOfBytes(bytes);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** @throws {RangeError} unless both positions are bytes of something `sizeBytes` long, in order. */
export function requireInside(range: ByteRange, sizeBytes: number): void {
  const { start, end } = range;
  const isInside = Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start <= end;
  if (!isInside || end >= sizeBytes) {
    throw new RangeError(`bytes ${start}-${end} are not inside ${sizeBytes} bytes`);
  }
}

function streamOf(handle: FileHandle, start: number, end: number): ByteStream {
  let position = start;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const chunk = await readExactly(handle, position, Math.min(CHUNK_BYTES, end - position));
          position += chunk.byteLength;
          controller.enqueue(chunk);
          if (position < end) return;
          await handle.close();
          controller.close();
        } catch (error) {
          await handle.close();
          throw error;
        }
      },
      async cancel() {
        await handle.close();
      },
    },
    { highWaterMark: 1 },
  );
}

function streamOfBytes(bytes: Uint8Array): ByteStream {
  return new ReadableStream<Uint8Array>({
    start(controller) {
      if (bytes.byteLength > 0) controller.enqueue(bytes);
      controller.close();
    },
  });
}

async function readExactly(
  handle: FileHandle,
  position: number,
  sizeBytes: number,
): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(sizeBytes);
  for (let filled = 0; filled < sizeBytes; ) {
    const { bytesRead } = await handle.read(buffer, filled, sizeBytes - filled, position + filled);
    if (bytesRead === 0) throw new Error("a blob's file became shorter while it was read");
    filled += bytesRead;
  }
  return buffer;
}
