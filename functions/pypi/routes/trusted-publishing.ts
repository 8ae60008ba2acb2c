import type { Context } from "hono";
import type { AppEnv } from "../../../shared/http/app.ts";
import type { Services } from "../../../shared/services/services.ts";
import { openRegistry } from "../target.ts";

/** `GET /_/oidc/audience`: for whom a client asks its CI provider to make an identity token (https://docs.pypi.org/trusted-publishers/internals/). */
export async function getAudience(c: Context<AppEnv>, services: Services): Promise<Response> {
  await openRegistry(c, services, "packages:read");
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
