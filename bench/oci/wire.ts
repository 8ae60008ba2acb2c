import { type RawRequest, rawRequest } from "../load/raw-request.ts";
import type { OciServer } from "./servers.ts";

export const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** `path` is below `/v2/` and the server's prefix. */
type WireRequest = Omit<RawRequest, "headers"> & Partial<Pick<RawRequest, "headers">>;

/** A whole request as it goes over the wire. */
export function wireRequest(server: OciServer, request: WireRequest): Uint8Array {
  const headers = {
    "User-Agent": "docker/29.1.0 containerd/2.2.0",
    Accept: `${MANIFEST}, application/vnd.oci.image.index.v1+json`,
    ...authorization(server),
    ...request.headers,
  };
  return rawRequest(server.port, {
    ...request,
    path: `/v2/${server.prefix}${request.path}`,
    headers,
  });
}

/** The header, under its name, of a server that wants one. */
export function authorization({
  authorization,
}: Pick<OciServer, "authorization">): Readonly<Record<string, string>> {
  return authorization === undefined ? {} : { Authorization: authorization };
}
