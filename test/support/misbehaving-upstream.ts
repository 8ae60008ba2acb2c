import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { pipeline, Readable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import type { Certificate } from "./self-signed-certificate.ts";

/** What an upstream does with a request. It may take its time; the server is closed over whatever is under way. */
export type Behaviour = (
  request: IncomingMessage,
  response: ServerResponse,
) => void | Promise<void>;

export interface UpstreamRequest {
  readonly method: string;
  /** With the query, as it was sent. */
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
}

/** Somebody else's registry on 127.0.0.1, as bad as a test wants it. Paths that it was not told of answer 404. */
export interface MisbehavingUpstream extends AsyncDisposable {
  /** Origin, without a slash at the end. */
  readonly url: string;
  readonly received: readonly UpstreamRequest[];
  /** How many requests came for a path (its query counts); without one, in all. */
  requests(path?: string): number;
  /** What it does with a path, whatever the query, from now on. `*`: with every path that has nothing of its own. */
  on(path: string, behaviour: Behaviour): void;
  /** Connections that are open. */
  connections(): Promise<number>;
  close(): Promise<void>;
}

/** Starts one on a free port, with TLS when it gets a certificate. */
export async function startUpstream({
  certificate,
}: {
  readonly certificate?: Certificate;
} = {}): Promise<MisbehavingUpstream> {
  const received: UpstreamRequest[] = [];
  const behaviours = new Map<string, Behaviour>();
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const { method = "", url: path = "", headers } = request;
    received.push({ method, path, headers });
    const [pathname = ""] = path.split("?");
    const behaviour =
      behaviours.get(pathname) ?? behaviours.get("*") ?? answer("", { status: 404 });
    // What is left of a behaviour when its client is gone has nobody to tell.
    Promise.resolve(behaviour(request, response)).catch(() => response.destroy());
  };
  const server =
    certificate === undefined ? createServer(listener) : createTlsServer(certificate, listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return {
    url: `${certificate === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    received,
    requests: (path) => received.filter((one) => path === undefined || one.path === path).length,
    on: (path, behaviour) => void behaviours.set(path, behaviour),
    connections: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
      ),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Documents that end where nobody expects it. */
export const BROKEN = {
  json: '{"name":"broken","versions":{"1.0.0":{',
  html: '<!DOCTYPE html><html><body><a href="broken-1.0.tar.gz',
  xml: '<?xml version="1.0"?><metadata><groupId>broken',
} as const;

type Bytes = string | Uint8Array;
type Fields = Readonly<Record<string, string>>;

interface Answer {
  /** Default: 200. */
  readonly status?: number;
  readonly headers?: Fields;
}

/**
 * A well-behaved answer. With an `etag` or `last-modified` among the headers it answers a conditional request for the
 * same with 304. Some misbehaviour is a matter of words only: 429 with `retry-after`, {@link BROKEN} documents.
 */
export function answer(body: Bytes, { status = 200, headers = {} }: Answer = {}): Behaviour {
  return (request, response) => {
    const { "if-none-match": match, "if-modified-since": since } = request.headers;
    const { etag, "last-modified": modified } = headers;
    const unchanged =
      match === undefined ? since !== undefined && since === modified : match === etag;
    if (unchanged) response.writeHead(304, headers).end();
    else response.writeHead(status, { ...lengthOf(body), ...headers }).end(body);
  };
}

/** A redirect, by default 302. */
export const redirect = (location: string, status = 302): Behaviour =>
  answer("", { status, headers: { location } });

/** Does nothing for a while, then what it is told. */
export const slowHead =
  (milliseconds: number, then: Behaviour): Behaviour =>
  async (request, response) => {
    await wait(milliseconds);
    await then(request, response);
  };

/** A byte every so many milliseconds. */
export const slowBody =
  (body: Bytes, everyMs: number): Behaviour =>
  async (_request, response) => {
    response.writeHead(200, lengthOf(body));
    for (const byte of Buffer.from(body)) {
      if (response.destroyed) return;
      response.write(Buffer.of(byte));
      await wait(everyMs);
    }
    response.end();
  };

/** Half of what its head promises; then nothing, the end of the connection, or a reset of it. */
export const half =
  (
    body: Bytes,
    then: "stall" | "truncate" | "reset",
    { status = 200, headers = {} }: Answer = {},
  ): Behaviour =>
  async (_request, response) => {
    const bytes = Buffer.from(body);
    response.writeHead(status, { ...lengthOf(body), ...headers });
    response.write(bytes.subarray(0, bytes.length / 2));
    // A reset overtakes bytes that nobody has read yet.
    await wait(50);
    if (then === "truncate") response.socket?.end();
    if (then === "reset") response.socket?.resetAndDestroy();
  };

/** As long as the right bytes, and wrong in the middle. */
export function wrongBytes(body: Bytes, headers: Fields = {}): Behaviour {
  const bytes = Buffer.from(body);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  return answer(bytes, { headers });
}

/** A document without end. */
export const endless =
  (piece: Bytes = Buffer.alloc(65_536, " "), headers: Fields = {}): Behaviour =>
  (_request, response) => {
    response.writeHead(200, headers);
    pipeline(Readable.from(repeated(piece)), response, () => {});
  };

function* repeated(piece: Bytes): Generator<Bytes> {
  for (;;) yield piece;
}

/** A gzip member of about a thousandth of the size that it unpacks to. */
export const gzipBomb = (unpackedBytes: number, headers: Fields = {}): Behaviour =>
  answer(gzipSync(Buffer.alloc(unpackedBytes, " ")), {
    headers: { "content-encoding": "gzip", ...headers },
  });

/** Bytes on the connection that are not HTTP as it should be; then its end. */
export const raw =
  (bytes: Bytes): Behaviour =>
  (_request, response) =>
    void response.socket?.end(bytes);

/** Closes the connection without a word. */
export const hangUp: Behaviour = (_request, response) => void response.socket?.destroy();

const lengthOf = (body: Bytes): Fields => ({ "content-length": String(Buffer.byteLength(body)) });
