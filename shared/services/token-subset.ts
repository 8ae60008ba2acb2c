import { ForbiddenError } from "../errors.ts";
import { matchesPattern } from "../domain/pattern.ts";
import { hasScope, type Token } from "../domain/token.ts";

/** What a token may do, and until when. */
type Rights = Pick<Token, "scopes" | "registries" | "packages" | "expiresAtMs">;

/** What a new token does not bound is bounded as the token that creates it. */
export function withBoundsOf<Input extends Rights>(creator: Rights, input: Input): Input {
  return {
    ...input,
    registries: input.registries.length === 0 ? creator.registries : input.registries,
    packages: input.packages.length === 0 ? creator.packages : input.packages,
    expiresAtMs: input.expiresAtMs === 0 ? creator.expiresAtMs : input.expiresAtMs,
  };
}

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
  requirePatterns("registries", creator.registries, input.registries);
  requirePatterns("packages", creator.packages, input.packages);
  if (
    creator.expiresAtMs !== 0 &&
    (input.expiresAtMs === 0 || input.expiresAtMs > creator.expiresAtMs)
  ) {
    throw new ForbiddenError(
      "A token cannot outlive the token that creates it; choose an earlier expiry.",
    );
  }
}

/**
 * A creator with patterns may hand on what they cover. A pattern covers another when it matches its text: none but
 * its own stars can stand for the stars in there.
 */
function requirePatterns(what: string, own: readonly string[], wanted: readonly string[]): void {
  if (own.length === 0) return;
  const uncovered =
    wanted.length === 0
      ? "*"
      : wanted.find((pattern) => !own.some((covering) => matchesPattern(covering, pattern)));
  if (uncovered !== undefined) {
    throw new ForbiddenError(
      `Your token reaches only some ${what}; it cannot create one for "${uncovered}".`,
    );
  }
}
