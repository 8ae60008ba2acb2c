import { ForbiddenError } from "../errors.ts";
import { matchesAny } from "../domain/pattern.ts";
import { hasScope, type Token } from "../domain/token.ts";

/** What a token may do, and until when. */
type Rights = Pick<Token, "scopes" | "registries" | "packages" | "expiresAtMs">;

/**
 * A token can hand on no more than it has: no further scopes, registries or packages, no longer life.
 *
 * @throws {ForbiddenError} naming what goes too far.
 */
export function requireSubset(creator: Rights, input: Rights): void {
  const scope = input.scopes.find((wanted) => !hasScope(creator.scopes, wanted));
  if (scope !== undefined) {
    throw new ForbiddenError(
      `Your token has no scope "${scope}", so it cannot create a token with it.`,
    );
  }
  requirePatterns("registry", creator.registries, input.registries);
  requirePatterns("package", creator.packages, input.packages);
  if (
    creator.expiresAtMs !== 0 &&
    (input.expiresAtMs === 0 || input.expiresAtMs > creator.expiresAtMs)
  ) {
    throw new ForbiddenError(
      "A token cannot outlive the token that creates it; choose an earlier expiry.",
    );
  }
}

/** A creator with patterns may hand on only those very patterns, or exact names that they cover. */
function requirePatterns(what: string, own: readonly string[], wanted: readonly string[]): void {
  if (own.length === 0) return;
  const uncovered =
    wanted.length === 0
      ? "*"
      : wanted.find(
          (pattern) =>
            !own.includes(pattern) && (pattern.includes("*") || !matchesAny(own, pattern)),
        );
  if (uncovered !== undefined) {
    throw new ForbiddenError(
      `Your token reaches only some of each ${what}; it cannot create one for "${uncovered}".`,
    );
  }
}
