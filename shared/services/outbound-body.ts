import { pipeline, Readable, type Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import type { ByteStream } from "../ports/blobs.ts";
import { type OutboundAnswer, OutboundError } from "../ports/outbound-http.ts";
import { collect } from "./streams.ts";

const DECODERS: ReadonlyMap<string, () => Transform> = new Map([
  ["gzip", createGunzip],
  ["x-gzip", createGunzip],
  ["br", createBrotliDecompress],
  ["deflate", createInflate],
]);

/**
 * The body without its `content-encoding`. It fails with an {@link OutboundError} beyond `maxBytes` of decoded bytes
 * (a bomb is decoded no further than that), when it is not in the encoding that the head says, and when that is
 * none of gzip, br and deflate. To be read to its end or cancelled, as the answer's own body.
 */
export function decodedBody(answer: OutboundAnswer, maxBytes: number): ByteStream {
  const { host } = new URL(answer.url);
  const decoded = decode(host, answer);
  const chunks: AsyncIterator<Uint8Array> = decoded[Symbol.asyncIterator]();
  let lengthBytes = 0;
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const next = await chunks.next();
          if (next.done === true) {
            controller.close();
            return;
          }
          lengthBytes += next.value.byteLength;
          if (lengthBytes > maxBytes) {
            const words = `${host} sends more than ${maxBytes} bytes, decoded`;
            throw new OutboundError("too-large", words);
          }
          controller.enqueue(next.value);
        } catch (error) {
          decoded.destroy();
          controller.error(explain(host, error));
        }
      },
      cancel: () => void decoded.destroy(),
    },
    { highWaterMark: 0 },
  );
}

/** All of the body, decoded as {@link decodedBody} does. @throws {OutboundError} */
export async function readBody(answer: OutboundAnswer, maxBytes: number): Promise<Uint8Array> {
  return collect(decodedBody(answer, maxBytes), maxBytes);
}

/** Destroying what this gives cancels the answer's body. */
function decode(host: string, { headers, body }: OutboundAnswer): Readable {
  const encoding = headers.get("content-encoding")?.trim().toLowerCase() ?? "";
  const encoded = Readable.fromWeb(body);
  if (encoding === "" || encoding === "identity") return encoded;
  const decoder = DECODERS.get(encoding)?.();
  if (decoder === undefined) {
    const words = `${host} encodes its answer in a way that was not asked for`;
    return encoded.destroy(new OutboundError("malformed", words));
  }
  // Either end's failure destroys the other; the reader is told.
  return pipeline(encoded, decoder, () => {});
}

function explain(host: string, error: unknown): unknown {
  const isZlibs =
    error instanceof Error && "code" in error && /^(Z_|ERR_)/.test(String(error.code));
  return isZlibs
    ? new OutboundError("malformed", `${host} sends a body that is not encoded as it says`, {
        cause: error,
      })
    : error;
}
