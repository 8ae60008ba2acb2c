import type { OciServer } from "./servers.ts";

export const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

export interface WireRequest {
  readonly method: "GET" | "HEAD" | "PUT";
  /** Below `/v2/` and the server's prefix. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** A whole request as it goes over the wire. */
export function wireRequest(server: OciServer, request: WireRequest): Uint8Array {
  const fields = {
    Host: `127.0.0.1:${server.port}`,
    "User-Agent": "docker/29.1.0 containerd/2.2.0",
    Accept: `${MANIFEST}, application/vnd.oci.image.index.v1+json`,
    ...authorization(server),
    ...request.headers,
    ...(request.body === undefined ? {} : { "Content-Length": String(request.body.length) }),
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const path = `/v2/${server.prefix}${request.path}`;
  const head = Buffer.from(`${request.method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
  return request.body === undefined ? head : Buffer.concat([head, request.body]);
}

/** The header, under its name, of a server that wants one. */
export function authorization({
  authorization,
}: Pick<OciServer, "authorization">): Readonly<Record<string, string>> {
  return authorization === undefined ? {} : { Authorization: authorization };
}
