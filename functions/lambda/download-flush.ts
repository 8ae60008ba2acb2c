import type { Services } from "../../shared/services/services.ts";

/** As often as the embedded server writes them. */
const FLUSH_EVERY_MS = 10_000;

/**
 * Writes download counts in a function, which is frozen between requests: before the answer to the first request, and
 * then before the first answer after ten seconds. What an instance counted in the ten seconds before it is thrown away
 * is lost; Lambda tells no function about that (SIGTERM only comes where an extension is registered,
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown).
 */
export class DownloadFlush {
  readonly #services: Services;
  #flushedAtMs = Number.NEGATIVE_INFINITY;

  constructor(services: Services) {
    this.#services = services;
    // For deployments that do register an extension, such as Lambda Insights.
    process.once("SIGTERM", () => void services.downloads.flush());
  }

  /** Never fails: `Downloads.flush` keeps what it cannot write. */
  async afterRequest(): Promise<void> {
    const now = performance.now();
    if (now - this.#flushedAtMs < FLUSH_EVERY_MS) return;
    this.#flushedAtMs = now;
    await this.#services.downloads.flush();
  }
}
