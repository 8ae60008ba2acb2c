import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import {
  ChecksumMismatchError,
  InvalidInputError,
  RateLimitedError,
  RegistryError,
  type RegistryErrorCode,
  TooLargeError,
  UnavailableError,
  UpstreamFailedError,
} from "../errors.ts";
import { BlobsUnavailableError, BlobTooLargeError, DigestMismatchError } from "../ports/blobs.ts";
import { KeysUnavailableError } from "../ports/keys.ts";
import type { Log } from "../ports/log.ts";
import {
  InvalidCursorError,
  ItemTooLargeError,
  KeyTooLargeError,
  MAX_ITEM_BYTES,
  TableUnavailableError,
  TransactionTooLargeError,
} from "../ports/table.ts";
import type { AppEnv } from "./app.ts";
import { logPath } from "./log-path.ts";

/** RFC 9110, 15. Ecosystems whose clients want others say so beside their errors. */
export const STATUSES = {
  unauthenticated: 401,
  forbidden: 403,
  "not-found": 404,
  "already-exists": 409,
  "version-exists": 409,
  conflict: 409,
  "invalid-input": 400,
  "digest-mismatch": 400,
  "too-large": 413,
  "confirmation-required": 400,
  "precondition-failed": 412,
  unsupported: 400,
  "rate-limited": 429,
  unavailable: 503,
  "upstream-failed": 502,
} as const satisfies Record<RegistryErrorCode, number>;

/** How an ecosystem tells its clients of a failure. */
export interface ErrorRenderer {
  failure(c: Context<AppEnv>, error: RegistryError): Response;
  /** No route: what was asked for is not part of the protocol. */
  notFound(c: Context<AppEnv>): Response;
  /** Our own mistake; the log knows more under the same request id. */
  internal(c: Context<AppEnv>, requestId: string): Response;
}

/** Turns whatever was thrown into an answer; what nobody expected is logged once, with its stack. */
export function answerError(
  c: Context<AppEnv>,
  thrown: Error,
  renderer: ErrorRenderer,
  log: Log,
): Response {
  const error = toRegistryError(thrown);
  if (error !== undefined) {
    const response = renderer.failure(c, error);
    if (error instanceof RateLimitedError || error instanceof UnavailableError) {
      response.headers.set("retry-after", String(error.retryAfterSeconds));
    }
    if (error instanceof UpstreamFailedError) {
      log.warn("request.upstream-failed", { requestId: c.env.requestId, why: error.message });
      if (error.retryAfterSeconds !== undefined) {
        response.headers.set("retry-after", String(error.retryAfterSeconds));
      }
    }
    if (error instanceof UnavailableError) {
      log.warn("request.unavailable", { requestId: c.env.requestId, why: thrown.message });
    }
    return response;
  }
  if (c.req.raw.signal.aborted) {
    log.info("request.aborted", { requestId: c.env.requestId });
    return renderer.failure(c, new InvalidInputError("The request ended before its body did."));
  }
  log.error("request.failed", thrown, {
    requestId: c.env.requestId,
    method: c.req.method,
    path: logPath(c.req.path),
  });
  return renderer.internal(c, c.env.requestId);
}

/** What an error says, with the first few places in the input that were refused. */
export function wordsWithIssues(error: RegistryError): string {
  if (!(error instanceof InvalidInputError) || error.issues.length < 2) return error.message;
  const issues = error.issues.map(({ at, problem }) => `${at}: ${problem}`);
  return `${error.message} (${issues.slice(0, 5).join("; ")})`;
}

/** Failures of the ports in the words of the domain; `undefined` for what nobody expected. */
export function toRegistryError(thrown: Error): RegistryError | undefined {
  if (thrown instanceof RegistryError) return thrown;
  if (thrown instanceof TableUnavailableError || thrown instanceof BlobsUnavailableError) {
    return new UnavailableError("Storage does not answer at the moment; try again.");
  }
  if (thrown instanceof KeysUnavailableError) {
    return new UnavailableError("The registry's keys cannot be used at the moment; try again.");
  }
  if (thrown instanceof DigestMismatchError) {
    return new ChecksumMismatchError(
      `${thrown.message}; send it again.`,
      thrown.algorithm === "size",
    );
  }
  if (thrown instanceof BlobTooLargeError)
    return new TooLargeError("The file", thrown.maxSizeBytes);
  if (thrown instanceof InvalidCursorError) {
    return new InvalidInputError("The cursor is not one of this list; start without a cursor.");
  }
  if (thrown instanceof ItemTooLargeError || thrown instanceof TransactionTooLargeError) {
    return new TooLargeError("The metadata", MAX_ITEM_BYTES, "Publish with less metadata.");
  }
  if (thrown instanceof KeyTooLargeError) {
    return new InvalidInputError("A name is too long; use shorter names.");
  }
  if (thrown instanceof HTTPException) return new InvalidInputError(thrown.message);
  return undefined;
}
