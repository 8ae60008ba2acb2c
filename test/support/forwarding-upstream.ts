import { createServer, type ServerResponse } from "node:http";

/** A server on 127.0.0.1 that answers with what another one does, counts, and can be cut off. */
export interface ForwardingUpstream extends AsyncDisposable {
  /** Origin, without a slash at the end. */
  readonly url: string;
  /** Paths that were asked for, in order. */
  readonly requested: readonly string[];
  /** From now on connections to it are refused. */
  cutOff(): Promise<void>;
}

/** Of an answer, what its bytes do not tell. */
const KEPT = ["content-type", "last-modified", "etag"] as const;

/** Starts one on a free port in front of `target`, a URL without a slash at the end. */
export async function startForwarding(target: string): Promise<ForwardingUpstream> {
  const requested: string[] = [];
  const server = createServer((request, response) => {
    const { method = "GET", url: path = "" } = request;
    requested.push(path);
    forward(target + path, method, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const cutOff = async (): Promise<void> => {
    if (!server.listening) return;
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return {
    url: `http://127.0.0.1:${port}`,
    requested,
    cutOff,
    [Symbol.asyncDispose]: cutOff,
  };
}

async function forward(url: string, method: string, response: ServerResponse): Promise<void> {
  const answer = await fetch(url, { method });
  for (const name of KEPT) {
    const value = answer.headers.get(name);
    if (value !== null) response.setHeader(name, value);
  }
  response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()));
}
