import type { ByteStream } from "../ports/blobs.ts";

/** A short stream's bytes, or a longer one, still to be read from its first byte. */
export type StreamHead =
  | { readonly kind: "whole"; readonly bytes: Uint8Array }
  | { readonly kind: "longer"; readonly chunks: AsyncIterable<Uint8Array> };

/**
 * Reads a stream until it ends or has given more than `limitBytes`: most packages are small, and for those
 * a store needs neither temporary file nor multipart upload. Leaving the loop over `chunks` early cancels
 * the stream. Throws what the stream throws.
 */
export async function takeHead(body: ByteStream, limitBytes: number): Promise<StreamHead> {
  const iterator = body[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  while (sizeBytes <= limitBytes) {
    const next = await iterator.next();
    if (next.done === true) return { kind: "whole", bytes: joined(chunks, sizeBytes) };
    chunks.push(next.value);
    sizeBytes += next.value.byteLength;
  }
  return { kind: "longer", chunks: resumed(chunks, iterator) };
}

function joined(chunks: readonly Uint8Array[], sizeBytes: number): Uint8Array {
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, sizeBytes);
}

async function* resumed(
  chunks: Uint8Array[],
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    // Shifted, so that a chunk that was written can be collected while a long stream goes on.
    for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) yield chunk;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}
