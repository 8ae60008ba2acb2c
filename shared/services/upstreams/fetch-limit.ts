import type { OutboundAnswer } from "../../ports/outbound-http.ts";
import type { ByteStream } from "../../ports/blobs.ts";

/** What a fetch may take where it runs. */
export interface FetchLimit {
  /** Breaks it off; absent: it takes as long as it takes. */
  readonly signal?: AbortSignal;
  readonly maxBytes: number;
}

/** A fetch that does not fit where it runs. */
export class BeyondLimitError extends Error {
  override readonly name = "BeyondLimitError";
}

/**
 * The body of an answer, which fails beyond the limit.
 *
 * @throws {BeyondLimitError} when it is announced to be larger; it is let go then.
 */
export async function bodyWithin(
  { maxBytes }: FetchLimit,
  { headers, body }: Pick<OutboundAnswer, "headers" | "body">,
): Promise<ByteStream> {
  const announced = headers.get("content-length");
  if (announced === null) return maxBytes === Infinity ? body : body.pipeThrough(counted(maxBytes));
  if (Number(announced) <= maxBytes) return body;
  await body.cancel().catch(() => undefined);
  throw new BeyondLimitError();
}

function counted(maxBytes: number): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0;
  return new TransformStream({
    transform: (chunk, controller) => {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) controller.error(new BeyondLimitError());
      else controller.enqueue(chunk);
    },
  });
}
