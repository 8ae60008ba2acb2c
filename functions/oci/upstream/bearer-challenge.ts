/** Where an upstream has tokens fetched, and for what. */
export interface BearerChallenge {
  /** Absolute. */
  readonly realm: string;
  /** Empty when it names none. */
  readonly service: string;
  readonly scope: string;
}

const MAX_HEADER_LENGTH = 8 * 1024;
const PARAMETER = /\s*,?\s*([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))/y;

/**
 * The Bearer challenge of a `WWW-Authenticate`, which may hold others; `undefined` when there is none that can be
 * followed. https://distribution.github.io/distribution/spec/auth/token/
 */
export function findBearerChallenge(header: string | null): BearerChallenge | undefined {
  if (header === null || header.length > MAX_HEADER_LENGTH) return undefined;
  const scheme = /(?:^|,)\s*bearer\s+/i.exec(header);
  if (scheme === null) return undefined;
  const parameters = new Map<string, string>();
  PARAMETER.lastIndex = scheme.index + scheme[0].length;
  for (let found = PARAMETER.exec(header); found !== null; found = PARAMETER.exec(header)) {
    const [, name = "", quoted, plain = ""] = found;
    parameters.set(name.toLowerCase(), quoted?.replaceAll(/\\(.)/g, "$1") ?? plain);
  }
  const realm = parameters.get("realm") ?? "";
  if (!/^https?:\/\//i.test(realm) || !URL.canParse(realm)) return undefined;
  return {
    realm,
    service: parameters.get("service") ?? "",
    scope: parameters.get("scope") ?? "",
  };
}
