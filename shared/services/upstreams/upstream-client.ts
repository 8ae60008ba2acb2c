import { OutboundError, type OutboundAnswer } from "../../ports/outbound-http.ts";
import type { Upstream } from "../../domain/upstream.ts";
import { UpstreamFailedError } from "../../errors.ts";
import type { Stores } from "../stores.ts";
import type { UpstreamCredentials } from "./upstream-credentials.ts";

/** Longest pause between two pieces of a body. */
const IDLE_TIMEOUT_MS = 30_000;
/** A `Retry-After` beyond this is not passed on. */
const MAX_RETRY_AFTER_SECONDS = 3600;

export interface UpstreamRequest {
  readonly method?: "GET" | "HEAD";
  /** Absolute, or a path below the upstream's URL that begins with a slash. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly maxBodyBytes: number;
  /** Sent instead of the upstream's own, wherever `target` is, by protocols that fetch tokens. */
  readonly credentials?: Readonly<Record<string, string>>;
  /** Breaks the request and its body off, with its reason. */
  readonly signal?: AbortSignal;
}

/** Asks upstreams, each in the way that it is configured. */
export class UpstreamClient {
  readonly #stores: Pick<Stores, "outbound" | "now">;
  readonly #credentials: UpstreamCredentials;

  constructor(stores: Pick<Stores, "outbound" | "now">, credentials: UpstreamCredentials) {
    this.#stores = stores;
    this.#credentials = credentials;
  }

  /**
   * The answer, whatever its status; its body must be read or cancelled. The upstream's credentials go to its own origin
   * only, wherever its documents link to.
   *
   * @throws {UpstreamFailedError} when there is none, or the upstream is offline.
   */
  async send(upstream: Upstream, request: UpstreamRequest): Promise<OutboundAnswer> {
    if (upstream.offline) throw offline(upstream);
    const url = absolute(upstream, request.target);
    const isOwn = new URL(url).origin === new URL(upstream.url).origin;
    try {
      return await this.#stores.outbound.send({
        method: request.method ?? "GET",
        url,
        headers: request.headers,
        credentials: request.credentials ?? (isOwn ? await this.credentialsOf(upstream) : {}),
        allowPrivate: upstream.allowPrivate,
        headTimeoutMs: upstream.timeoutMs,
        idleTimeoutMs: IDLE_TIMEOUT_MS,
        maxBodyBytes: request.maxBodyBytes,
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      });
    } catch (error) {
      throw asFailure(upstream, error);
    }
  }

  /** Headers that prove to the upstream who we are. @throws {UpstreamFailedError} when there are none to be had. */
  credentialsOf(upstream: Upstream): Promise<Readonly<Record<string, string>>> {
    return this.#credentials.of(upstream);
  }

  /** What an answer that is no success means; its body is let go. */
  async refusal(upstream: Upstream, answer: OutboundAnswer): Promise<UpstreamFailedError> {
    await answer.body.cancel().catch(() => undefined);
    const { status } = answer;
    const why =
      status === 401 || status === 403
        ? "does not accept our credentials"
        : status === 429
          ? "has had too many requests from us"
          : "cannot serve it";
    return new UpstreamFailedError(
      `The upstream "${upstream.key}" ${why}: it answered ${status}.`,
      this.#retryAfter(answer.headers.get("retry-after")),
    );
  }

  #retryAfter(header: string | null): number | undefined {
    if (header === null) return undefined;
    const seconds = /^\d{1,9}$/.test(header)
      ? Number(header)
      : Math.ceil((Date.parse(header) - this.#stores.now()) / 1000);
    return Number.isFinite(seconds) && seconds >= 0
      ? Math.min(seconds, MAX_RETRY_AFTER_SECONDS)
      : undefined;
  }
}

/** A failure on the way in words for the caller; anything else as it is. */
export function asFailure(upstream: Upstream, error: unknown): unknown {
  if (!(error instanceof OutboundError)) return error;
  return new UpstreamFailedError(`The upstream "${upstream.key}" failed: ${error.message}`);
}

const offline = (upstream: Upstream): UpstreamFailedError =>
  new UpstreamFailedError(
    `This is not cached here, and the upstream "${upstream.key}" is switched offline.`,
  );

function absolute(upstream: Upstream, target: string): string {
  return target.startsWith("/") ? upstream.url + target : target;
}
