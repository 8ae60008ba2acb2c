import { createReadStream } from "node:fs";

/** The bytes of a file, in flat memory. */
export async function* readFileChunks(
  path: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const stream = createReadStream(path, { highWaterMark: 1024 * 1024, signal });
  for await (const chunk of stream) {
    if (chunk instanceof Uint8Array) yield chunk;
  }
}
