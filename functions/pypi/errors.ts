import type { Context } from "hono";
import {
  InvalidInputError,
  type RegistryError,
  type RegistryErrorCode,
  VersionExistsError,
} from "../../shared/errors.ts";
import type { AppEnv } from "../../shared/http/app.ts";
import type { ErrorRenderer } from "../../shared/http/errors.ts";

/** A file that exists is 400, as on the public index: `twine --skip-existing` and others look for it. */
const STATUS = {
  unauthenticated: 401,
  forbidden: 403,
  "not-found": 404,
  "already-exists": 409,
  "version-exists": 400,
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

/** pip and its like ask for a user name and password when they see this. */
const CHALLENGE = 'Basic realm="Entrepot", charset="UTF-8"';

/**
 * Failures as Python's clients print them: twine and poetry show the text of the answer, uv the `code` of one in JSON,
 * which it asks for.
 */
export const PYPI_ERRORS: ErrorRenderer = {
  failure: (c, error) => {
    const response = answer(c, STATUS[error.code], wordsOf(error));
    if (error.code === "unauthenticated") response.headers.set("www-authenticate", CHALLENGE);
    return response;
  },
  notFound: (c) => answer(c, 404, "Nothing is served here; check the URL."),
  internal: (c, requestId) => answer(c, 500, `Internal server error; request id ${requestId}.`),
};

function answer(c: Context<AppEnv>, status: number, words: string): Response {
  const isJson = /\bjson\b/i.test(c.req.header("accept") ?? "");
  const body = isJson
    ? JSON.stringify({ message: words, code: `${status} ${words}` })
    : `${words}\n`;
  return new Response(body, {
    status,
    headers: {
      "content-type": isJson ? "application/json" : "text/plain; charset=utf-8",
      "cache-control": "no-store",
      vary: "Accept",
    },
  });
}

/** `twine --skip-existing`, poetry and uv look for "already exist": https://github.com/pypa/twine, `skip_upload`. */
function wordsOf(error: RegistryError): string {
  if (error instanceof VersionExistsError) return `File already exists: ${error.message}`;
  if (error instanceof InvalidInputError && error.issues.length > 1) {
    const issues = error.issues.map(({ at, problem }) => `${at}: ${problem}`);
    return `${error.message} (${issues.slice(0, 5).join("; ")})`;
  }
  return error.message;
}
