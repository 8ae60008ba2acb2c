import type { Context } from "hono";
import type { ByteStream } from "../ports/blobs.ts";
import type { AvailableFile } from "../services/catalogue.ts";
import type { Services } from "../services/services.ts";
import { type AppEnv, isHead } from "./app.ts";
import { matchesEtag } from "./conditional.ts";
import { contentRange, parseRange, unsatisfiedContentRange } from "./ranges.ts";

/** Long enough for a client that reconnects in the middle of a large file, short enough for a URL that leaks. */
const TICKET_SECONDS = 15 * 60;

/** Up to here an answer is read at once and sent as a whole: of a jar of 20 KB the streams took four fifths of the work. */
const SMALL_BYTES = 64 * 1024;

/** Bytes that users uploaded must never run as a page of ours. */
const CONTENT_RULES = {
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; sandbox",
} as const;

/** Stored bytes, and what an answer says of them. */
export interface Sendable {
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly contentType: string;
  /** Without quotes. */
  readonly etag: string;
  readonly createdAtMs: number;
  /** Called when the bytes leave from their first one on. */
  readonly onDownload?: () => void;
  /** The bytes while they are on their way into storage. */
  readonly arriving?: ByteStream;
}

/**
 * Answers GET and HEAD of a file: conditional, in ranges, and with its bytes either from here or, by redirect,
 * from blob storage. HEAD is always answered here: a URL presigned for GET refuses it.
 */
export async function sendFile(
  c: Context<AppEnv>,
  services: Services,
  found: AvailableFile,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const { digests, sizeBytes, contentType, createdAtMs } = found.file;
  const { sha256 } = digests;
  const onDownload = (): void => services.downloads.count(found);
  const bytes = { sha256, sizeBytes, contentType, etag: sha256, createdAtMs, onDownload };
  const { arriving } = found;
  const sendable = arriving === undefined ? bytes : { ...bytes, arriving };
  return sendBytes(c, services, sendable, headers);
}

/** As a whole, because what these bytes are will be known at their end. */
async function sendArriving(
  c: Context<AppEnv>,
  { sizeBytes, contentType, onDownload }: Sendable,
  arriving: ByteStream,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  const known = Object.entries(headers).filter(([, value]) => value !== "");
  const answer = {
    headers: {
      ...CONTENT_RULES,
      ...Object.fromEntries(known),
      "content-type": contentType,
      "content-length": String(sizeBytes),
    },
  };
  if (isHead(c)) {
    await arriving.cancel();
    return new Response(null, answer);
  }
  onDownload?.();
  return new Response(arriving, answer);
}

/** As {@link sendFile}, for bytes that are no file of a version. */
export async function sendBytes(
  c: Context<AppEnv>,
  services: Services,
  bytes: Sendable,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  if (bytes.arriving !== undefined) return sendArriving(c, bytes, bytes.arriving, headers);
  const common: Record<string, string> = {
    etag: `"${bytes.etag}"`,
    "accept-ranges": "bytes",
    "last-modified": new Date(bytes.createdAtMs).toUTCString(),
    "content-type": bytes.contentType,
    ...CONTENT_RULES,
    ...headers,
  };
  if (isUnchanged(c, bytes.etag, common["last-modified"])) {
    return new Response(null, { status: 304, headers: common });
  }
  if (isHead(c)) {
    return new Response(null, {
      headers: { ...common, "content-length": String(bytes.sizeBytes) },
    });
  }
  if (services.options.downloads === "redirect") {
    bytes.onDownload?.();
    const disposition = headers["content-disposition"];
    const ticket = await services.stores.blobs.downloadTicket({
      sha256: bytes.sha256,
      expiresInSeconds: TICKET_SECONDS,
      contentType: bytes.contentType,
      ...(disposition === undefined ? {} : { contentDisposition: disposition }),
    });
    return new Response(null, {
      status: 307,
      headers: { location: ticket.url, "cache-control": "no-store" },
    });
  }
  return sendInline(c, services, bytes, common);
}

/**
 * RFC 9110, 13.1.2 and 13.1.3. A time counts only when it is the very one that was sent, as nginx has it: what `latest` or
 * a name without a version leads to may be older than what it led to before.
 */
function isUnchanged(c: Context<AppEnv>, etag: string, lastModified: string | undefined): boolean {
  const tags = c.req.header("if-none-match");
  if (tags !== undefined) return matchesEtag(tags, etag);
  const time = c.req.header("if-modified-since");
  return time !== undefined && time === lastModified;
}

async function sendInline(
  c: Context<AppEnv>,
  services: Services,
  bytes: Sendable,
  headers: Record<string, string>,
): Promise<Response> {
  const ifRange = c.req.header("if-range");
  const header = c.req.header("range");
  // RFC 9110, 13.1.5: a range of another entity than the client has part of is the whole.
  const parsed = parseRange(
    ifRange === undefined || ifRange === headers["etag"] ? header : undefined,
    bytes.sizeBytes,
  );
  if (parsed.kind === "unsatisfiable") {
    // Nothing of what is said of the bytes: a cache must not keep this in their place.
    return new Response(null, {
      status: 416,
      headers: {
        "accept-ranges": "bytes",
        "cache-control": "no-store",
        "content-range": unsatisfiedContentRange(bytes.sizeBytes),
      },
    });
  }
  const range = parsed.kind === "range" ? parsed.range : undefined;
  const lengthBytes = range === undefined ? bytes.sizeBytes : range.end - range.start + 1;
  const { blobs } = services.stores;
  const isSmall = lengthBytes <= SMALL_BYTES;
  const body = await (isSmall ? blobs.read(bytes.sha256, range) : blobs.open(bytes.sha256, range));
  if (body === undefined) throw new Error(`the blob ${bytes.sha256} is missing`);
  if (range === undefined || range.start === 0) bytes.onDownload?.();
  if (!isSmall) c.env.isStored = true;
  const withLength = { ...headers, "content-length": String(lengthBytes) };
  if (range === undefined) return new Response(body, { headers: withLength });
  return new Response(body, {
    status: 206,
    headers: { ...withLength, "content-range": contentRange(range, bytes.sizeBytes) },
  });
}
