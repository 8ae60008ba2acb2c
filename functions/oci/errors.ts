import type { Context } from "hono";
import {
  ChecksumMismatchError,
  InvalidInputError,
  NotFoundError,
  type RegistryError,
  type RegistryErrorCode,
  type Thing,
} from "../../shared/errors.ts";
import type { AppEnv } from "../../shared/http/app.ts";
import type { ErrorRenderer } from "../../shared/http/errors.ts";
import type { ServiceOptions } from "../../shared/services/services.ts";
import { API_VERSION, API_VERSION_HEADER } from "./api-version.ts";
import { challengeFor } from "./challenge.ts";

/** https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes */
export type OciErrorCode =
  | "BLOB_UNKNOWN"
  | "BLOB_UPLOAD_INVALID"
  | "BLOB_UPLOAD_UNKNOWN"
  | "DIGEST_INVALID"
  | "MANIFEST_BLOB_UNKNOWN"
  | "MANIFEST_INVALID"
  | "MANIFEST_UNKNOWN"
  | "NAME_INVALID"
  | "NAME_UNKNOWN"
  | "SIZE_INVALID"
  | "TAG_INVALID"
  | "UNAUTHORIZED"
  | "DENIED"
  | "UNSUPPORTED"
  | "TOOMANYREQUESTS"
  | "UNKNOWN"
  | "UNAVAILABLE";

/** Bad input for which the specification has a code of its own. */
export class OciInvalidError extends InvalidInputError {
  readonly ociCode: OciErrorCode;
  readonly status: number;
  /** What programs may read of it. */
  readonly detail: unknown;

  constructor(
    ociCode: OciErrorCode,
    message: string,
    options: { readonly status?: number; readonly detail?: unknown } = {},
  ) {
    super(message);
    this.ociCode = ociCode;
    this.status = options.status ?? 400;
    this.detail = options.detail;
  }
}

/**
 * docker up to 28 sends an upload again, five times, on any answer in this shape but those with the code
 * UNSUPPORTED; so what can never succeed has that code.
 */
const ANSWERS = {
  unauthenticated: [401, "UNAUTHORIZED"],
  forbidden: [403, "DENIED"],
  "not-found": [404, "NAME_UNKNOWN"],
  "already-exists": [409, "DENIED"],
  "version-exists": [409, "DENIED"],
  conflict: [409, "DENIED"],
  "invalid-input": [400, "UNSUPPORTED"],
  "digest-mismatch": [400, "DIGEST_INVALID"],
  "too-large": [413, "UNSUPPORTED"],
  "confirmation-required": [400, "UNSUPPORTED"],
  "precondition-failed": [412, "DENIED"],
  unsupported: [405, "UNSUPPORTED"],
  "rate-limited": [429, "TOOMANYREQUESTS"],
  unavailable: [503, "UNAVAILABLE"],
  "upstream-failed": [502, "UNAVAILABLE"],
} as const satisfies Record<RegistryErrorCode, readonly [number, OciErrorCode]>;

const UNKNOWN_CODES: Readonly<Partial<Record<Thing, OciErrorCode>>> = {
  version: "MANIFEST_UNKNOWN",
  tag: "MANIFEST_UNKNOWN",
  file: "BLOB_UNKNOWN",
  upload: "BLOB_UPLOAD_UNKNOWN",
};

/** Failures as the Distribution Specification has them: `{"errors":[{code,message,detail}]}`. */
export function createOciErrors(options: ServiceOptions): ErrorRenderer {
  return {
    failure: (c, error) => {
      const response = errorResponse(error);
      if (error.code === "unauthenticated") {
        response.headers.set("www-authenticate", challengeFor(c.req.raw, options));
      }
      return response;
    },
    notFound: (c) => noRoute(c),
    internal: (_c, requestId) =>
      ociError(500, "UNKNOWN", `The server made a mistake; its log knows more under ${requestId}.`),
  };
}

/** A failure without a challenge. */
export function errorResponse(error: RegistryError): Response {
  const [status, code] = ANSWERS[error.code];
  if (error instanceof OciInvalidError) {
    return ociError(error.status, error.ociCode, error.message, error.detail);
  }
  if (error instanceof ChecksumMismatchError && error.isSize) {
    return ociError(status, "SIZE_INVALID", error.message);
  }
  if (error instanceof NotFoundError) {
    return ociError(status, UNKNOWN_CODES[error.thing] ?? code, error.message);
  }
  return ociError(status, code, error.message);
}

/** One error in the specification's shape. */
export function ociError(
  status: number,
  code: OciErrorCode,
  message: string,
  detail?: unknown,
): Response {
  return Response.json(
    { errors: [{ code, message, ...(detail === undefined ? {} : { detail }) }] },
    {
      status,
      headers: { "cache-control": "no-store", [API_VERSION_HEADER]: API_VERSION },
    },
  );
}

/** What the path or method asks for is not part of the protocol. */
export function noRoute(c: Context<AppEnv>, allowed?: readonly string[]): Response {
  if (allowed === undefined) {
    return ociError(
      404,
      "UNSUPPORTED",
      "This path is not part of the Distribution API; check the name.",
    );
  }
  const response = ociError(405, "UNSUPPORTED", `${c.req.method.slice(0, 20)} is not served here.`);
  const methods = allowed.flatMap((name) => (name === "GET" ? [name, "HEAD"] : [name]));
  response.headers.set("allow", methods.join(", "));
  return response;
}
