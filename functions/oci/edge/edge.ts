import { RegistryError } from "../../../shared/errors.ts";
import type { RequestContext } from "../../../shared/http/app.ts";
import { toRegistryError } from "../../../shared/http/errors.ts";
import type { Services } from "../../../shared/services/services.ts";
import type { UploadSession } from "../../../shared/records/upload-sessions.ts";
import { WORKER } from "../../../shared/services/tokens.ts";
import { errorResponse, ociError } from "../errors.ts";
import { findPath } from "../path.ts";
import { decideUpload, type EdgeDecision } from "./decision.ts";
import { signTicket, stageOf, verifyTicket } from "./upload-tickets.ts";

type Handler = (request: Request, context: RequestContext) => Response | Promise<Response>;
type Direct = Extract<EdgeDecision, { kind: "direct" }>;

export interface EdgeOptions {
  /** Largest body that the functions behind the edge take, in bytes; 0: any. */
  readonly inlineLimitBytes: number;
}

/**
 * What CloudFront and S3 do on AWS before any function is asked: uploads of known length and digest go straight to
 * blob storage on the strength of their ticket, without credentials. Everything else goes to `next`.
 */
export function createOciEdge(services: Services, options: EdgeOptions, next: Handler): Handler {
  return (request, context) =>
    // Of requests without an upload nothing is looked at twice.
    request.url.includes("/blobs/uploads/") ? upload(request, context) : next(request, context);

  async function upload(request: Request, context: RequestContext): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    if (!pathname.includes("/blobs/uploads/")) return next(request, context);
    const decision = await decideUpload(
      {
        method: request.method,
        path: pathname,
        query: search.slice(1),
        contentLength: request.headers.get("content-length") ?? undefined,
        contentRange: request.headers.get("content-range") ?? undefined,
      },
      {
        nowSeconds: Math.floor(services.stores.now() / 1000),
        inlineLimitBytes: options.inlineLimitBytes,
        sign: (message) => signTicket(services, message),
      },
    );
    if (decision.kind === "too-large") return tooLarge(request, decision.limitBytes);
    if (decision.kind === "direct") {
      const session = await findFresh(services, pathname, search, decision);
      if (session !== undefined) return storeDirectly(services, request, session, decision);
    }
    const response = await next(request, context);
    // What the gateway says of a stream that turned out too long is no words for a person.
    const isGateways = response.status === 413 && options.inlineLimitBytes > 0;
    return isGateways ? tooLarge(request, options.inlineLimitBytes) : response;
  }
}

/**
 * `undefined` when the session has bytes or has ended, or the registry has gone or does not take so much: the function
 * will say so. (On AWS nobody knows what the registry takes before the manifest is pushed, which is refused then.)
 */
async function findFresh(
  services: Services,
  pathname: string,
  search: string,
  { stage, sizeBytes }: Direct,
): Promise<UploadSession | undefined> {
  const path = findPath(pathname);
  if (path?.kind !== "upload") return undefined;
  try {
    const door = await services.access.openAny(WORKER, path.registry);
    const { registry } = await services.access.holding(door, "packages:write");
    const ref = { registryId: registry.id, packageName: path.image };
    if (stage !== stageOf(ref) || sizeBytes > registry.policies.maxFileBytes) return undefined;
    const name = `${path.registry}/${path.image}`;
    const text = new URLSearchParams(search).get("t") ?? "";
    const ticket = await verifyTicket(services, { name, id: path.last, text }, ref);
    const session = await services.uploadSessions.get(ticket);
    return session.pieceCount === 0 ? session : undefined;
  } catch (error) {
    if (error instanceof RegistryError) return undefined;
    throw error;
  }
}

async function storeDirectly(
  services: Services,
  request: Request,
  session: UploadSession,
  { sha256, sizeBytes, location }: Direct,
): Promise<Response> {
  const digest = `sha256:${sha256}`;
  try {
    await services.uploadSessions.complete(session, {
      digest,
      expected: { sha256 },
      maxSizeBytes: sizeBytes,
      ...(request.body === null ? {} : { body: request.body }),
      bodyBytes: sizeBytes,
    });
  } catch (error) {
    const known = error instanceof Error ? toRegistryError(error) : undefined;
    if (known !== undefined) return errorResponse(known);
    // Nobody reads this answer, and a client that went away is no mistake of ours.
    if (request.signal.aborted)
      return ociError(400, "BLOB_UPLOAD_INVALID", "The upload ended early.");
    throw error;
  }
  return new Response(null, {
    status: 201,
    headers: { location, "docker-content-digest": digest, "content-length": "0" },
  });
}

/** Of a body that is refused, so much is taken from the client before it gets the answer. */
const DRAIN_BYTES = 64 * 1024 * 1024;
const DRAIN_MS = 5000;

/** Go's HTTP client reports a broken pipe when a connection ends while it sends, although the answer is there. */
async function drain(body: ReadableStream<Uint8Array> | null): Promise<void> {
  if (body === null || body.locked) return;
  const reader = body.getReader();
  const endsAt = performance.now() + DRAIN_MS;
  let drainedBytes = 0;
  try {
    while (drainedBytes < DRAIN_BYTES && performance.now() < endsAt) {
      const { done, value } = await reader.read();
      if (done) return;
      drainedBytes += value.length;
    }
  } catch {
    // The client has gone, and nobody reads the answer.
  } finally {
    reader.releaseLock();
  }
}

/** UNSUPPORTED, because docker up to 28 would send anything else five times again. */
async function tooLarge(request: Request, limitBytes: number): Promise<Response> {
  await drain(request.body);
  return ociError(
    413,
    "UNSUPPORTED",
    `This registry takes at most ${limitBytes} bytes in such a request, because your client streams without saying the length and digest first. Push with docker 29 or later, "docker buildx build --push", "regctl image copy" or "oras cp", push through "entrepot proxy" on your own machine, or ask for the ingest service to be deployed.`,
    { limitBytes },
  );
}
