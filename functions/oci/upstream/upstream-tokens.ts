import { LRUCache } from "lru-cache";
import * as z from "zod";
import type { Upstream } from "../../../shared/domain/upstream.ts";
import { UpstreamFailedError } from "../../../shared/errors.ts";
import { readBody } from "../../../shared/services/outbound-body.ts";
import type { Services } from "../../../shared/services/services.ts";
import { asFailure } from "../../../shared/services/upstreams/upstream-client.ts";
import type { BearerChallenge } from "./bearer-challenge.ts";
import { UpstreamDeniedError } from "./denied.ts";

const MAX_ANSWER_BYTES = 256 * 1024;
/** What the specification has for a token that does not say. */
const DEFAULT_SECONDS = 60;
/** A token may end between our look at it and the upstream's; a tenth of its time, and no more than this. */
const EARLY_MS = 30_000;
const MAX_SECONDS = 24 * 3600;

const answerBody = z.object({
  token: z.string().max(64_000).optional(),
  access_token: z.string().max(64_000).optional(),
  expires_in: z.number().optional().catch(undefined),
});

interface Known {
  readonly challenge: BearerChallenge;
  readonly token: Promise<{ readonly text: string; readonly goodUntilMs: number }>;
}

/** Tokens that upstreams want for their repositories, each fetched once for its time. */
export class UpstreamTokens {
  readonly #services: Services;
  readonly #known = new LRUCache<string, Known>({ max: 1_000 });

  constructor(services: Services) {
    this.#services = services;
  }

  /**
   * The token for a repository that asked for one before, a new one when its time is over; `undefined` for a repository
   * that has not been asked yet.
   *
   * @throws {UpstreamFailedError}
   */
  async find(upstream: Upstream, repository: string): Promise<string | undefined> {
    const known = this.#known.get(nameOf(upstream, repository));
    if (known === undefined) return undefined;
    const { text, goodUntilMs } = await known.token;
    return this.#services.stores.now() < goodUntilMs
      ? text
      : this.renew(upstream, repository, known.challenge, text);
  }

  /**
   * A token that is another than `refused`, which the upstream no longer takes. Many that ask at once get one.
   *
   * @throws {UpstreamDeniedError} when the upstream gives none to us, {@link UpstreamFailedError} for other failures.
   */
  async renew(
    upstream: Upstream,
    repository: string,
    challenge: BearerChallenge,
    refused: string | undefined,
  ): Promise<string> {
    const name = nameOf(upstream, repository);
    const before = this.#known.get(name);
    if (before !== undefined) {
      const { text } = await before.token;
      if (text !== refused) return text;
    }
    const latest = this.#known.get(name);
    const known =
      latest === undefined || latest === before
        ? { challenge, token: this.#fetch(upstream, challenge) }
        : latest;
    this.#known.set(name, known);
    try {
      return (await known.token).text;
    } catch (error) {
      if (this.#known.get(name) === known) this.#known.delete(name);
      throw error;
    }
  }

  async #fetch(upstream: Upstream, { realm, service, scope }: BearerChallenge) {
    const { stores, upstreamClient: client } = this.#services;
    const url = new URL(realm);
    if (service !== "") url.searchParams.set("service", service);
    if (scope !== "") url.searchParams.set("scope", scope);
    const credentials = await client.credentialsOf(upstream);
    const askedAtMs = stores.now();
    const answer = await client.send(upstream, {
      target: url.href,
      headers: { accept: "application/json", "accept-encoding": "gzip" },
      credentials,
      maxBodyBytes: MAX_ANSWER_BYTES,
    });
    if (answer.status !== 200) {
      const failure = await client.refusal(upstream, answer);
      const isDenied = answer.status === 401 || answer.status === 403;
      // Without credentials of ours nothing can be wrong with them: some tell so that there is no such image.
      throw isDenied && Object.keys(credentials).length === 0
        ? new UpstreamDeniedError(failure.message)
        : failure;
    }
    const { text, seconds } = await this.#parse(upstream, answer);
    const timeMs = Math.min(Math.max(seconds, 1), MAX_SECONDS) * 1000;
    return { text, goodUntilMs: askedAtMs + timeMs - Math.min(EARLY_MS, timeMs / 10) };
  }

  async #parse(upstream: Upstream, answer: Parameters<typeof readBody>[0]) {
    try {
      const body = await readBody(answer, MAX_ANSWER_BYTES);
      const parsed = answerBody.parse(JSON.parse(new TextDecoder().decode(body)));
      const text = parsed.token ?? parsed.access_token ?? "";
      if (/^[\x21-\x7e]+$/.test(text))
        return { text, seconds: parsed.expires_in ?? DEFAULT_SECONDS };
    } catch (error) {
      const isContent = error instanceof SyntaxError || error instanceof z.ZodError;
      if (!isContent) throw asFailure(upstream, error);
    }
    throw new UpstreamFailedError(
      `The token server of the upstream "${upstream.key}" sent no token.`,
    );
  }
}

/** What was changed of an upstream may be who we are there. */
const nameOf = ({ id, updatedAtMs }: Upstream, repository: string): string =>
  `${id} ${updatedAtMs} ${repository}`;
