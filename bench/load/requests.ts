import type { BenchServer } from "../servers/server.ts";

export const ABBREVIATED = "application/vnd.npm.install-v1+json";

/** Headers in the order and spelling given; `Host` and the server's token are added. */
export type RequestHeaders = Readonly<Record<string, string>>;

/** A whole GET as it goes over the wire. `path` is inside the registry and starts with a slash. */
export function getRequest(
  server: BenchServer,
  path: string,
  headers: RequestHeaders = {},
): Uint8Array {
  return Buffer.from(head(server, "GET", path, headers));
}

/** A whole PUT of a JSON text. */
export function putRequest(server: BenchServer, path: string, json: string): Uint8Array {
  const body = Buffer.from(json);
  const fields = { "Content-Type": "application/json", "Content-Length": String(body.length) };
  return Buffer.concat([Buffer.from(head(server, "PUT", path, fields)), body]);
}

function head(server: BenchServer, method: string, path: string, headers: RequestHeaders): string {
  const fields = {
    Host: `127.0.0.1:${server.port}`,
    Connection: "keep-alive",
    "User-Agent": "npm/11.6.2 node/v24.0.0 linux x64 workspaces/false",
    Authorization: `Bearer ${server.token}`,
    ...headers,
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${server.base}${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
}
