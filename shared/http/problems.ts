import type { Context } from "hono";
import { InvalidInputError, type RegistryError, type RegistryErrorCode } from "../errors.ts";
import type { AppEnv } from "./app.ts";
import { type ErrorRenderer, STATUSES } from "./errors.ts";

/** The body of a failure: RFC 9457, https://www.rfc-editor.org/rfc/rfc9457. */
export interface Problem {
  /** `urn:entrepot:error:<code>`: stable, for programs to tell failures apart. */
  readonly type: string;
  /** The same for every problem of a type. */
  readonly title: string;
  readonly status: number;
  /** What was wrong here, with what, and what to do. */
  readonly detail: string;
  /** Finds this request in the server's log. */
  readonly requestId: string;
  /** For `invalid-input`: every place in the input that was refused. */
  readonly issues?: InvalidInputError["issues"];
}

const TITLES: Readonly<Record<RegistryErrorCode, string>> = {
  unauthenticated: "Authentication is required",
  forbidden: "Your token does not allow this",
  "not-found": "Not found",
  "already-exists": "It exists already",
  "version-exists": "It was published before",
  conflict: "The change conflicts with the present state",
  "invalid-input": "The request is not valid",
  "digest-mismatch": "The bytes do not match their checksum",
  "too-large": "Too large",
  "confirmation-required": "Confirmation is required",
  "precondition-failed": "The precondition of the request does not hold",
  unsupported: "Not supported here",
  "rate-limited": "Too many requests",
  unavailable: "Temporarily unavailable",
  "upstream-failed": "The upstream registry did not answer as it should",
};

/** Both ways in which a token may be sent, as challenges of a 401 (RFC 7617 and RFC 6750). */
const CHALLENGES = ['Basic realm="Entrepot", charset="UTF-8"', 'Bearer realm="Entrepot"'] as const;

/** Failures as `application/problem+json`: of the API, and of protocols whose clients read statuses and no bodies. */
export const PROBLEMS: ErrorRenderer = {
  failure: failureResponse,
  notFound: (c) =>
    problemResponse(c, {
      type: "urn:entrepot:error:no-route",
      title: "Nothing is served here",
      status: 404,
      detail: `${c.req.method} ${c.req.path.slice(0, 200)} is not part of this API; check the URL.`,
    }),
  internal: (c, requestId) =>
    problemResponse(c, {
      type: "urn:entrepot:error:internal",
      title: "Internal error",
      status: 500,
      detail: `The server made a mistake. Its log knows more under request id ${requestId}.`,
    }),
};

/** A 405 for a path that is served, but not by this method; `allowed` becomes the `Allow` header. */
export function methodNotAllowed(c: Context<AppEnv>, allowed: readonly string[]): Response {
  const response = problemResponse(c, {
    type: "urn:entrepot:error:method-not-allowed",
    title: "Method not allowed",
    status: 405,
    detail: `${c.req.method.slice(0, 20)} is not served here; use ${allowed.join(", ")}.`,
  });
  response.headers.set("allow", allowed.join(", "));
  return response;
}

function failureResponse(c: Context<AppEnv>, error: RegistryError): Response {
  const response = problemResponse(c, {
    type: `urn:entrepot:error:${error.code}`,
    title: TITLES[error.code],
    status: STATUSES[error.code],
    detail: error.message,
    ...(error instanceof InvalidInputError && error.issues.length > 0
      ? { issues: error.issues }
      : {}),
  });
  if (error.code === "unauthenticated") {
    for (const challenge of CHALLENGES) response.headers.append("www-authenticate", challenge);
  }
  return response;
}

function problemResponse(c: Context<AppEnv>, problem: Omit<Problem, "requestId">): Response {
  return new Response(JSON.stringify({ ...problem, requestId: c.env.requestId }), {
    status: problem.status,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store" },
  });
}
