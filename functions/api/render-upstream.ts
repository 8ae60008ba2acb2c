import type { Upstream } from "../../shared/domain/upstream.ts";

const iso = (atMs: number): string => new Date(atMs).toISOString();

/** An upstream without its secret. */
export function renderUpstream(upstream: Upstream) {
  const { id: _, sealedSecret, createdAtMs, updatedAtMs, ...rest } = upstream;
  return {
    ...rest,
    include: [...rest.include],
    exclude: [...rest.exclude],
    hasSecret: sealedSecret !== "",
    createdAt: iso(createdAtMs),
    updatedAt: iso(updatedAtMs),
  };
}
