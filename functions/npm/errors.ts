import type { Context } from "hono";
import { NotFoundError, type RegistryError, VersionExistsError } from "../../shared/errors.ts";
import type { AppEnv } from "../../shared/http/app.ts";
import { type ErrorRenderer, STATUSES, wordsWithIssues } from "../../shared/http/errors.ts";

/**
 * npm's clients retry 408, 420, 429 and 5xx, so only what may succeed by itself gets those. A second publish
 * is 403, as npm's own registry answers: pnpm and lerna look for it.
 */
const NPM_STATUSES = { ...STATUSES, "version-exists": 403 } as const;

/**
 * npm's CLI reads the first scheme: with `Bearer` it tells the user to log in again. Basic stands behind it for
 * clients that wait to be asked before they send a user name and password.
 */
const CHALLENGE = 'Bearer realm="Entrepot", Basic realm="Entrepot"';

/** What npm's clients read: `error` is printed after the status, `reason` is what CouchDB called it. */
export interface ErrorBody {
  readonly error: string;
  readonly reason: string;
}

/** Failures as npm's clients print them. */
export const NPM_ERRORS: ErrorRenderer = {
  failure: (_c, error) => {
    const challenge = error.code === "unauthenticated" ? { "www-authenticate": CHALLENGE } : {};
    return new Response(JSON.stringify(body(wordsOf(error), error.code)), {
      status: NPM_STATUSES[error.code],
      headers: { "content-type": "application/json", "cache-control": "no-store", ...challenge },
    });
  },
  notFound: (c) => c.json(body("Not found", "not-found"), 404),
  internal: (c, requestId) =>
    c.json(body(`Internal server error; request id ${requestId}`, "internal"), 500),
};

/** `{"ok":true}`, which npm's clients expect after a change. */
export function ok(c: Context<AppEnv>, status: 200 | 201 = 200): Response {
  return c.json({ ok: true }, status);
}

/** A 405 for a path that is served, but not by this method; `allowed` is the `Allow` header. */
export function methodNotAllowed(c: Context<AppEnv>, allowed: string): Response {
  const words = `${c.req.method.slice(0, 20)} is not served here; use ${allowed}.`;
  return c.json(body(words, "method-not-allowed"), 405, { allow: allowed });
}

const body = (error: string, reason: string): ErrorBody => ({ error, reason });

function wordsOf(error: RegistryError): string {
  if (error instanceof VersionExistsError) {
    return `You cannot publish over the previously published versions: ${error.version}.`;
  }
  if (error instanceof NotFoundError) {
    if (error.thing === "package") return "Not found";
    if (error.thing === "version") return `version not found: ${error.identifier}`;
  }
  return wordsWithIssues(error);
}
