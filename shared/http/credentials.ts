/** Longer than any token we make or accept; what is longer is not looked at. */
const MAX_CREDENTIALS_LENGTH = 4096;

/**
 * The token that a request carries, whatever way its client has of sending it:
 *
 * - `Bearer <token>`: npm, pnpm, yarn, bun, our CLI;
 * - `Basic <base64 user:password>`: any user name with the token as password, or the token as user name and
 *   no password (curl -u <token>:);
 * - the bare token: cargo and gem send no scheme.
 *
 * `undefined` without credentials. Empty text for credentials that cannot be read, which match no token.
 */
export function credentialsOf(headers: Headers): string | undefined {
  const header = headers.get("authorization");
  if (header === null || header === "") return undefined;
  if (header.length > MAX_CREDENTIALS_LENGTH) return "";
  const space = header.indexOf(" ");
  if (space < 0) return header;
  const scheme = header.slice(0, space).toLowerCase();
  const rest = header.slice(space + 1).trim();
  if (scheme === "bearer") return rest;
  if (scheme === "basic") return passwordOf(rest);
  return "";
}

function passwordOf(encoded: string): string {
  const decoded = Buffer.from(encoded, "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  if (colon < 0) return decoded;
  const password = decoded.slice(colon + 1);
  return password === "" ? decoded.slice(0, colon) : password;
}
