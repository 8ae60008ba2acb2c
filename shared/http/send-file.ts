import type { Context } from "hono";
import type { AvailableFile } from "../services/catalogue.ts";
import type { Services } from "../services/services.ts";
import type { AppEnv } from "./app.ts";
import { matchesEtag } from "./conditional.ts";
import { parseRange } from "./ranges.ts";

/** Long enough for a client that reconnects in the middle of a large file, short enough for a URL that leaks. */
const TICKET_SECONDS = 15 * 60;

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
  const { file } = found;
  const etag = file.digests.sha256;
  const common: Record<string, string> = {
    etag: `"${etag}"`,
    "accept-ranges": "bytes",
    "last-modified": new Date(file.createdAtMs).toUTCString(),
    "content-type": file.contentType,
    // Bytes that users uploaded must never run as a page of ours.
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
    ...headers,
  };
  if (matchesEtag(c.req.header("if-none-match"), etag)) {
    return new Response(null, { status: 304, headers: common });
  }
  if (c.req.method === "HEAD") {
    return new Response(null, {
      headers: { ...common, "content-length": String(file.sizeBytes) },
    });
  }
  if (services.options.downloads === "redirect") {
    services.downloads.count(found);
    const disposition = headers["content-disposition"];
    const ticket = await services.stores.blobs.downloadTicket({
      sha256: file.digests.sha256,
      expiresInSeconds: TICKET_SECONDS,
      contentType: file.contentType,
      ...(disposition === undefined ? {} : { contentDisposition: disposition }),
    });
    return new Response(null, {
      status: 307,
      headers: { location: ticket.url, "cache-control": "no-store" },
    });
  }
  return sendInline(c, services, found, common);
}

async function sendInline(
  c: Context<AppEnv>,
  services: Services,
  found: AvailableFile,
  headers: Record<string, string>,
): Promise<Response> {
  const { file } = found;
  const ifRange = c.req.header("if-range");
  const header = c.req.header("range");
  // RFC 9110, 13.1.5: a range of another entity than the client has part of is the whole.
  const parsed = parseRange(
    ifRange === undefined || ifRange === headers["etag"] ? header : undefined,
    file.sizeBytes,
  );
  if (parsed.kind === "unsatisfiable") {
    return new Response(null, {
      status: 416,
      headers: { ...headers, "content-range": `bytes */${file.sizeBytes}` },
    });
  }
  const range = parsed.kind === "range" ? parsed.range : undefined;
  const body = await services.stores.blobs.open(file.digests.sha256, range);
  if (body === undefined) {
    throw new Error(
      `the blob ${file.digests.sha256} of ${file.packageName} ${file.path} is missing`,
    );
  }
  if (range === undefined || range.start === 0) services.downloads.count(found);
  if (range === undefined) {
    return new Response(body, {
      headers: { ...headers, "content-length": String(file.sizeBytes) },
    });
  }
  return new Response(body, {
    status: 206,
    headers: {
      ...headers,
      "content-length": String(range.end - range.start + 1),
      "content-range": `bytes ${range.start}-${range.end}/${file.sizeBytes}`,
    },
  });
}
