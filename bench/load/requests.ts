import type { BenchServer } from "../servers/server.ts";
import { rawRequest } from "./raw-request.ts";

export const ABBREVIATED = "application/vnd.npm.install-v1+json";

/** Headers in the order and spelling given; `Host` and the server's token are added. */
export type RequestHeaders = Readonly<Record<string, string>>;

/** A whole GET as it goes over the wire. `path` is inside the registry and starts with a slash. */
export function getRequest(
  server: BenchServer,
  path: string,
  headers: RequestHeaders = {},
): Uint8Array {
  const all = { ...npmHeaders(server), ...headers };
  return rawRequest(server.port, { method: "GET", path: server.base + path, headers: all });
}

/** A whole PUT of a JSON text. */
export function putRequest(server: BenchServer, path: string, json: string): Uint8Array {
  const headers = { ...npmHeaders(server), "Content-Type": "application/json" };
  const body = Buffer.from(json);
  return rawRequest(server.port, { method: "PUT", path: server.base + path, headers, body });
}

const npmHeaders = ({ token }: BenchServer): RequestHeaders => ({
  Connection: "keep-alive",
  "User-Agent": "npm/11.6.2 node/v24.0.0 linux x64 workspaces/false",
  Authorization: `Bearer ${token}`,
});
