import { hash, timingSafeEqual } from "node:crypto";
import { LRUCache } from "lru-cache";
import { ForbiddenError, InvalidInputError, NotFoundError } from "../errors.ts";
import type { Caller, Principal } from "../domain/principal.ts";
import { hasScope, type Scope, type Token, type TokenKind } from "../domain/token.ts";
import { ConditionFailedError, type WriteOp } from "../ports/table.ts";
import { mapPage, type PageOf, type PageOptions } from "../records/pages.ts";
import {
  bootstrapOp,
  createTokenOp,
  deleteTokenOp,
  listTokensQuery,
  tokenKey,
  toToken,
} from "../records/tokens.ts";
import type { Access } from "./access.ts";
import { recordOps } from "./audit.ts";
import type { Stores } from "./stores.ts";
import { requireSubset, withBoundsOf } from "./token-subset.ts";
import { newTokenText, parseTokenText } from "./token-text.ts";

/** A token that another process revoked may still be taken for this long. */
const CACHE_MS = 30_000;
const CACHE = {
  // The cache makes arrays for all of them at once, 40 KB; a token more is one read.
  max: 1_000,
  ttl: CACHE_MS,
  // Default 1: a cache would set a timer in every millisecond in which it is asked.
  ttlResolution: 100,
};
export const SESSION_DAYS = 90;
const DAY_MS = 86_400_000;

export interface NewToken {
  readonly description: string;
  readonly scopes: readonly Scope[];
  /** Patterns; empty for all that the creator may reach. */
  readonly registries: readonly string[];
  readonly packages: readonly string[];
  /** Unix milliseconds; 0 for never, or with the token that creates it. */
  readonly expiresAtMs: number;
  /** Absent: the creator's own name. Another one needs the scope `admin`. */
  readonly owner?: string;
  /** Needs the scope `admin`. */
  readonly rateLimitExempt: boolean;
}

export interface CreatedToken {
  readonly token: Token;
  /** Shown once, stored nowhere. */
  readonly text: string;
}

type TokenPrincipal = Extract<Principal, { kind: "token" }>;

/** Tokens: who a request comes from, and how tokens come and go. */
export class Tokens {
  readonly #stores: Stores;
  readonly #access: Access;
  readonly #adminTokenSha256: Buffer | undefined;
  /** By the SHA-256 of the token's text, so that no secret stays in memory. */
  readonly #known = new LRUCache<string, TokenPrincipal>(CACHE);
  readonly #knownById = new LRUCache<string, TokenPrincipal>(CACHE);

  /** `adminToken`: a text of the operator's own choice that counts as an admin token. */
  constructor(stores: Stores, access: Access, adminToken?: string) {
    this.#stores = stores;
    this.#access = access;
    this.#adminTokenSha256 = adminToken === undefined ? undefined : digest(adminToken);
  }

  /** Whom a token's text belongs to; `undefined` when it is nobody's, revoked or expired. */
  async authenticate(text: string): Promise<TokenPrincipal | undefined> {
    const id = hash("sha256", text, "base64");
    const known = this.#known.get(id);
    if (known !== undefined) return isExpired(known, this.#stores.now()) ? undefined : known;
    const principal = await this.#lookUp(text, Buffer.from(id, "base64"));
    if (principal !== undefined) this.#known.set(id, principal);
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
  async findPrincipal(tokenId: string): Promise<TokenPrincipal | undefined> {
    if (tokenId === ADMIN.tokenId && this.#adminTokenSha256 !== undefined) return ADMIN;
    const known = this.#knownById.get(tokenId);
    if (known !== undefined) return isExpired(known, this.#stores.now()) ? undefined : known;
    const item = await this.#stores.table.get(tokenKey(tokenId));
    if (item === undefined) return undefined;
    const principal = toPrincipal(toToken(item));
    this.#knownById.set(tokenId, principal);
    return principal;
  }

  /** The first admin token of an empty store; `undefined` when the store had its first token already. */
  async bootstrap(): Promise<CreatedToken | undefined> {
    const created = this.#make("access", {
      owner: "admin",
      description: "First admin token",
      scopes: ["admin"],
      registries: [],
      packages: [],
      expiresAtMs: 0,
      rateLimitExempt: false,
    });
    try {
      await this.#stores.table.write([
        bootstrapOp(this.#stores.now()),
        createTokenOp(created.token),
        ...recordOps(WORKER, happening("token.create", created.token), "", this.#stores.now()),
      ]);
      return created;
    } catch (error) {
      if (error instanceof ConditionFailedError) return undefined;
      throw error;
    }
  }

  /**
   * Creates a token that can do no more than its creator's: no further scopes, registries or packages, no
   * longer life.
   *
   * @throws {ForbiddenError} | {InvalidInputError}
   */
  async create(caller: Caller, input: NewToken): Promise<CreatedToken> {
    const creator = this.#access.requireScope(caller, "tokens:write");
    const isAdmin = hasScope(creator.scopes, "admin");
    if (!isAdmin && (input.rateLimitExempt || (input.owner ?? creator.owner) !== creator.owner)) {
      throw new ForbiddenError(
        "Only an administrator's token may create tokens for others or exempt them from rate limits.",
      );
    }
    return this.#createWithin(caller, creator, "access", withBoundsOf(creator, input));
  }

  /** A token for a login of the caller: the same rights, for {@link SESSION_DAYS} days at most. */
  async createSession(caller: Caller, description: string): Promise<CreatedToken> {
    const { principal } = caller;
    if (principal.kind === "anonymous") throw new ForbiddenError("Log in with a token.");
    const expiresAtMs = this.#stores.now() + SESSION_DAYS * DAY_MS;
    return this.#createWithin(caller, principal, "session", {
      description,
      scopes: principal.scopes,
      registries: principal.registries,
      packages: principal.packages,
      expiresAtMs:
        principal.expiresAtMs === 0 ? expiresAtMs : Math.min(principal.expiresAtMs, expiresAtMs),
      rateLimitExempt: principal.rateLimitExempt,
    });
  }

