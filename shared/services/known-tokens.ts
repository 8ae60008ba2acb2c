import { hash, timingSafeEqual } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Principal } from "../domain/principal.ts";
import type { Token } from "../domain/token.ts";
import { tokenKey, toToken } from "../records/tokens.ts";
import type { Stores } from "./stores.ts";
import { parseTokenText } from "./token-text.ts";

/** A token that another process revoked may still be taken for this long. */
const CACHE_MS = 30_000;
const CACHE = {
  // The cache makes arrays for all of them at once, 40 KB; a token more is one read.
  max: 1_000,
  ttl: CACHE_MS,
  // Default 1: a cache would set a timer in every millisecond in which it is asked.
  ttlResolution: 100,
};

export type TokenPrincipal = Extract<Principal, { kind: "token" }>;

/** Whom tokens belong to, remembered for seconds: every request asks. */
export class KnownTokens {
  readonly #stores: Pick<Stores, "table" | "now">;
  readonly #adminTokenSha256: Buffer | undefined;
  /** By the SHA-256 of the token's text, so that no secret stays in memory. */
  readonly #byText = new LRUCache<string, TokenPrincipal>(CACHE);
  readonly #byId = new LRUCache<string, TokenPrincipal>(CACHE);

  /** `adminToken`: a text of the operator's own choice that counts as an admin token. */
  constructor(stores: Pick<Stores, "table" | "now">, adminToken?: string) {
    this.#stores = stores;
    this.#adminTokenSha256 = adminToken === undefined ? undefined : digest(adminToken);
  }

  /** Whom a token's text belongs to; `undefined` when it is nobody's, revoked or expired. */
  async authenticate(text: string): Promise<TokenPrincipal | undefined> {
    const id = hash("sha256", text, "base64");
    const known = this.#byText.get(id);
    if (known !== undefined) return isExpired(known, this.#stores.now()) ? undefined : known;
    const principal = await this.#lookUp(text, Buffer.from(id, "base64"));
    if (principal !== undefined) this.#byText.set(id, principal);
    return principal;
  }

  async #lookUp(text: string, textDigest: Buffer): Promise<TokenPrincipal | undefined> {
    if (
      this.#adminTokenSha256 !== undefined &&
      timingSafeEqual(this.#adminTokenSha256, textDigest)
    ) {
      return ADMIN;
    }
    const parsed = parseTokenText(text);
    if (parsed === undefined) return undefined;
    const item = await this.#stores.table.get(tokenKey(parsed.id));
    if (item === undefined) return undefined;
    const token = toToken(item);
    const matches = timingSafeEqual(
      Buffer.from(token.secretSha256, "hex"),
      Buffer.from(parsed.secretSha256, "hex"),
    );
    return matches ? toPrincipal(token) : undefined;
  }

  /** The rights of a token by its id; `undefined` when it was revoked or has expired. */
  async find(tokenId: string): Promise<TokenPrincipal | undefined> {
    if (tokenId === ADMIN.tokenId && this.#adminTokenSha256 !== undefined) return ADMIN;
    const known = this.#byId.get(tokenId);
    if (known !== undefined) return isExpired(known, this.#stores.now()) ? undefined : known;
    const item = await this.#stores.table.get(tokenKey(tokenId));
    if (item === undefined) return undefined;
    const principal = toPrincipal(toToken(item));
    this.#byId.set(tokenId, principal);
    return principal;
  }

  /** For a token that was revoked. */
  forget(tokenId: string): void {
    this.#byId.delete(tokenId);
    for (const [key, known] of this.#byText.entries()) {
      if (known.tokenId === tokenId) this.#byText.delete(key);
    }
  }
}

/** Whoever has the token of the configuration. */
export const ADMIN: TokenPrincipal = {
  kind: "token",
  tokenId: "admin-token-of-the-configuration",
  owner: "admin",
  scopes: ["admin"],
  registries: [],
  packages: [],
  expiresAtMs: 0,
  rateLimitExempt: false,
};

const digest = (text: string): Buffer => hash("sha256", text, "buffer");

const isExpired = (principal: TokenPrincipal, nowMs: number): boolean =>
  principal.expiresAtMs !== 0 && principal.expiresAtMs <= nowMs;

/** The rights of a token. */
export function toPrincipal(token: Token): TokenPrincipal {
  const { owner, scopes, registries, packages, expiresAtMs, rateLimitExempt } = token;
  return {
    kind: "token",
    tokenId: token.id,
    owner,
    scopes,
    registries,
    packages,
    expiresAtMs,
    rateLimitExempt,
  };
}
