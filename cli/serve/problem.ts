import { STATUS_CODES } from "node:http";

/** A failure that belongs to no app, as problem details (RFC 9457). */
export function problem(
  status: number,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return Response.json(
    { type: "about:blank", title: STATUS_CODES[status] ?? "", status, detail },
    { status, headers: { ...headers, "content-type": "application/problem+json" } },
  );
}
