import { NotFoundError, UpstreamFailedError } from "../../errors.ts";
import type { Upstream } from "../../domain/upstream.ts";

/** What became of one read through a proxy, for metrics. */
export interface UpstreamRead {
  /** Key of the upstream. */
  readonly upstream: string;
  readonly kind: "document" | "file";
  /**
   * - `cached`: what is here was enough, and the upstream was not asked
   * - `fetched`, `unchanged`, `missing`: what the upstream said
   * - `stale`: it did not say, and the copy that is here was served
   * - `failed`: it did not say, and nothing is here
   */
  readonly outcome: "cached" | "fetched" | "unchanged" | "missing" | "stale" | "failed";
  /** Of what was fetched, documents decoded. */
  readonly bytes: number;
}

export type HearRead = (read: UpstreamRead) => void;

/** Tells how the fetch of a file ends. What our own stores fail with is not the upstream's. */
export async function heardFetch<T extends { readonly sizeBytes: number }>(
  hear: HearRead,
  { key: upstream }: Upstream,
  fetch: () => Promise<T>,
): Promise<T> {
  try {
    const fetched = await fetch();
    hear({ upstream, kind: "file", outcome: "fetched", bytes: fetched.sizeBytes });
    return fetched;
  } catch (error) {
    if (error instanceof NotFoundError) {
      hear({ upstream, kind: "file", outcome: "missing", bytes: 0 });
    } else if (error instanceof UpstreamFailedError) {
      hear({ upstream, kind: "file", outcome: "failed", bytes: 0 });
    }
    throw error;
  }
}
