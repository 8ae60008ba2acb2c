import type { HttpResult } from "./http-event.ts";

const FAILURES = {
  timeout: [503, "It took too long. If it was a change, it may still happen: try again."],
  failed: [
    500,
    "Something failed here. Try again; with the request's id the operator can find why.",
  ],
  "past-edge": [403, "This registry answers at its own host name only, not at API Gateway's."],
  unreadable: [
    400,
    "The request cannot be read as HTTP: its method, URL or headers are not valid.",
  ],
  "too-large": [
    500,
    "The answer is larger than can be sent (6 MB). Ask for less, in pages or compressed.",
  ],
} as const satisfies Record<string, readonly [number, string]>;

/** Of the Distribution Specification. */
const CODES: ReadonlyMap<number, string> = new Map([
  [400, "UNSUPPORTED"],
  [403, "DENIED"],
]);

/**
 * An answer that no app could give. Whoever asks finds words where their protocol has them: `detail` (our API), `error`
 * (npm), `errors` (OCI).
 */
export function edgeResult(failure: keyof typeof FAILURES, requestId: unknown): HttpResult {
  const [statusCode, detail] = FAILURES[failure];
  const id = typeof requestId === "string" ? requestId : "";
  return {
    statusCode,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      "x-request-id": id,
      ...(statusCode === 503 ? { "retry-after": "1" } : {}),
    },
    body: JSON.stringify({
      type: `urn:entrepot:error:${failure}`,
      status: statusCode,
      detail,
      requestId: id,
      error: detail,
      errors: [{ code: CODES.get(statusCode) ?? "UNKNOWN", message: detail }],
    }),
    isBase64Encoded: false,
  };
}
