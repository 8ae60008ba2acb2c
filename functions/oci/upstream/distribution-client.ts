import type { Upstream } from "../../../shared/domain/upstream.ts";
import type { OutboundAnswer } from "../../../shared/ports/outbound-http.ts";
import type { Services } from "../../../shared/services/services.ts";
import { findBearerChallenge } from "./bearer-challenge.ts";
import { UpstreamDeniedError } from "./denied.ts";
import { repositoryUrl } from "./repository.ts";
import { UpstreamTokens } from "./upstream-tokens.ts";

export interface DistributionRequest {
  readonly method?: "GET" | "HEAD";
  /** Below the repository (`manifests/latest`), or absolute. */
  readonly target: string;
  /** Media types, where the upstream has a choice. */
  readonly accept?: string;
  readonly maxBodyBytes: number;
  /** Breaks it off, with its reason. */
  readonly signal?: AbortSignal;
}

/** Asks upstreams for what their repositories hold, with tokens where they want them. */
export class DistributionClient {
  readonly #services: Services;
  readonly #tokens: UpstreamTokens;

  constructor(services: Services) {
    this.#services = services;
    this.#tokens = new UpstreamTokens(services);
  }

  /**
   * The answer to a request about a repository, whatever its status but for refused tokens; its body must be read or
   * cancelled.
   *
   * @throws {UpstreamDeniedError} when the upstream does not give us this repository, {@link UpstreamFailedError} when
   *   there is no answer.
   */
  async send(
    upstream: Upstream,
    repository: string,
    request: DistributionRequest,
  ): Promise<OutboundAnswer> {
    const known = await this.#findToken(upstream, repository);
    const first = await this.#sendOnce(upstream, repository, request, known);
    if (first.status !== 401 && first.status !== 403) return first;
    const challenge = findBearerChallenge(first.headers.get("www-authenticate"));
    if (known !== undefined && (first.status === 403 || challenge === undefined)) {
      throw await this.#denied(upstream, first);
    }
    if (first.status === 403 || challenge === undefined || !takesTokens(upstream)) return first;
    await first.body.cancel().catch(() => undefined);
    const token = await this.#tokens.renew(upstream, repository, challenge, known);
    const second = await this.#sendOnce(upstream, repository, request, token);
    if (second.status !== 401 && second.status !== 403) return second;
    throw await this.#denied(upstream, second);
  }

  /** An offline upstream's token server is not asked either. */
  async #findToken(upstream: Upstream, repository: string): Promise<string | undefined> {
    return upstream.offline ? undefined : this.#tokens.find(upstream, repository);
  }

  async #sendOnce(
    upstream: Upstream,
    repository: string,
    { method = "GET", target, accept = "*/*", maxBodyBytes, signal }: DistributionRequest,
    token: string | undefined,
  ): Promise<OutboundAnswer> {
    const isAbsolute = /^https?:/.test(target);
    return this.#services.upstreamClient.send(upstream, {
      method,
      target: isAbsolute ? target : `${repositoryUrl(upstream, repository)}/${target}`,
      // Digests are of the bytes as they are.
      headers: { accept, "accept-encoding": "identity" },
      maxBodyBytes,
      ...(signal === undefined ? {} : { signal }),
      ...(token === undefined ? {} : { credentials: { authorization: `Bearer ${token}` } }),
    });
  }

  async #denied(upstream: Upstream, answer: OutboundAnswer): Promise<UpstreamDeniedError> {
    const { message } = await this.#services.upstreamClient.refusal(upstream, answer);
    return new UpstreamDeniedError(message);
  }
}

/** Tokens are given for a name and password, or to anybody; other proofs are for the registry itself. */
const takesTokens = ({ auth: { kind } }: Upstream): boolean =>
  kind === "none" || kind === "basic" || kind === "aws";
