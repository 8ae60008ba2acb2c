import type { Context } from "hono";
import { UnsupportedError } from "../../shared/errors.ts";
import type { AppEnv } from "../../shared/http/app.ts";

/**
 * Refuses a change under a condition that is not looked at here (RFC 9110, 13.1.1 and 13.1.4): who asks to change
 * a file only while it is the one they know would otherwise lose what others have put there.
 *
 * @throws {UnsupportedError}
 */
export function refuseConditions(c: Context<AppEnv>): void {
  for (const name of ["if-match", "if-unmodified-since"]) {
    if (c.req.header(name) === undefined) continue;
    throw new UnsupportedError(
      `The condition ${name} is not looked at here, so nothing was changed. Send the request without it.`,
    );
  }
}
