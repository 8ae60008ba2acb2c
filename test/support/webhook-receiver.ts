import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

export interface Received {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  readonly atMs: number;
}

type Behaviour = (request: IncomingMessage, response: ServerResponse) => void;

/** Somebody's server on 127.0.0.1 that is told of events. */
export interface Receiver extends AsyncDisposable {
  /** Origin, without a slash at the end. */
  readonly url: string;
  readonly received: readonly Received[];
  /** What it does with requests from now on, once it has read them. Without: 204. */
  answer(behaviour: Behaviour): void;
  /** Resolves when `count` requests have come in all. */
  arrived(count: number): Promise<void>;
}

export const status =
  (code: number, headers: Readonly<Record<string, string>> = {}): Behaviour =>
  (_request, response) =>
    response.writeHead(code, headers).end();

/** Starts a receiver on a free port. */
export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  let behaviour: Behaviour = status(204);
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("error", () => {});
    response.on("error", () => {});
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { url = "", headers } = request;
      received.push({
        path: url,
        headers,
        body: Buffer.concat(chunks).toString(),
        atMs: Date.now(),
      });
      behaviour(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    answer: (next) => {
      behaviour = next;
    },
    arrived: async (count) => {
      const untilMs = Date.now() + 20_000;
      while (received.length < count) {
        if (Date.now() > untilMs) throw new Error(`only ${received.length} of ${count} came`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
