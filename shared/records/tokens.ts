import { sortableMs } from "../domain/identifiers.ts";
import { SCOPES, type Token } from "../domain/token.ts";
import type { Item, Key, PutOp, Query, WriteOp } from "../ports/table.ts";
import { flag, number, strings, text, word, words } from "./attributes.ts";
import type { PageOptions } from "./pages.ts";

export const tokenKey = (id: string): Key => ({ pk: `TOKEN#${id}`, sk: "TOKEN" });

export function toToken(item: Item): Token {
  return {
    id: text(item, "id"),
    kind: word(item, "kind", ["access", "session"]),
    owner: text(item, "owner"),
    description: text(item, "description"),
    scopes: words(item, "scopes", SCOPES),
    registries: strings(item, "registries"),
    packages: strings(item, "packages"),
    secretSha256: text(item, "secretSha256"),
    hint: text(item, "hint"),
    createdAtMs: number(item, "createdAtMs"),
    expiresAtMs: number(item, "expiresAtMs"),
    rateLimitExempt: flag(item, "rateLimitExempt"),
  };
}

export const createTokenOp = (token: Token): PutOp => ({
  op: "put",
  item: {
    key: tokenKey(token.id),
    index: { pk: "TOKENS", sk: `${sortableMs(token.createdAtMs)}#${token.id}` },
    attributes: { ...token },
    ...(token.expiresAtMs === 0 ? {} : { expiresAtSeconds: Math.ceil(token.expiresAtMs / 1000) }),
  },
  conditions: [{ kind: "absent" }],
});

/** Fails when the token is gone already. */
export const deleteTokenOp = (id: string): WriteOp => ({
  op: "delete",
  key: tokenKey(id),
  conditions: [{ kind: "present" }],
});

/** Newest first. */
export const listTokensQuery = (options: PageOptions): Query => ({
  pk: "TOKENS",
  index: true,
  descending: true,
  ...options,
});

/** Written with the first admin token, so that of two servers started on an empty store only one makes it. */
export const bootstrapOp = (nowMs: number): PutOp => ({
  op: "put",
  item: { key: BOOTSTRAP_KEY, attributes: { atMs: nowMs } },
  conditions: [{ kind: "absent" }],
});

export const BOOTSTRAP_KEY: Key = { pk: "SYSTEM", sk: "BOOTSTRAP" };
