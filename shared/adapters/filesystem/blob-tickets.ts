import { createHmac, timingSafeEqual } from "node:crypto";
import { isDigest } from "../../domain/digest.ts";
import type { DownloadTicketOptions, Ticket } from "../../ports/blobs.ts";
import { headerText } from "../header-text.ts";
import { requirePartNumber, requireUploadSize } from "../upload-limits.ts";
import { isUploadId } from "./upload-id.ts";

/** What a ticket allows its bearer to do, once. */
export type TicketClaims =
  | { readonly kind: "upload"; readonly sha256: string; readonly sizeBytes: number }
  | {
      readonly kind: "part";
      readonly uploadId: string;
      readonly partNumber: number;
      readonly sizeBytes: number;
    }
  | { readonly kind: "download"; readonly sha256: string; readonly headers: TicketHeaders };

type TicketHeaders = Pick<
  DownloadTicketOptions,
  "contentType" | "contentDisposition" | "contentEncoding"
>;

/** Where the embedded server answers tickets. */
export const TICKET_PATH = "/_blobs";

const MIN_KEY_BYTES = 32;

/**
 * Signs and verifies the tickets of the embedded store: what S3's presigned URLs are on AWS.
 * The signature is HMAC-SHA-256 over method, subject, size, response headers and expiry, so that nothing
 * in the URL can be altered; it is compared in constant time.
 */
export class BlobTickets {
  readonly #key: Uint8Array;
  readonly #clock: () => number;

  /** `clock` gives Unix milliseconds. @throws {RangeError} for a key under 32 bytes. */
  constructor(key: Uint8Array, clock: () => number) {
    if (key.byteLength < MIN_KEY_BYTES) throw new RangeError("a ticket key has at least 32 bytes");
    this.#key = key;
    this.#clock = clock;
  }

  /** @throws {TypeError} | {@link RangeError} for claims that no ticket can make. */
  issue(claims: TicketClaims, expiresInSeconds: number): Ticket {
    requireSound(claims);
    const expiresAtSeconds = Math.floor(this.#clock() / 1000) + expiresInSeconds;
    const query = queryOf(claims);
    query.set("expires", String(expiresAtSeconds));
    query.set("signature", this.#sign(claims, expiresAtSeconds).toString("base64url"));
    return {
      method: claims.kind === "download" ? "GET" : "PUT",
      url: `${pathOf(claims)}?${query.toString()}`,
      headers: headersOf(claims),
      expiresAtSeconds,
    };
  }

  /** What the ticket in this URL allows, or why it allows nothing. `url` may be absolute or a path. */
  verify(url: string): TicketClaims | "invalid" | "expired" {
    const { pathname, searchParams } = new URL(url, "http://localhost");
    const claims = parseClaims(pathname, searchParams);
    const expiresAtSeconds = parseCount(searchParams.get("expires"));
    if (claims === undefined || expiresAtSeconds === undefined) return "invalid";
    const expected = this.#sign(claims, expiresAtSeconds);
    const given = Buffer.from(searchParams.get("signature") ?? "", "base64url");
    if (given.byteLength !== expected.byteLength || !timingSafeEqual(given, expected)) {
      return "invalid";
    }
    return this.#clock() < expiresAtSeconds * 1000 ? claims : "expired";
  }

  #sign(claims: TicketClaims, expiresAtSeconds: number): Buffer {
    // JSON of an array: no two different lists of claims give the same text.
    const text = JSON.stringify([...claimList(claims), expiresAtSeconds]);
    return createHmac("sha256", this.#key).update(text).digest();
  }
}

function claimList(claims: TicketClaims): readonly (string | number | null)[] {
  if (claims.kind === "upload") return ["PUT", "upload", claims.sha256, claims.sizeBytes];
  if (claims.kind === "part") {
    return ["PUT", "part", claims.uploadId, claims.partNumber, claims.sizeBytes];
  }
  const { contentType, contentDisposition, contentEncoding } = claims.headers;
  const headers = [contentType ?? null, contentDisposition ?? null, contentEncoding ?? null];
  return ["GET", "download", claims.sha256, ...headers];
}

function pathOf(claims: TicketClaims): string {
  if (claims.kind === "upload") return `${TICKET_PATH}/uploads/${claims.sha256}`;
  if (claims.kind === "download") return `${TICKET_PATH}/files/${claims.sha256}`;
  return `${TICKET_PATH}/parts/${claims.uploadId}/${claims.partNumber}`;
}

function queryOf(claims: TicketClaims): URLSearchParams {
  const query = new URLSearchParams();
  if (claims.kind !== "download") {
    query.set("size", String(claims.sizeBytes));
    return query;
  }
  const { contentType, contentDisposition, contentEncoding } = claims.headers;
  if (contentType !== undefined) query.set("type", contentType);
  if (contentDisposition !== undefined) query.set("disposition", contentDisposition);
  if (contentEncoding !== undefined) query.set("encoding", contentEncoding);
  return query;
}

/** The same as S3 asks for, so that a client is exercised alike in both places. */
function headersOf(claims: TicketClaims): Readonly<Record<string, string>> {
  if (claims.kind === "download") return {};
  const length = { "content-length": String(claims.sizeBytes) };
  if (claims.kind === "part") return length;
  const checksum = Buffer.from(claims.sha256, "hex").toString("base64");
  return { ...length, "x-amz-checksum-sha256": checksum };
}

function parseClaims(path: string, query: URLSearchParams): TicketClaims | undefined {
  const [, root, kind = "", subject = "", part, ...rest] = path.split("/");
  if (`/${root}` !== TICKET_PATH || rest.length > 0) return undefined;
  const sizeBytes = parseCount(query.get("size"));
  if (kind === "parts") {
    const partNumber = parseCount(part ?? null);
    if (!isUploadId(subject) || partNumber === undefined || sizeBytes === undefined)
      return undefined;
    return { kind: "part", uploadId: subject, partNumber, sizeBytes };
  }
  if (part !== undefined || !isDigest("sha256", subject)) return undefined;
  if (kind === "files") return { kind: "download", sha256: subject, headers: headersIn(query) };
  if (kind !== "uploads" || sizeBytes === undefined) return undefined;
  return { kind: "upload", sha256: subject, sizeBytes };
}

function headersIn(query: URLSearchParams): TicketHeaders {
  const contentType = query.get("type");
  const contentDisposition = query.get("disposition");
  const contentEncoding = query.get("encoding");
  return {
    ...(contentType === null ? {} : { contentType }),
    ...(contentDisposition === null ? {} : { contentDisposition }),
    ...(contentEncoding === null ? {} : { contentEncoding }),
  };
}

function parseCount(text: string | null): number | undefined {
  return text !== null && /^(0|[1-9][0-9]{0,14})$/.test(text) ? Number(text) : undefined;
}

function requireSound(claims: TicketClaims): void {
  if (claims.kind !== "part" && !isDigest("sha256", claims.sha256)) {
    throw new TypeError("a sha256 is 64 lower-case hexadecimal digits");
  }
  if (claims.kind !== "download") requireUploadSize(claims.sizeBytes);
  if (claims.kind === "part") requirePartNumber(claims.partNumber);
  if (claims.kind === "download") {
    for (const text of Object.values(claims.headers)) headerText(text);
  }
}
