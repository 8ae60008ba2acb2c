import type { ByteStream } from "../ports/blobs.ts";

/** Collects a stream that is known to be small. @throws {RangeError} past `maxBytes`. */
export async function collect(stream: ByteStream, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > maxBytes) throw new RangeError(`more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}
