import type { Context } from "hono";
import * as z from "zod";
import { InvalidInputError, UnauthenticatedError } from "../../../shared/errors.ts";
import type { PackageGrant, Principal } from "../../../shared/domain/principal.ts";
import type { Scope } from "../../../shared/domain/token.ts";
import type { AppEnv } from "../../../shared/http/app.ts";
import { readText } from "../../../shared/http/json-body.ts";
import type { Services } from "../../../shared/services/services.ts";
import { isShortLived, type OciTokens, TOKEN_SECONDS, type TokenRequest } from "../tokens.ts";

/** A mount of a layer asks for two repositories; nobody needs many. */
const MAX_SCOPES = 10;
const MAX_FORM_BYTES = 16 * 1024;

const SCOPES: Readonly<Record<string, readonly Scope[]>> = {
  pull: ["packages:read"],
  push: ["packages:read", "packages:write"],
  delete: ["packages:delete"],
  "*": ["packages:read", "packages:write", "packages:delete"],
};

/**
 * GET of docker's token flow: the credentials are Basic, or there are none.
 * https://distribution.github.io/distribution/spec/auth/token/
 */
export async function getToken(c: Context<AppEnv>, tokens: OciTokens, services: Services) {
  const { principal } = c.get("caller");
  if (isShortLived(principal)) {
    throw new UnauthenticatedError("A short-lived token gets no other; send what it was got with.");
  }
  const scopes = new URL(c.req.url).searchParams.getAll("scope");
  return answer(c, tokens, services, principal, scopes);
}

const form = z.object({
  grant_type: z.enum(["password", "refresh_token"]),
  username: z.string().max(1000).optional(),
  password: z.string().max(4096).optional(),
  refresh_token: z.string().max(4096).optional(),
  scope: z.string().max(8192).optional(),
});

/**
 * POST of the same (OAuth 2), which containerd tries first. An API token serves as password and as refresh token.
 * https://distribution.github.io/distribution/spec/auth/oauth/
 */
export async function postToken(c: Context<AppEnv>, tokens: OciTokens, services: Services) {
  const text = await readText(c.req.raw, MAX_FORM_BYTES);
  const parsed = form.safeParse(Object.fromEntries(new URLSearchParams(text)));
  if (!parsed.success) {
    throw new InvalidInputError(
      "The form needs grant_type=password with username and password, or grant_type=refresh_token with refresh_token.",
    );
  }
  const { grant_type: grantType, username, password, refresh_token: refreshToken } = parsed.data;
  const secret = grantType === "refresh_token" ? refreshToken : password || username;
  const principal = await services.tokens.authenticate(secret ?? "");
  if (principal === undefined) {
    await services.rateLimits.countWrongCredentials(c.env.address);
    throw new UnauthenticatedError("This token is not known, has expired or was revoked.");
  }
  return answer(c, tokens, services, principal, [parsed.data.scope ?? ""]);
}

async function answer(
  c: Context<AppEnv>,
  tokens: OciTokens,
  services: Services,
  principal: Principal,
  scopes: readonly string[],
): Promise<Response> {
  const token = await tokens.issue(principal, parseScopes(scopes));
  const body = {
    token,
    access_token: token,
    expires_in: TOKEN_SECONDS,
    issued_at: new Date(services.stores.now()).toISOString(),
  };
  return c.json(body, 200, { "cache-control": "no-store" });
}

/** `repository:<registry>/<image>:pull,push`, divided by spaces; kinds that we do not know are left out. */
function parseScopes(texts: readonly string[]): TokenRequest {
  const words = texts.flatMap((text) => text.split(" ")).filter((word) => word !== "");
  if (words.length > MAX_SCOPES) {
    throw new InvalidInputError(`A token is for at most ${MAX_SCOPES} scopes; ask for fewer.`);
  }
  const grants: PackageGrant[] = [];
  for (const word of words) {
    const match = /^repository:([a-z0-9_-]{1,63})\/([a-z0-9._/-]{1,191}):([a-z,*]{1,40})$/.exec(
      word,
    );
    const [, registry, image, actions] = match ?? [];
    if (registry === undefined || image === undefined || actions === undefined) continue;
    const wanted = actions.split(",").flatMap((action) => SCOPES[action] ?? []);
    grants.push({ registry, package: image, scopes: [...new Set(wanted)] });
  }
  // podman searches the catalogue with a token that it asked nothing for.
  return { grants, catalog: grants.length === 0 || words.includes("registry:catalog:*") };
}
