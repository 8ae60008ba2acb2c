import type { IncomingMessage } from "node:http";
import { OutboundError } from "../../ports/outbound-http.ts";

export interface BodyLimits {
  readonly idleTimeoutMs: number;
  readonly maxBodyBytes: number;
}

/**
 * The body of an answer as a web stream that reads no further than it is read. Cancelling it closes the connection;
 * `explain` makes the error it fails with of what the connection reported.
 */
export function answerBody(
  host: string,
  answer: IncomingMessage,
  limits: BodyLimits,
  explain: (error: unknown) => unknown,
): ReadableStream<Uint8Array> {
  const chunks = chunksOf(host, answer, limits);
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const { done, value } = await chunks.next();
          if (done === true) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          controller.error(explain(error));
        }
      },
      // Not `chunks.return()`: that would wait for the chunk that is being waited for.
      cancel: () => void answer.destroy(),
    },
    // What is read ahead waits in the socket's buffers.
    { highWaterMark: 0 },
  );
}

/** Ends the connection when it ends early or fails. The many tiny chunks that a server may send come joined. */
async function* chunksOf(
  host: string,
  answer: IncomingMessage,
  { idleTimeoutMs, maxBodyBytes }: BodyLimits,
): AsyncGenerator<Uint8Array, void> {
  const tooLarge = (): OutboundError =>
    new OutboundError("too-large", `${host} sends more than ${maxBodyBytes} bytes`);
  const stalled = (): void => {
    const words = `${host} sent nothing more for ${idleTimeoutMs} ms`;
    answer.destroy(new OutboundError("timeout", words));
  };
  let received = 0;
  let idle = setTimeout(stalled, idleTimeoutMs);
  try {
    if (Number(answer.headers["content-length"] ?? 0) > maxBodyBytes) throw tooLarge();
    const chunks: AsyncIterable<Uint8Array> = answer;
    for await (const chunk of chunks) {
      clearTimeout(idle);
      received += chunk.byteLength;
      if (received > maxBodyBytes) throw tooLarge();
      yield chunk;
      idle = setTimeout(stalled, idleTimeoutMs);
    }
  } finally {
    clearTimeout(idle);
    answer.destroy();
  }
}
