/**
 * Whether `If-None-Match` names this entity (RFC 9110, 13.1.2: weak comparison, so that `W/` does not
 * matter). `etag` is without quotes.
 */
export function matchesEtag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === "*") return true;
  return header.split(",").some((candidate) => {
    const tag = candidate.trim();
    return (tag.startsWith("W/") ? tag.slice(2) : tag) === `"${etag}"`;
  });
}

const ENCODINGS = ["br", "gzip"] as const;
export type Encoding = (typeof ENCODINGS)[number] | "identity";

/** The best encoding of those available that `Accept-Encoding` allows (RFC 9110, 12.5.3). */
export function chooseEncoding(
  header: string | undefined,
  available: ReadonlySet<Encoding>,
): Encoding {
  if (header === undefined) return "identity";
  // Not a map: this is asked of every document that is sent.
  let br: number | undefined;
  let gzip: number | undefined;
  let others = 0;
  for (const part of header.split(",", 20)) {
    const semicolon = part.indexOf(";");
    const name = semicolon < 0 ? part : part.slice(0, semicolon);
    const weight = semicolon < 0 ? 1 : weightOf(part.slice(semicolon + 1));
    const coding = name.trim().toLowerCase();
    if (coding === "br") br = weight;
    else if (coding === "gzip") gzip = weight;
    else if (coding === "*") others = weight;
  }
  const weights = { br: br ?? others, gzip: gzip ?? others };
  return ENCODINGS.find((name) => available.has(name) && weights[name] > 0) ?? "identity";
}

function weightOf(parameters: string): number {
  const q = parameters.split(";").find((parameter) => parameter.trim().startsWith("q="));
  const weight = q === undefined ? 1 : Number(q.trim().slice(2));
  return Number.isNaN(weight) ? 0 : weight;
}

/** The header for an answer that may be old, with the reason; none when `stale` is absent or empty. RFC 7234, 5.5.1. */
export const staleWarning = (stale: string | undefined): Readonly<Record<string, string>> =>
  stale === undefined || stale === "" ? {} : { warning: `110 - "${stale}"` };
