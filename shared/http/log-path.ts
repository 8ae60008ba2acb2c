/**
 * A request's path as it may stand in a log. npm puts tokens into paths (`/-/user/token/<token>`,
 * `/-/npm/v1/tokens/token/<token>`), and the address at which a login is polled (`/-/v1/done/<secret>`) is as
 * good as the token that it gives.
 */
export function logPath(path: string): string {
  return path.replace(SECRET, "$1…");
}

const SECRET = /(\/-\/(?:user\/token|npm\/v1\/tokens\/token|v1\/done|v1\/login)\/)[^/]+/g;
