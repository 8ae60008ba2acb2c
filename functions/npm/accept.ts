import { ABBREVIATED_TYPE } from "./render.ts";

/** What npm and pnpm send for an install, which is nearly every request: not worth taking apart each time. */
const OF_AN_INSTALL = `${ABBREVIATED_TYPE}; q=1.0, application/json; q=0.8, */*`;

/**
 * Whether an Accept header would rather have the abbreviated packument. It must be named: a wildcard, which
 * browsers and curl send, gets the full one, as from npm's own registry. npm and pnpm send
 * `application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8` and a wildcard.
 */
export function prefersAbbreviated(header: string | undefined): boolean {
  if (header === OF_AN_INSTALL) return true;
  if (header === undefined || !header.includes(ABBREVIATED_TYPE)) return false;
  const weights = new Map(header.split(",").slice(0, 20).map(parseRange));
  const abbreviated = weights.get(ABBREVIATED_TYPE) ?? 0;
  return abbreviated > 0 && abbreviated >= (weights.get("application/json") ?? 0);
}

function parseRange(text: string): readonly [string, number] {
  const [type = "", ...parameters] = text.split(";");
  const q = parameters.map((parameter) => parameter.trim()).find((one) => one.startsWith("q="));
  const weight = q === undefined ? 1 : Number(q.slice(2));
  return [type.trim().toLowerCase(), Number.isNaN(weight) ? 0 : weight];
}
