import type { Context } from "hono";
import type { Principal } from "../../../shared/domain/principal.ts";
import { hasScope, type Scope, type Token } from "../../../shared/domain/token.ts";
import { InvalidInputError, UnauthenticatedError } from "../../../shared/errors.ts";
import type { AppEnv } from "../../../shared/http/app.ts";
import { readJson } from "../../../shared/http/json-body.ts";
import type { Services } from "../../../shared/services/services.ts";
import { parseTokenText } from "../../../shared/services/token-text.ts";
import { type NewTokenBody, newTokenSchema, parseWith } from "../schema.ts";
import { param } from "../target.ts";

const BODY_LIMITS = { maxBytes: 64 * 1024, maxDepth: 8 } as const;
const DAY_MS = 86_400_000;
const PAGE_TOKENS = 100;

/** `GET /-/npm/v1/tokens`: the caller's own, newest first; `urls.next` leads to the next page. */
export async function listTokens(c: Context<AppEnv>, services: Services): Promise<Response> {
  const caller = c.get("caller");
  if (caller.principal.kind === "anonymous") throw new UnauthenticatedError();
  const cursor = c.req.query("cursor");
  const page = await services.tokens.listOwn(caller, {
    limit: PAGE_TOKENS,
    ...(cursor === undefined ? {} : { cursor }),
  });
  const next =
    page.cursor === undefined
      ? {}
      : { next: `/-/npm/v1/tokens?cursor=${encodeURIComponent(page.cursor)}` };
  return c.json(
    { objects: page.items.map(renderToken), total: page.items.length, urls: next },
    200,
    { "cache-control": "no-store" },
  );
}

/**
 * `POST /-/npm/v1/tokens`. The password that npm asks for is not looked at: whoever asks has proved by the token
 * of the request what they may do, and a new token can never do more.
 */
export async function createToken(c: Context<AppEnv>, services: Services): Promise<Response> {
  const caller = c.get("caller");
  if (caller.principal.kind === "anonymous") throw new UnauthenticatedError();
  const body = parseWith(newTokenSchema, await readJson(c.req.raw, BODY_LIMITS), "The token");
  if ((body.cidr_whitelist ?? []).length > 0) {
    throw new InvalidInputError(
      "Tokens cannot be bound to addresses here; create it without --cidr, or limit it to packages or by --expires.",
    );
  }
  const { token, text } = await services.tokens.create(caller, {
    description: body.description ?? body.name ?? "npm token",
    scopes: scopesOf(body, caller.principal),
    registries: registriesOf(caller.principal, param(c, "registry")),
    packages: packagesOf(body, caller.principal),
    expiresAtMs: expiryOf(body, caller.principal, services.stores.now()),
    rateLimitExempt: false,
  });
  return c.json({ ...renderToken(token), token: text }, 201, { "cache-control": "no-store" });
}

/** `DELETE /-/npm/v1/tokens/token/<key>`: by the key of the list, or by the token itself. */
export async function revokeToken(c: Context<AppEnv>, services: Services): Promise<Response> {
  const caller = c.get("caller");
  if (caller.principal.kind === "anonymous") throw new UnauthenticatedError();
  const key = param(c, "key");
  await services.tokens.revoke(caller, parseTokenText(key)?.id ?? key);
  return c.body(null, 204);
}

type TokenPrincipal = Extract<Principal, { kind: "token" }>;

/** Read-only where npm asks for it; otherwise what the caller may do with packages. */
function scopesOf(body: NewTokenBody, caller: TokenPrincipal): readonly Scope[] {
  const readOnly = body.readonly === true || body.packages_and_scopes_permission === "read-only";
  if (readOnly) return ["packages:read"];
  const own: readonly Scope[] = ["packages:write", "packages:delete", "packages:read"];
  return own.filter((scope) => hasScope(caller.scopes, scope));
}

/** A token that was made at one registry is for that registry, as npm's are. */
function registriesOf(caller: TokenPrincipal, slug: string): readonly string[] {
  return caller.registries.length === 0 ? [slug] : caller.registries;
}

function packagesOf(body: NewTokenBody, caller: TokenPrincipal): readonly string[] {
  const scopes = (body.scopes ?? []).map((scope) => `@${scope.replace(/^@/, "")}/*`);
  const wanted = [...(body.packages ?? []), ...scopes];
  return wanted.length === 0 ? caller.packages : wanted;
}

function expiryOf(body: NewTokenBody, caller: TokenPrincipal, nowMs: number): number {
  return typeof body.expires !== "number" ? caller.expiresAtMs : nowMs + body.expires * DAY_MS;
}

/** npm shows the first characters of `token`, finds a token by the beginning of its `key`, and adds the ellipsis. */
function renderToken(token: Token) {
  return {
    key: token.id,
    token: token.hint.replace("…", ""),
    name: token.description,
    description: token.description,
    created: new Date(token.createdAtMs).toISOString(),
    updated: new Date(token.createdAtMs).toISOString(),
    expires: token.expiresAtMs === 0 ? null : new Date(token.expiresAtMs).toISOString(),
    readonly: !hasScope(token.scopes, "packages:write"),
    cidr_whitelist: null,
    packages: token.packages,
    registries: token.registries,
    scopes: token.scopes,
  };
}
