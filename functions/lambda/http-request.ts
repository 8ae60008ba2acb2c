import { EDGE_HEADER } from "./edge-origin.ts";
import type { HttpEvent } from "./http-event.ts";

/** Host names and addresses with an optional port. */
const HOST = /^[A-Za-z0-9.\-_[\]:]{1,255}$/;
/** What cannot stand in a path as it is: everything but RFC 3986's pchar and the slash, and a `%` that escapes nothing. */
const NOT_IN_PATH = /%(?![0-9A-Fa-f]{2})|[^%A-Za-z0-9\-._~!$&'()*+,;=:@/]/gu;
/** Of the connection to API Gateway, not of the request. */
const HOP_BY_HOP = new Set(["connection", "transfer-encoding", "keep-alive", "upgrade", "expect"]);
/** What says whom a request comes from and which host it asked. */
const OF_THE_EDGE = ["x-forwarded-for", "x-forwarded-host", "forwarded"];

/**
 * The web request that an event stands for. Without `isThroughEdge` it says nothing of another host or address than
 * API Gateway's own word: whoever calls that directly can write any header.
 *
 * HTTP APIs decode the path before they put it into the event, where `@scope%2fname` is `@scope/name`, and cut it off
 * at a decoded `?`; emulators leave it as it was sent (https://github.com/honojs/hono/issues/2156,
 * https://github.com/middleapi/standard-server/pull/93). So what cannot stand in a path is encoded again, and escapes
 * that are still there stay: the apps read a slash in a name either way. A name that holds `%` and two hexadecimal
 * digits is the one thing that cannot be told apart, and is read as the escape.
 *
 * @throws {TypeError} for a method that no request can have (CONNECT, TRACE).
 */
export function toRequest(event: HttpEvent, isThroughEdge: boolean): Request {
  const { method } = event.requestContext.http;
  const headers = headersOf(event);
  headers.delete(EDGE_HEADER);
  if (!isThroughEdge) for (const name of OF_THE_EDGE) headers.delete(name);
  const body = bodyOf(event);
  const takesBody = method !== "GET" && method !== "HEAD";
  if (takesBody) headers.set("content-length", String(body.length));
  return new Request(urlOf(event), {
    method,
    headers,
    ...(takesBody && body.length > 0 ? { body } : {}),
  });
}

/** The client's address: API Gateway's word, or CloudFront's for what came through it. */
export function addressOf(event: HttpEvent, isThroughEdge: boolean): string {
  const { sourceIp } = event.requestContext.http;
  if (!isThroughEdge) return sourceIp;
  // CloudFront adds the address that it sees, then API Gateway adds CloudFront's.
  const chain = (event.headers["x-forwarded-for"] ?? "").split(",").map((part) => part.trim());
  const beforeEdge = chain.at(-1) === sourceIp ? chain.at(-2) : chain.at(-1);
  return beforeEdge === undefined || beforeEdge === "" ? sourceIp : beforeEdge.slice(0, 64);
}

function urlOf(event: HttpEvent): string {
  const { headers, rawPath, rawQueryString, requestContext } = event;
  const host = [headers["host"], requestContext.domainName].find(
    (name) => name !== undefined && HOST.test(name),
  );
  // Emulators are reached without TLS; AWS is not.
  const scheme = headers["x-forwarded-proto"] === "http" ? "http" : "https";
  const path = rawPath.replace(NOT_IN_PATH, (character) => encodeURIComponent(character));
  const query = rawQueryString === "" ? "" : `?${rawQueryString}`;
  return `${scheme}://${host ?? "localhost"}${path.startsWith("/") ? "" : "/"}${path}${query}`;
}

function headersOf(event: HttpEvent): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(event.headers)) {
    if (!HOP_BY_HOP.has(name.toLowerCase())) headers.set(name, headerBytes(value));
  }
  if (event.cookies.length > 0) headers.set("cookie", event.cookies.join("; "));
  return headers;
}

/** Headers are bytes, and `Headers` takes a character for each. */
function headerBytes(value: string): string {
  return /[^\0-\xff]/.test(value) ? Buffer.from(value, "utf8").toString("latin1") : value;
}

function bodyOf({ body, isBase64Encoded }: HttpEvent): Buffer<ArrayBuffer> {
  return Buffer.from(body ?? "", isBase64Encoded ? "base64" : "utf8");
}
