import type { Context } from "hono";
import type { AppEnv } from "../../../shared/http/app.ts";

/**
 * Where clients look for the exchange of trusted publishing: twine, uv and the publish action of PyPA take the host of the
 * upload URL and drop its path (twine/auth.py; uv-publish; oidc-exchange.py).
 */
export const OIDC_PATHS = { audience: "/_/oidc/audience", mint: "/_/oidc/mint-token" } as const;

/**
 * `GET /_/oidc/audience`: for whom a client asks its CI provider to make an identity token
 * (https://docs.pypi.org/trusted-publishers/internals/). It has no credentials yet, so that the answer is the same
 * whatever registries there are.
 */
export function getAudience(c: Context<AppEnv>): Response {
  return c.json({ audience: new URL(c.get("caller").baseUrl).hostname });
}

/** `POST /_/oidc/mint-token`: the exchange of an identity token, which no policy allows yet. */
export function mintToken(c: Context<AppEnv>): Response {
  const description =
    "Trusted publishing is not set up in this registry; publish with an API token (user name __token__).";
  return c.json(
    { message: "Token request failed", errors: [{ code: "not-enabled", description }] },
    403,
  );
}
