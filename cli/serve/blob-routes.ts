import { type Context, Hono } from "hono";
import type { FileBlobs } from "../../shared/adapters/filesystem/file-blobs.ts";
import { TICKET_PATH, type TicketClaims } from "../../shared/adapters/filesystem/blob-tickets.ts";
import { contentRange, parseRange, unsatisfiedContentRange } from "../../shared/http/ranges.ts";
import { DigestMismatchError, MultipartNotFoundError } from "../../shared/ports/blobs.ts";
import { type S3ErrorCode, s3Error } from "./s3-error.ts";

type UploadClaims = Extract<TicketClaims, { kind: "upload" }>;
type PartClaims = Extract<TicketClaims, { kind: "part" }>;
type DownloadClaims = Extract<TicketClaims, { kind: "download" }>;

/**
 * The routes that answer the tickets of {@link FileBlobs}: what S3 does behind presigned URLs on AWS, with
 * S3's statuses and error bodies, so that a client that works here works there.
 */
export function createBlobRoutes(blobs: FileBlobs): Hono {
  const app = new Hono();
  app.all(`${TICKET_PATH}/*`, async (context) => {
    const method = context.req.method;
    if (method !== "PUT" && method !== "GET" && method !== "HEAD") {
      return s3Error("MethodNotAllowed", { allow: "GET, HEAD, PUT" });
    }
    const claims = blobs.verifyTicket(context.req.url);
    if (claims === "expired") return s3Error("AccessDenied");
    if (claims === "invalid" || (claims.kind === "download") !== (method !== "PUT")) {
      return s3Error("SignatureDoesNotMatch");
    }
    if (claims.kind === "download") return sendBlob(blobs, claims, context);
    return receive(blobs, claims, context);
  });
  return app;
}

async function receive(
  blobs: FileBlobs,
  claims: UploadClaims | PartClaims,
  context: Context,
): Promise<Response> {
  const refusal = refusedBeforeBody(claims, context);
  if (refusal !== undefined) return s3Error(refusal);
  const body = context.req.raw.body ?? new Blob([]).stream();
  try {
    if (claims.kind === "part") {
      return new Response(null, { headers: { etag: await blobs.putPart(claims, body) } });
    }
    const { sha256, sizeBytes } = claims;
    await blobs.put(body, { expected: { sha256 }, expectedSizeBytes: sizeBytes });
    const checksum = base64Of(sha256);
    return new Response(null, {
      headers: { etag: `"${sha256}"`, "x-amz-checksum-sha256": checksum },
    });
  } catch (error) {
    if (error instanceof MultipartNotFoundError) return s3Error("NoSuchUpload");
    // Nobody reads this answer, and a client that went away is no error of ours to log.
    if (context.req.raw.signal.aborted) return s3Error("IncompleteBody");
    if (!(error instanceof DigestMismatchError)) throw error;
    return s3Error(error.algorithm === "size" ? "IncompleteBody" : "BadDigest");
  }
}

function refusedBeforeBody(
  claims: UploadClaims | PartClaims,
  context: Context,
): S3ErrorCode | undefined {
  const length = context.req.header("content-length");
  if (length === undefined) return "MissingContentLength";
  // S3 signs the length, so another one is a broken signature there.
  if (length !== String(claims.sizeBytes)) return "SignatureDoesNotMatch";
  const checksum = context.req.header("x-amz-checksum-sha256");
  if (claims.kind !== "upload" || checksum === undefined) return undefined;
  return checksum === base64Of(claims.sha256) ? undefined : "SignatureDoesNotMatch";
}

async function sendBlob(
  blobs: FileBlobs,
  claims: DownloadClaims,
  context: Context,
): Promise<Response> {
  const found = await blobs.stat(claims.sha256);
  if (found === undefined) return s3Error("NoSuchKey");
  const { sizeBytes } = found;
  const headers = fixedHeaders(claims);
  const etag = `"${claims.sha256}"`;
  if (context.req.header("if-none-match") === etag) {
    return new Response(null, { status: 304, headers });
  }
  const requested = requestedRange(context, etag, sizeBytes);
  if (requested.kind === "unsatisfiable") {
    return s3Error("InvalidRange", { "content-range": unsatisfiedContentRange(sizeBytes) });
  }
  const range = requested.kind === "range" ? requested.range : undefined;
  if (range !== undefined) headers.set("content-range", contentRange(range, sizeBytes));
  headers.set("content-length", String(range ? range.end - range.start + 1 : sizeBytes));
  const status = range === undefined ? 200 : 206;
  if (context.req.method === "HEAD") return new Response(null, { status, headers });
  const body = await blobs.open(claims.sha256, range);
  return body === undefined ? s3Error("NoSuchKey") : new Response(body, { status, headers });
}

function requestedRange(context: Context, etag: string, sizeBytes: number) {
  const ifRange = context.req.header("if-range");
  const isCurrent = ifRange === undefined || ifRange === etag;
  return parseRange(isCurrent ? context.req.header("range") : undefined, sizeBytes);
}

function fixedHeaders(claims: DownloadClaims): Headers {
  const { contentType, contentDisposition, contentEncoding } = claims.headers;
  const headers = new Headers({
    etag: `"${claims.sha256}"`,
    "accept-ranges": "bytes",
    "content-type": contentType ?? "application/octet-stream",
    // Bytes that anyone may have published come from our own origin here, unlike on AWS: they must not
    // run as our page.
    "content-security-policy": "sandbox",
    "x-content-type-options": "nosniff",
  });
  if (contentDisposition !== undefined) headers.set("content-disposition", contentDisposition);
  if (contentEncoding !== undefined) headers.set("content-encoding", contentEncoding);
  return headers;
}

function base64Of(hex: string): string {
  return Buffer.from(hex, "hex").toString("base64");
}
