import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** The bodies that API Gateway hands on as text, as measured there (https://github.com/ministackorg/ministack/pull/766). */
const TEXT = /^(?:text\/|application\/(?:json|xml|javascript)\b)/i;

/** The event that an HTTP API makes of a request, payload format 2.0, as far as functions look at it. */
export function eventOf(incoming: IncomingMessage, body: Buffer): Record<string, unknown> {
  const target = incoming.url ?? "/";
  const at = target.indexOf("?");
  const sentPath = at < 0 ? target : target.slice(0, at);
  const rawPath = decodedPath(sentPath);
  const { cookie, ...rest } = incoming.headers;
  const headers = Object.fromEntries(
    Object.entries(rest).map(([name, value]) => [name, String(value)]),
  );
  const isText = TEXT.test(headers["content-type"] ?? "");
  const method = incoming.method ?? "";
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath,
    rawQueryString: at < 0 ? "" : target.slice(at + 1),
    ...(cookie === undefined ? {} : { cookies: cookie.split("; ") }),
    headers: { ...headers, "x-forwarded-proto": "http", "x-forwarded-for": "192.0.2.7" },
    requestContext: {
      domainName: headers["host"],
      requestId: randomBytes(12).toString("base64url"),
      stage: "$default",
      http: { method, path: rawPath, sourceIp: "192.0.2.7", protocol: "HTTP/1.1" },
    },
    ...(body.length === 0 ? {} : { body: body.toString(isText ? "utf8" : "base64") }),
    isBase64Encoded: body.length > 0 && !isText,
  };
}

/** HTTP APIs decode the path, and lose what comes after a decoded question mark. */
function decodedPath(path: string): string {
  try {
    return decodeURIComponent(path).split("?")[0] ?? "/";
  } catch {
    return path;
  }
}
