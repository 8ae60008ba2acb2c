import type { Context } from "hono";
import { ForbiddenError, UnauthenticatedError } from "../../../shared/errors.ts";
import { actorName, type Caller } from "../../../shared/domain/principal.ts";
import type { AppEnv } from "../../../shared/http/app.ts";
import { readJson } from "../../../shared/http/json-body.ts";
import type { Services } from "../../../shared/services/services.ts";
import { parseTokenText } from "../../../shared/services/token-text.ts";
import { ok } from "../errors.ts";
import { loginSchema, parseWith } from "../schema.ts";
import { openRegistry, param } from "../target.ts";

const COUCH_USER = "org.couchdb.user:";
const BODY_LIMITS = { maxBytes: 16 * 1024, maxDepth: 8 } as const;

/**
 * `GET /-/ping`. Without credentials it is answered for any name: a probe needs none, and the answer tells
 * nothing of private registries.
 */
export async function ping(c: Context<AppEnv>, services: Services): Promise<Response> {
  if (c.get("caller").principal.kind === "token") await openRegistry(c, services, "packages:read");
  return c.json({});
}

/** `GET /-/whoami`: the owner of the token. */
export async function whoami(c: Context<AppEnv>, services: Services): Promise<Response> {
  const { username } = await requireUser(c, services);
  return c.json({ username });
}

/** `GET /-/npm/v1/user`, for `npm profile get`. Second factors belong to whoever issues the tokens. */
export async function getProfile(c: Context<AppEnv>, services: Services): Promise<Response> {
  const { username } = await requireUser(c, services);
  return c.json({
    name: username,
    email: username.includes("@") ? username : "",
    email_verified: false,
    tfa: false,
    fullname: "",
    created: null,
    updated: null,
    cidr_whitelist: null,
  });
}

/** `POST /-/npm/v1/user`, for `npm profile set`. */
export async function setProfile(c: Context<AppEnv>, services: Services): Promise<Response> {
  await requireUser(c, services);
  throw new ForbiddenError(
    "Profiles are not kept here: a name belongs to a token and is chosen when the token is created.",
  );
}

/** `GET /-/user/org.couchdb.user:<name>`, which `npm owner` and the second try of a login ask. */
export async function getUser(c: Context<AppEnv>, services: Services): Promise<Response> {
  await requireUser(c, services);
  return c.json(couchUser(userName(c)));
}

/**
 * `PUT /-/user/org.couchdb.user:<name>`: the login that every npm knows. The password is a token, the name is up
 * to the user; the answer is a session token of the same rights.
 */
export async function login(c: Context<AppEnv>, services: Services): Promise<Response> {
  const body = parseWith(loginSchema, await readJson(c.req.raw, BODY_LIMITS), "The login");
  const caller = c.get("caller");
  const principal = await services.tokens.authenticate(body.password);
  if (principal === undefined) {
    await services.rateLimits.countWrongCredentials(caller.address);
    throw new UnauthenticatedError(
      "The password is not a token of this registry. Log in with any user name and an Entrepot token as the password.",
    );
  }
  const known: Caller = { ...caller, principal };
  await services.access.open(known, param(c, "registry"), "npm", "packages:read");
  const { text } = await services.tokens.createSession(known, "npm login");
  const { _id: id, _rev: rev } = couchUser(userName(c));
  return c.json({ ok: true, id, rev, token: text }, 201, { "cache-control": "no-store" });
}

/** `DELETE /-/user/token/<token>`: ends the token, whoever holds it may. One that has ended already is fine. */
export async function logout(c: Context<AppEnv>, services: Services): Promise<Response> {
  const caller = c.get("caller");
  const text = param(c, "token");
  const principal = await services.tokens.authenticate(text);
  if (principal === undefined) {
    await services.rateLimits.countWrongCredentials(caller.address);
    return ok(c);
  }
  if (parseTokenText(text) === undefined) {
    // npm removes the token from the user's file only after an answer without an error.
    return c.json({ ok: true }, 200, {
      "npm-notice":
        "This token is part of the server's configuration and stays valid; it was only removed here.",
    });
  }
  await services.tokens.revoke({ ...caller, principal }, principal.tokenId);
  return ok(c);
}

async function requireUser(
  c: Context<AppEnv>,
  services: Services,
): Promise<{ readonly username: string }> {
  const { principal } = c.get("caller");
  if (principal.kind === "anonymous") throw new UnauthenticatedError();
  await openRegistry(c, services, "packages:read");
  return { username: actorName(principal) };
}

function userName(c: Context<AppEnv>): string {
  return param(c, "user").slice(COUCH_USER.length, COUCH_USER.length + 200);
}

const couchUser = (name: string) => ({
  _id: `${COUCH_USER}${name}`,
  _rev: "1-0",
  name,
  email: name.includes("@") ? name : "",
  type: "user",
  roles: [],
});
