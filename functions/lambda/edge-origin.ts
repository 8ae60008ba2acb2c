import { timingSafeEqual } from "node:crypto";
import type { HttpEvent } from "./http-event.ts";

/** What CloudFront adds to every request that it sends to the API; a viewer's own header of this name is replaced. */
export const EDGE_HEADER = "x-entrepot-edge";

/**
 * Whether a request came through our CloudFront distribution, which alone knows the secret. Whoever calls API Gateway
 * directly can write any other header.
 *
 * @param secret `ENTREPOT_EDGE_SECRET`; absent where there is no edge, and then nothing came through it.
 */
export function cameThroughEdge(event: HttpEvent, secret: string | undefined): boolean {
  if (secret === undefined) return false;
  const given = Buffer.from(event.headers[EDGE_HEADER] ?? "");
  const expected = Buffer.from(secret);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
