import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { RateLimitedError } from "../errors.ts";
import type { Principal } from "../domain/principal.ts";

/** Wrong credentials that one address may send in {@link WRONG_WINDOW_SECONDS} before it is slowed down. */
const WRONG_ATTEMPTS = 20;
const WRONG_WINDOW_SECONDS = 60;
/** Logins through the browser that one address may begin in a minute: each is a row that anybody can have written. */
const LOGINS_PER_MINUTE = 60;

/**
 * Limits per process: enough to keep one client from starving the others, without a write per request.
 * `requestsPerMinute` 0 leaves requests unlimited; wrong credentials and new logins are always limited.
 */
export class RateLimits {
  readonly #requests: RateLimiterMemory | undefined;
  readonly #wrong = new RateLimiterMemory({
    points: WRONG_ATTEMPTS,
    duration: WRONG_WINDOW_SECONDS,
  });
  readonly #logins = new RateLimiterMemory({ points: LOGINS_PER_MINUTE, duration: 60 });

  constructor(requestsPerMinute: number) {
    this.#requests =
      requestsPerMinute === 0
        ? undefined
        : new RateLimiterMemory({ points: requestsPerMinute, duration: 60 });
  }

  /**
   * Counts a request, by token where there is one and by address otherwise; `undefined` where nothing is counted.
   *
   * @throws {RateLimitedError}
   */
  countRequest(principal: Principal, address: string): Promise<void> | undefined {
    if (this.#requests === undefined) return undefined;
    if (principal.kind === "token" && principal.rateLimitExempt) return undefined;
    const key = principal.kind === "token" ? `token ${principal.tokenId}` : `address ${address}`;
    return consume(this.#requests, key, "Too many requests; wait, then try again.");
  }

  /** Counts wrong credentials from an address. @throws {RateLimitedError} when there were too many. */
  async countWrongCredentials(address: string): Promise<void> {
    await consume(
      this.#wrong,
      address,
      "Too many wrong credentials from your address; check your token, wait, then try again.",
    );
  }

  /** Counts a login through the browser that an address begins. @throws {RateLimitedError} when there were too many. */
  async countLogin(address: string): Promise<void> {
    await consume(
      this.#logins,
      address,
      "Too many logins from your address; wait, then try again.",
    );
  }
}

async function consume(limiter: RateLimiterMemory, key: string, message: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (refusal) {
    if (!(refusal instanceof RateLimiterRes)) throw refusal;
    throw new RateLimitedError(message, Math.max(1, Math.ceil(refusal.msBeforeNext / 1000)));
  }
}
