import { timingSafeEqual } from "node:crypto";
import * as z from "zod";
import { UnauthenticatedError } from "../../shared/errors.ts";
import { ANONYMOUS, type PackageGrant, type Principal } from "../../shared/domain/principal.ts";
import type { Scope } from "../../shared/domain/token.ts";
import type { Services } from "../../shared/services/services.ts";

/** docker fetches a token for each operation; a push of many layers takes longer and fetches another. */
export const TOKEN_SECONDS = 300;
const PREFIX = "ept.";
const PURPOSE = "oci-token";

/** What a client asks of the token endpoint. */
export interface TokenRequest {
  readonly grants: readonly PackageGrant[];
  /** Listing repositories, which needs no single one. */
  readonly catalog: boolean;
}

const SCOPES = ["packages:read", "packages:write", "packages:delete"] as const satisfies Scope[];

const payload = z.strictObject({
  /** Id of the API token behind it; empty for an anonymous client. */
  i: z.string(),
  /** Registry, image, and positions in {@link SCOPES}. */
  g: z.array(z.tuple([z.string(), z.string(), z.array(z.int().min(0).max(2))])),
  c: z.boolean(),
  /** Expiry, Unix seconds. */
  x: z.int(),
});

/**
 * The short-lived tokens of docker's token flow: `ept.<payload>.<mac>`. They hold nothing but the id of the API
 * token behind them and what they were asked for, so they can never do more than that token can at the moment,
 * and revoking it revokes them.
 */
export class OciTokens {
  readonly #services: Services;

  constructor(services: Services) {
    this.#services = services;
  }

  /** A token that lets the principal do what it asks for, as far as it may, for {@link TOKEN_SECONDS}. */
  async issue(principal: Principal, request: TokenRequest): Promise<string> {
    const content: z.infer<typeof payload> = {
      i: principal.kind === "anonymous" ? "" : principal.tokenId,
      g: request.grants.map((grant) => [
        grant.registry,
        grant.package,
        grant.scopes.map((scope) => SCOPES.findIndex((known) => known === scope)),
      ]),
      c: request.catalog,
      x: Math.floor(this.#services.stores.now() / 1000) + TOKEN_SECONDS,
    };
    const text = Buffer.from(JSON.stringify(content)).toString("base64url");
    return `${PREFIX}${text}.${(await this.#mac(text)).toString("base64url")}`;
  }

  /** As {@link AppOptions.authenticate} has it: `undefined` for what is no such token. */
  authenticate(text: string): Promise<Principal> | undefined {
    return text.startsWith(PREFIX) ? this.#principalOf(text) : undefined;
  }

  /**
   * Whom a token belongs to, narrowed to what it was issued for.
   *
   * @throws {UnauthenticatedError} when it was altered, has expired, or the token behind it was revoked.
   */
  async #principalOf(text: string): Promise<Principal> {
    const content = await this.#verify(text.slice(PREFIX.length));
    if (content === undefined || content.x * 1000 <= this.#services.stores.now()) throw expired();
    if (content.i === "") return ANONYMOUS;
    const principal = await this.#services.tokens.findPrincipal(content.i);
    if (principal === undefined) throw expired();
    const grants = content.g.map(([registry, name, scopes]) => ({
      registry,
      package: name,
      scopes: scopes.map((position) => SCOPES[position] ?? "packages:read"),
    }));
    return { ...principal, grants, mayList: content.c };
  }

  async #verify(text: string): Promise<z.infer<typeof payload> | undefined> {
    const dot = text.indexOf(".");
    const body = text.slice(0, Math.max(dot, 0));
    const given = Buffer.from(text.slice(dot + 1), "base64url");
    const expected = await this.#mac(body);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    return payload.parse(JSON.parse(Buffer.from(body, "base64url").toString("utf8")));
  }

  async #mac(text: string): Promise<Buffer> {
    return Buffer.from(await this.#services.stores.keys.mac(PURPOSE, text));
  }
}

/** Whether somebody came with a token of ours, whose end and narrowness another one would undo. */
export const isShortLived = (principal: Principal): boolean =>
  principal.kind === "token" && principal.grants !== undefined;

/**
 * Who the catalogue is listed for: the principal without the narrowing to single repositories.
 *
 * @throws {UnauthenticatedError} when a short token was not fetched for the catalogue.
 */
export function lister(principal: Principal): Principal {
  if (principal.kind === "anonymous" || principal.grants === undefined) return principal;
  const { grants: _, mayList, ...rest } = principal;
  if (mayList === true) return rest;
  throw new UnauthenticatedError("This token is not for the catalogue; fetch another one.");
}

const expired = (): UnauthenticatedError =>
  new UnauthenticatedError("This token is not known or has expired; fetch another one.");
