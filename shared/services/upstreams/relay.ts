import type { ByteStream } from "../../ports/blobs.ts";

/** A client that takes nothing for so long is given up; what it asked for is fetched all the same. */
const MAX_WAIT_MS = 30_000;
/** Read ahead of the client. */
const BACKLOG_BYTES = 4 * 1024 * 1024;

/** One body on its way to storage and to a client at once. */
export interface Relay {
  /** For storage: reads no faster than the client, as long as there is one. */
  readonly stored: ByteStream;
  /** For the client. Its last bytes come only with `end`, so that it never takes wrong ones for all of a file. */
  readonly sent: ByteStream;
  /** Call when storage has judged the bytes: `failure` breaks the client's answer off. */
  readonly end: (failure?: unknown) => void;
}

/** Something whose bytes are still coming, and what its {@link Relay} ends with. */
export interface Arrival<T> {
  readonly value: T;
  readonly end: Relay["end"];
}

/**
 * The outcome of work, or before that what it says is arriving. Who has its first bytes already learns the end of it
 * from its answer, when all is over: it may ask again at once.
 */
export async function asSoonAsItArrives<T>(
  work: (arrive: (arrival: Arrival<T>) => void) => Promise<T>,
): Promise<T> {
  const { promise: arriving, resolve: arrive } = Promise.withResolvers<Arrival<T>>();
  const whole = work(arrive);
  arriving.then(({ end }) => whole.then(() => end(), end)).catch(() => undefined);
  return Promise.race([whole, arriving.then(({ value }) => value)]);
}

/** Divides a body. */
export function relay(body: ByteStream): Relay {
  const reader = body.getReader();
  const client = new Client();
  const stored = new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        await client.ready();
        const { done, value } = await reader.read();
        if (done) {
          controller.close();
        } else {
          client.add(value);
          controller.enqueue(value);
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
  return { stored, sent: client.stream, end: (failure) => client.end(failure) };
}

/** The client's side: holds back the newest piece, and takes no more while the client is slow. */
class Client {
  readonly stream: ByteStream;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #held: Uint8Array | undefined;
  #wake: (() => void) | undefined;

  constructor() {
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#wake?.(),
        cancel: () => {
          this.#controller = undefined;
          this.#wake?.();
        },
      },
      { highWaterMark: BACKLOG_BYTES, size: (chunk) => chunk.byteLength },
    );
  }

  /** Resolves when the client can take more, is gone, or has had its time. */
  async ready(): Promise<void> {
    if ((this.#controller?.desiredSize ?? 1) > 0) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), MAX_WAIT_MS);
    });
    const woken = new Promise<"woken">((resolve) => {
      this.#wake = () => resolve("woken");
    });
    const outcome = await Promise.race([late, woken]);
    clearTimeout(timer);
    if (outcome === "late") this.#fail(new Error("the client takes no bytes"));
  }

  add(chunk: Uint8Array): void {
    if (this.#held !== undefined) this.#controller?.enqueue(this.#held);
    this.#held = chunk;
  }

  end(failure?: unknown): void {
    if (failure !== undefined) {
      this.#fail(failure);
      return;
    }
    if (this.#held !== undefined) this.#controller?.enqueue(this.#held);
    this.#controller?.close();
    this.#controller = undefined;
  }

  #fail(reason: unknown): void {
    this.#controller?.error(reason);
    this.#controller = undefined;
  }
}
