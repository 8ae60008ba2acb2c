import { setTimeout as sleep } from "node:timers/promises";
import { ApiError, NetworkError } from "./failures.ts";

const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 15_000;
/** A server that wants us to wait longer than this is told to the person instead. */
const MAX_RETRY_AFTER_SECONDS = 60;

export interface RetryOptions {
  /** Runs in all, the first included. */
  readonly attempts: number;
  readonly signal?: AbortSignal | undefined;
  /** Whether trying again may help; default {@link isTransient}. */
  readonly when?: (error: unknown) => boolean;
}

/** Runs `work` until it succeeds, with exponential pauses of random length; throws the last failure. */
export async function retrying<T>(
  options: RetryOptions,
  work: (attempt: number) => Promise<T>,
): Promise<T> {
  const when = options.when ?? isTransient;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt);
    } catch (error) {
      if (attempt >= options.attempts || options.signal?.aborted === true || !when(error)) {
        throw error;
      }
      await sleep(pauseMs(error, attempt), undefined, { signal: options.signal });
    }
  }
}

/** True for lost connections and for answers that say: later. */
export function isTransient(error: unknown): boolean {
  if (error instanceof NetworkError) return true;
  return (
    error instanceof ApiError &&
    (error.status === 429 || error.status >= 500) &&
    error.retryAfterSeconds <= MAX_RETRY_AFTER_SECONDS
  );
}

/** True only for a refusal after which the server promises that nothing was done. */
export function isRefusedForNow(error: unknown): boolean {
  return (
    error instanceof ApiError &&
    (error.code === "unavailable" || error.code === "rate-limited") &&
    error.retryAfterSeconds <= MAX_RETRY_AFTER_SECONDS
  );
}

function pauseMs(error: unknown, attempt: number): number {
  const backoffMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempt - 1));
  // Full jitter, so that parts which failed together do not come back together.
  const jitteredMs = backoffMs / 2 + (Math.random() * backoffMs) / 2;
  return error instanceof ApiError
    ? Math.max(jitteredMs, error.retryAfterSeconds * 1000)
    : jitteredMs;
}
