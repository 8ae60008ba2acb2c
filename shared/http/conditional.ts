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
  const weights = new Map<string, number>();
  for (const part of header.split(",").slice(0, 20)) {
    const [name = "", ...parameters] = part.split(";");
    const q = parameters.find((parameter) => parameter.trim().startsWith("q="));
    const weight = q === undefined ? 1 : Number(q.trim().slice(2));
    weights.set(name.trim().toLowerCase(), Number.isNaN(weight) ? 0 : weight);
  }
  const allows = (encoding: Encoding): boolean =>
    (weights.get(encoding) ?? weights.get("*") ?? 0) > 0;
  return ENCODINGS.find((encoding) => available.has(encoding) && allows(encoding)) ?? "identity";
}

/** The header for an answer that may be old, with the reason; none when `stale` is absent or empty. RFC 7234, 5.5.1. */
export const staleWarning = (stale: string | undefined): Readonly<Record<string, string>> =>
  stale === undefined || stale === "" ? {} : { warning: `110 - "${stale}"` };
