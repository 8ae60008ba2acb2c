import { errorResponse, ociError } from "../../functions/oci/errors.ts";
import { findPath } from "../../functions/oci/path.ts";
import { RegistryError } from "../../shared/errors.ts";
import { CliError } from "../client/failures.ts";
import { Pushes } from "./push.ts";
import { BodyTooLargeError, type Remote } from "./remote.ts";
import { SpoolFullError } from "./spool.ts";
import type { Upload, Uploads } from "./uploads.ts";

/** Names under which programs of this machine, and its virtual machines, reach it. */
const LOCAL_HOSTS = ["127.0.0.1", "localhost", "[::1]", "host.docker.internal"];

/**
 * Answers what clients ask of the proxy: uploads of blobs itself, everything else by the remote.
 *
 * @param warn - hears of failures that are not the client's.
 */
export function createProxyHandler(
  remote: Remote,
  uploads: Uploads,
  warn: (text: string) => void,
): (request: Request) => Promise<Response> {
  const pushes = new Pushes(remote, uploads);
  return async (request) => {
    try {
      return guard(request) ?? (await answer(request));
    } catch (error) {
      return failure(request, error, warn);
    }
  };

  async function answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const path = findPath(pathname);
    if (path === undefined || !/^\/v2(?:\/|$)/.test(pathname)) {
      return ociError(404, "UNSUPPORTED", "This proxy speaks OCI only, under /v2/.");
    }
    if (path.kind === "start-upload" && request.method === "POST") {
      return pushes.start(request, `${path.registry}/${path.image}`);
    }
    if (path.kind !== "upload") return remote.forward(request);
    const upload = uploads.find(`${path.registry}/${path.image}`, path.last);
    if (upload !== undefined) return answerUpload(request, upload);
    return ociError(404, "BLOB_UPLOAD_UNKNOWN", "There is no such upload; begin it again.");
  }

  async function answerUpload(request: Request, upload: Upload): Promise<Response> {
    switch (request.method) {
      case "GET":
      case "HEAD":
        return pushes.status(upload);
      case "PATCH":
        return pushes.append(request, upload);
      case "PUT":
        return pushes.complete(request, upload);
      case "DELETE":
        return pushes.cancel(upload);
      default:
        return ociError(405, "UNSUPPORTED", "An upload takes GET, PATCH, PUT and DELETE.");
    }
  }
}

/**
 * Requests get the token of whoever started the proxy, so a web page that a browser on this machine shows must not
 * make any: none comes with another host's name (DNS rebinding) or says that a page sent it.
 */
function guard(request: Request): Response | undefined {
  const { hostname } = new URL(request.url);
  if (LOCAL_HOSTS.includes(hostname) && !request.headers.has("origin")) return undefined;
  return ociError(
    403,
    "DENIED",
    "This proxy serves programs on its own machine only; call it 127.0.0.1 or localhost.",
  );
}

function failure(request: Request, error: unknown, warn: (text: string) => void): Response {
  if (error instanceof RegistryError) return errorResponse(error);
  // UNSUPPORTED, because docker up to 28 would send anything else five times again.
  if (error instanceof SpoolFullError) {
    warn(error.message);
    return ociError(413, "UNSUPPORTED", error.message);
  }
  if (error instanceof BodyTooLargeError) {
    return ociError(413, "UNSUPPORTED", `This request has ${error.limitBytes} bytes at most.`);
  }
  if (request.signal.aborted)
    return ociError(400, "BLOB_UPLOAD_INVALID", "The request ended early.");
  const { pathname } = new URL(request.url);
  const message = error instanceof Error ? error.message : String(error);
  warn(`${request.method} ${pathname}: ${message}`);
  if (error instanceof CliError) return ociError(502, "UNAVAILABLE", message);
  return ociError(500, "UNKNOWN", "The proxy made a mistake; its output says more.");
}
