import type { Scope } from "./token.ts";

/** What a short-lived token may do to one package: docker's tokens name single repositories. */
export interface PackageGrant {
  /** Slug. */
  readonly registry: string;
  readonly package: string;
  readonly scopes: readonly Scope[];
}

/** Who a request comes from, as far as its credentials prove it. */
export type Principal =
  | { readonly kind: "anonymous" }
  | {
      readonly kind: "token";
      readonly tokenId: string;
      readonly owner: string;
      readonly scopes: readonly Scope[];
      readonly registries: readonly string[];
      readonly packages: readonly string[];
      /** Unix milliseconds; 0: never. What it creates must not outlive it. */
      readonly expiresAtMs: number;
      readonly rateLimitExempt: boolean;
      /** Narrows all of the above to these; absent: no narrowing. */
      readonly grants?: readonly PackageGrant[];
      /** Beside `grants`: the names of everything that it could read without them may be listed. */
      readonly mayList?: boolean;
    };

export const ANONYMOUS: Principal = { kind: "anonymous" };

/** The request behind a change, for authorisation and the audit log. */
export interface Caller {
  readonly principal: Principal;
  /** Network address, as trusted proxies tell it; empty for our own workers. */
  readonly address: string;
  readonly requestId: string;
  /** Origin under which the client reached us, without a slash at the end: absolute URLs in answers start with it. */
  readonly baseUrl: string;
}

/** How a principal is named in the audit log. */
export function actorName(principal: Principal): string {
  return principal.kind === "anonymous" ? "anonymous" : principal.owner;
}
