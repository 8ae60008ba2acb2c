import type { Context } from "hono";
import { InvalidInputError } from "../../shared/errors.ts";
import type { JsonObject } from "../../shared/domain/json.ts";
import type { AppEnv } from "../../shared/http/app.ts";
import type { PageOptions } from "../../shared/records/pages.ts";
import { type ListingPage, PAGE_POLICY, renderPage } from "../../shared/http/listing-page.ts";

const MAX_LIMIT = 100;

/** One page of a listing, in both of its forms. */
export interface Listing {
  /** The JSON form; `nextCursor` is added. */
  readonly document: JsonObject;
  /** `undefined` on the last page. */
  readonly nextCursor: string | undefined;
  readonly page: ListingPage;
}

/** `?limit=` (1 to 100, default 100) and `?cursor=`. @throws {InvalidInputError} */
export function parsePage(c: Context<AppEnv>): PageOptions {
  const text = c.req.query("limit") ?? String(MAX_LIMIT);
  const limit = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_LIMIT) {
    throw new InvalidInputError(`The limit must be a number from 1 to ${MAX_LIMIT}.`, [
      { at: "limit", problem: "out of range" },
    ]);
  }
  const cursor = c.req.query("cursor");
  return cursor === undefined ? { limit } : { limit, cursor };
}

/**
 * Answers as JSON, or as HTML for what asks for it (browsers do in `Accept`); `?format=json|html` overrides.
 * The next page is in `nextCursor`, and linked as RFC 8288 says.
 */
export function sendListing(c: Context<AppEnv>, listing: Listing): Response | Promise<Response> {
  const { document, nextCursor, page } = listing;
  const next = nextCursor === undefined ? undefined : nextUrl(c, nextCursor);
  c.header("vary", "accept");
  c.header("cache-control", "private, no-cache");
  c.header("x-content-type-options", "nosniff");
  if (next !== undefined) c.header("link", `<${next}>; rel="next"`);
  if (wantsHtml(c)) {
    c.header("content-security-policy", PAGE_POLICY);
    c.header("referrer-policy", "no-referrer");
    return c.html(renderPage(page, next));
  }
  return c.json(nextCursor === undefined ? document : { ...document, nextCursor });
}

function wantsHtml(c: Context<AppEnv>): boolean {
  const format = c.req.query("format");
  if (format === "html" || format === "json") return format === "html";
  if (format !== undefined) {
    throw new InvalidInputError('The format must be "json" or "html".', [
      { at: "format", problem: "unknown" },
    ]);
  }
  return (c.req.header("accept") ?? "").includes("text/html");
}

/** Relative to the listing, with its other parameters. */
function nextUrl(c: Context<AppEnv>, cursor: string): string {
  const query = new URLSearchParams({ cursor });
  for (const name of ["limit", "format"]) {
    const value = c.req.query(name);
    if (value !== undefined) query.set(name, value);
  }
  return `?${query.toString()}`;
}
