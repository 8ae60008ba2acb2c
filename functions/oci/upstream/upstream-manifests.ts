import type { Upstream } from "../../../shared/domain/upstream.ts";
import { UpstreamFailedError } from "../../../shared/errors.ts";
import { readBody } from "../../../shared/services/outbound-body.ts";
import type { Services } from "../../../shared/services/services.ts";
import { asFailure } from "../../../shared/services/upstreams/upstream-client.ts";
import { OciInvalidError } from "../errors.ts";
import { type Manifest, MAX_MANIFEST_BYTES, parseManifest } from "../manifest.ts";
import { MANIFEST_TYPES } from "../media-types.ts";
import { findDigest, type OciDigest } from "../names.ts";
import type { DistributionClient } from "./distribution-client.ts";

const ACCEPT = MANIFEST_TYPES.join(", ");

/** Manifests as upstreams have them now. */
export class UpstreamManifests {
  readonly #services: Services;
  readonly #client: DistributionClient;

  constructor(services: Services, client: DistributionClient) {
    this.#services = services;
    this.#client = client;
  }

  /**
   * What a tag points at; empty when the upstream has it, and does not say what it is before the manifest is fetched.
   * HEAD, because Docker Hub counts only GET as a pull: https://docs.docker.com/docker-hub/usage/pulls/
   *
   * @throws {UpstreamFailedError}
   */
  async findDigest(
    upstream: Upstream,
    repository: string,
    tag: string,
  ): Promise<string | undefined> {
    const answer = await this.#client.send(upstream, repository, {
      method: "HEAD",
      target: `manifests/${tag}`,
      accept: ACCEPT,
      maxBodyBytes: 0,
    });
    await answer.body.cancel().catch(() => undefined);
    const { status, headers } = answer;
    if (status === 404) return undefined;
    if (status === 405 || status === 501) return "";
    if (status !== 200) throw await this.#services.upstreamClient.refusal(upstream, answer);
    return findDigest(headers.get("docker-content-digest") ?? "")?.text ?? "";
  }

  /**
   * A manifest with its bytes verified: against the digest that it was asked for by, or that the upstream says it has.
   * `undefined` when the upstream has none.
   *
   * @throws {UpstreamFailedError} also for what is no manifest.
   */
  async fetch(
    upstream: Upstream,
    repository: string,
    reference: string,
  ): Promise<Manifest | undefined> {
    const answer = await this.#client.send(upstream, repository, {
      target: `manifests/${reference}`,
      accept: ACCEPT,
      maxBodyBytes: MAX_MANIFEST_BYTES,
    });
    const { status, headers } = answer;
    if (status === 404) {
      await answer.body.cancel().catch(() => undefined);
      return undefined;
    }
    if (status !== 200) throw await this.#services.upstreamClient.refusal(upstream, answer);
    const announced = findDigest(headers.get("docker-content-digest") ?? "");
    const contentType = headers.get("content-type") ?? undefined;
    try {
      const body = await readBody(answer, MAX_MANIFEST_BYTES);
      const claimed: OciDigest | undefined = findDigest(reference) ?? announced;
      return parseManifest(body, contentType, claimed);
    } catch (error) {
      if (!(error instanceof OciInvalidError)) throw asFailure(upstream, error);
      throw new UpstreamFailedError(
        `The upstream "${upstream.key}" sent a manifest for ${reference} that cannot be used. ${error.message}`,
      );
    }
  }
}
