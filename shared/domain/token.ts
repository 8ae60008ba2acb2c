export const SCOPES = [
  "packages:read",
  "packages:write",
  "packages:delete",
  "registries:read",
  "registries:write",
  "registries:delete",
  "tokens:read",
  "tokens:write",
  "tokens:delete",
  "webhooks:read",
  "webhooks:write",
  "audit:read",
  "admin",
] as const;
export type Scope = (typeof SCOPES)[number];

/** `session` is what a login grants; `access` is what a person or a machine was given. */
export type TokenKind = "access" | "session";

export interface Token {
  readonly id: string;
  readonly kind: TokenKind;
  /** Who acts with it: stands in the audit log, `whoami`, and as maintainer. */
  readonly owner: string;
  readonly description: string;
  readonly scopes: readonly Scope[];
  /** Patterns of registry slugs; none means every registry. */
  readonly registries: readonly string[];
  /** Patterns of package names; none means every package. */
  readonly packages: readonly string[];
  /** SHA-256 of the token's secret part, lower-case hexadecimal. */
  readonly secretSha256: string;
  /** First characters of the text, to recognise it by in a list. */
  readonly hint: string;
  readonly createdAtMs: number;
  /** 0: never. */
  readonly expiresAtMs: number;
  readonly rateLimitExempt: boolean;
}

/** A write scope reads too: clients read before they publish. `admin` may do everything. */
const IMPLIED_BY: Readonly<Record<Scope, readonly Scope[]>> = {
  "packages:read": ["packages:write"],
  "packages:write": [],
  "packages:delete": [],
  "registries:read": ["registries:write"],
  "registries:write": [],
  "registries:delete": [],
  "tokens:read": ["tokens:write"],
  "tokens:write": [],
  "tokens:delete": [],
  "webhooks:read": ["webhooks:write"],
  "webhooks:write": [],
  "audit:read": [],
  admin: [],
};

export function hasScope(granted: readonly Scope[], wanted: Scope): boolean {
  return (
    granted.includes("admin") ||
    granted.includes(wanted) ||
    IMPLIED_BY[wanted].some((scope) => granted.includes(scope))
  );
}
