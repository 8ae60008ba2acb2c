import type { Context } from "hono";
import { type RegistryError, VersionExistsError } from "../../shared/errors.ts";
import type { AppEnv } from "../../shared/http/app.ts";
import { type ErrorRenderer, STATUSES, wordsWithIssues } from "../../shared/http/errors.ts";

/** A file that exists is 400, as on the public index: `twine --skip-existing` and others look for it. */
const PYPI_STATUSES = { ...STATUSES, "version-exists": 400 } as const;

/** pip and its like ask for a user name and password when they see this. */
const CHALLENGE = 'Basic realm="Entrepot", charset="UTF-8"';

/**
 * Failures as Python's clients print them: twine and poetry show the text of the answer, uv the `code` of one in JSON,
 * which it asks for.
 */
export const PYPI_ERRORS: ErrorRenderer = {
  failure: (c, error) => {
    const response = answer(c, PYPI_STATUSES[error.code], wordsOf(error));
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
  return wordsWithIssues(error);
}
