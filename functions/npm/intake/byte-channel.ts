import type { ByteStream } from "../../../shared/ports/blobs.ts";

/**
 * A stream that is written to, with back-pressure: `write` resolves when its reader wants more. One writer at
 * a time.
 */
export class ByteChannel {
  readonly stream: ByteStream;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #wanted = Promise.withResolvers<void>();
  #cancelled: { readonly reason: unknown } | undefined;

  constructor() {
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => {
          this.#wanted.resolve();
        },
        cancel: (reason) => {
          this.#cancelled = { reason };
          this.#wanted.resolve();
        },
      },
      { highWaterMark: 1 },
    );
  }

  /** @throws whatever the reader gave as its reason to stop reading. */
  async write(chunk: Uint8Array): Promise<void> {
    while (this.#cancelled === undefined && (this.#controller?.desiredSize ?? 0) <= 0) {
      this.#wanted = Promise.withResolvers<void>();
      await this.#wanted.promise;
    }
    if (this.#cancelled !== undefined) throw this.#cancelled.reason;
    this.#controller?.enqueue(chunk);
  }

  /** All was written. */
  close(): void {
    if (this.#cancelled === undefined) this.#controller?.close();
  }

  /** Makes the reader fail with `error`. */
  fail(error: Error): void {
    if (this.#cancelled === undefined) this.#controller?.error(error);
  }
}