  /**
   * A session for somebody who proved who they are otherwise. `once` is written with it, and fails when the proof was
   * used before: then there is no token.
   */
  async createFor(
    caller: Caller,
    { token, once }: { readonly token: Required<NewToken>; readonly once: WriteOp },
  ): Promise<CreatedToken | undefined> {
    const created = this.#make("session", token);
    const principal = toPrincipal(created.token);
    const happened = happening("token.create", created.token);
    try {
      await this.#stores.table.write([
        once,
        createTokenOp(created.token),
        ...recordOps({ ...caller, principal }, happened, "", this.#stores.now()),
      ]);
      return created;
    } catch (error) {
      if (error instanceof ConditionFailedError) return undefined;
      throw error;
    }
  }

  async #createWithin(
    caller: Caller,
    creator: TokenPrincipal,
    kind: TokenKind,
    input: NewToken,
  ): Promise<CreatedToken> {
    requireSubset(creator, input);
    if (input.expiresAtMs !== 0 && input.expiresAtMs <= this.#stores.now()) {
      throw new InvalidInputError("The expiry of a token must lie in the future.");
    }
    const created = this.#make(kind, { ...input, owner: input.owner ?? creator.owner });
    await this.#stores.table.write([
      createTokenOp(created.token),
      ...recordOps(caller, happening("token.create", created.token), "", this.#stores.now()),
    ]);
    return created;
  }

  #make(kind: TokenKind, input: Required<NewToken>): CreatedToken {
    const { id, secretSha256, text, hint } = newTokenText(kind);
    const token: Token = {
      ...input,
      id,
      kind,
      secretSha256,
      hint,
      createdAtMs: this.#stores.now(),
    };
    return { token, text };
  }

  /** Newest first: all for an administrator, a caller's own otherwise. A page may be short. */
  async list(caller: Caller, options: PageOptions): Promise<PageOf<Token>> {
    const principal = this.#access.requireScope(caller, "tokens:read");
    return this.#list(options, principal.owner, hasScope(principal.scopes, "admin"));
  }

  /** A caller's own tokens need no scope to be seen. */
  async listOwn(caller: Caller, options: PageOptions): Promise<PageOf<Token>> {
    const { principal } = caller;
    if (principal.kind === "anonymous") throw new ForbiddenError("Log in to list your tokens.");
    return this.#list(options, principal.owner, false);
  }

  async #list(options: PageOptions, owner: string, all: boolean): Promise<PageOf<Token>> {
    const page = mapPage(await this.#stores.table.query(listTokensQuery(options)), toToken);
    return { ...page, items: page.items.filter((token) => all || token.owner === owner) };
  }

  /** @throws {NotFoundError} also for tokens of others, unless the caller is an administrator. */
  async revoke(caller: Caller, id: string): Promise<void> {
    const { principal } = caller;
    const item = id.length > 64 ? undefined : await this.#stores.table.get(tokenKey(id));
    const token = item === undefined ? undefined : toToken(item);
    const own = principal.kind === "token" && token?.owner === principal.owner;
    const self = principal.kind === "token" && token?.id === principal.tokenId;
    if (!self) {
      const { scopes } = this.#access.requireScope(caller, "tokens:delete");
      if (!own && !hasScope(scopes, "admin")) throw new NotFoundError("token", id);
    }
    if (token === undefined) throw new NotFoundError("token", id);
    try {
      await this.#stores.table.write([
        deleteTokenOp(id),
        ...recordOps(caller, happening("token.revoke", token), "", this.#stores.now()),
      ]);
    } catch (error) {
      if (error instanceof ConditionFailedError) throw new NotFoundError("token", id);
      throw error;
    }
    this.#knownById.delete(id);
    for (const [key, known] of this.#known.entries()) {
      if (known.tokenId === id) this.#known.delete(key);
    }
  }
}

const ADMIN: TokenPrincipal = {
  kind: "token",
  tokenId: "admin-token-of-the-configuration",
  owner: "admin",
  scopes: ["admin"],
  registries: [],
  packages: [],
  expiresAtMs: 0,
  rateLimitExempt: false,
};

/** Stands in the audit log for what no request asked for. */
export const WORKER: Caller = {
  principal: { ...ADMIN, tokenId: "", owner: "entrepot" },
  address: "",
  requestId: "",
  baseUrl: "",
};

const digest = (text: string): Buffer => hash("sha256", text, "buffer");

const isExpired = (principal: TokenPrincipal, nowMs: number): boolean =>
  principal.expiresAtMs !== 0 && principal.expiresAtMs <= nowMs;

function toPrincipal(token: Token): TokenPrincipal {
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

const happening = (action: "token.create" | "token.revoke", token: Token) => ({
  action,
  registry: "",
  package: "",
  version: "",
  detail: `${token.id} ${token.owner} ${token.description}`.slice(0, 200),
});
