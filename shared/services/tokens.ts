import { ForbiddenError, InvalidInputError, NotFoundError } from "../errors.ts";
import type { Caller } from "../domain/principal.ts";
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
import { ADMIN, KnownTokens, type TokenPrincipal, toPrincipal } from "./known-tokens.ts";
import type { Stores } from "./stores.ts";
import { requireSubset, withBoundsOf } from "./token-subset.ts";
import { newTokenText } from "./token-text.ts";

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

/** Tokens: who a request comes from, and how tokens come and go. */
export class Tokens {
  readonly #stores: Stores;
  readonly #access: Access;
  readonly #known: KnownTokens;

  /** `adminToken`: a text of the operator's own choice that counts as an admin token. */
  constructor(stores: Stores, access: Access, adminToken?: string) {
    this.#stores = stores;
    this.#access = access;
    this.#known = new KnownTokens(stores, adminToken);
  }

  /** As {@link KnownTokens.authenticate}. */
  async authenticate(text: string): Promise<TokenPrincipal | undefined> {
    return this.#known.authenticate(text);
  }

  /** As {@link KnownTokens.find}. */
  async findPrincipal(tokenId: string): Promise<TokenPrincipal | undefined> {
    return this.#known.find(tokenId);
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
    this.#known.forget(id);
  }
}

/** Stands in the audit log for what no request asked for. */
export const WORKER: Caller = {
  principal: { ...ADMIN, tokenId: "", owner: "entrepot" },
  address: "",
  requestId: "",
  baseUrl: "",
};

const happening = (action: "token.create" | "token.revoke", token: Token) => ({
  action,
  registry: "",
  package: "",
  version: "",
  detail: `${token.id} ${token.owner} ${token.description}`.slice(0, 200),
});
