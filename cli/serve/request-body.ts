import type { IncomingMessage } from "node:http";
import { countReceived } from "./memory.ts";

/**
 * The body of a request as it arrives, in the very buffers that the socket was read into. The library's own stream
 * goes through two others and copies each of them. Nothing is read before somebody asks, and what nobody reads any
 * more stays for the server to drain.
 */
export function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        for (;;) {
          const chunk: unknown = incoming.read();
          if (chunk instanceof Uint8Array) {
            countReceived(chunk.length);
            controller.enqueue(chunk);
            return;
          }
          if (incoming.readableEnded) {
            controller.close();
            return;
          }
          if (incoming.destroyed) {
            throw incoming.errored ?? new Error("The client closed the connection too early.");
          }
          await change(incoming);
        }
      },
    },
    { highWaterMark: 0 },
  );
}

/** Resolves when there may be more to read, or no more at all. */
async function change(incoming: IncomingMessage): Promise<void> {
  const events = ["readable", "end", "error", "close"] as const;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      // With a listener for "readable" left, the server could not drain what nobody wants.
      for (const event of events) incoming.off(event, done);
      resolve();
    };
    for (const event of events) incoming.on(event, done);
  });
}
