import { NotFoundError } from "../../../shared/errors.ts";
import type { Upstream } from "../../../shared/domain/upstream.ts";
import type { ByteStream } from "../../../shared/ports/blobs.ts";
import type { OutboundAnswer } from "../../../shared/ports/outbound-http.ts";
import type { BlobLink } from "../../../shared/records/blob-links.ts";
import type { PackageRef } from "../../../shared/services/blob-links.ts";
import type { Services } from "../../../shared/services/services.ts";
import { bodyWithin, type FetchLimit } from "../../../shared/services/upstreams/fetch-limit.ts";
import {
  type Arrival,
  asSoonAsItArrives,
  relay,
} from "../../../shared/services/upstreams/relay.ts";
import { UpstreamFetches } from "../../../shared/services/upstreams/upstream-fetches.ts";
import { type HearRead, heardFetch } from "../../../shared/services/upstreams/upstream-read.ts";
import {
  asStoringFailure,
  MIN_STREAMED_BYTES,
} from "../../../shared/services/upstreams/upstream-files.ts";
import type { OciDigest } from "../names.ts";
import { UpstreamDeniedError } from "./denied.ts";
import type { DistributionClient } from "./distribution-client.ts";
import type { ProxyImage } from "./proxy-image.ts";

type Arrive = (arrival: Arrival<ProxiedBlob>) => void;

/** Other images of the proxy that are looked at for the same blob. */
const MAX_OWNERS = 50;

/** A blob of an image, or one that is being fetched. */
export interface ProxiedBlob {
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly linkedAtMs: number;
  /** Its bytes, while they are on their way into storage. */
  readonly arriving?: ByteStream;
}

/** Layers and configs of upstreams: fetched once however many want them, verified, and linked to their image. */
export class ProxiedBlobs {
  readonly #services: Services;
  readonly #client: DistributionClient;
  readonly #fetches: UpstreamFetches<BlobLink>;
  readonly #hear: HearRead;

  constructor(services: Services, client: DistributionClient) {
    this.#services = services;
    this.#client = client;
    this.#hear = services.options.upstreamRead ?? (() => {});
    this.#fetches = new UpstreamFetches(services.stores, services.options.fetchLimits);
  }

  /**
   * The blob, fetched unless it is here; a large one as soon as it begins to come.
   *
   * @throws {NotFoundError} when the upstream's image has none, {@link UpstreamFailedError} for other failures.
   */
  async get(image: ProxyImage, digest: OciDigest): Promise<ProxiedBlob> {
    return asSoonAsItArrives((arrive) => this.#get(image, digest, arrive));
  }

  /** Tells that a blob was here already. */
  heardCached({ key: upstream }: Upstream): void {
    this.#hear({ upstream, kind: "file", outcome: "cached", bytes: 0 });
  }

  /** As {@link ProxiedBlobs.get}, when all of it is here. */
  async getStored(image: ProxyImage, digest: OciDigest): Promise<BlobLink> {
    return this.#get(image, digest, undefined);
  }

  async #get(image: ProxyImage, digest: OciDigest, arrive: Arrive | undefined): Promise<BlobLink> {
    const { registry, repository } = image;
    const ref: PackageRef = { registryId: registry.id, packageName: repository };
    const find = (): Promise<BlobLink | undefined> =>
      this.#services.blobLinks.find(ref, digest.text);
    const order = {
      registry: registry.slug,
      ...ref,
      version: "",
      path: digest.text,
    };
    return this.#fetches.run(order, { find }, async (limit) => {
      const stored = await this.#findStored(image, digest);
      const blob =
        stored ??
        (await heardFetch(this.#hear, image.upstream, () =>
          this.#fetch(image, digest, limit, arrive),
        ));
      await this.#services.blobLinks.link(ref, { digest: digest.text, ...blob });
      const link = await find();
      if (link === undefined) throw new NotFoundError("file", digest.text);
      return link;
    });
  }

  /** Length of a blob as the upstream has it, without fetching it. @throws as {@link ProxiedBlobs.get} */
  async sizeBytes(image: ProxyImage, digest: OciDigest): Promise<number | undefined> {
    const answer = await this.#ask(image, digest, "HEAD");
    await answer.body.cancel().catch(() => undefined);
    const text = answer.headers.get("content-length") ?? "";
    return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  }

  /**
   * Bytes that came with another image of this proxy. The upstream is asked whether this image has them too: knowing a
   * digest is not enough to get at what somebody else may pull.
   */
  async #findStored(image: ProxyImage, digest: OciDigest) {
    // Blobs are stored by sha256, so only such a digest leads to who else has one.
    if (digest.algorithm !== "sha256") return undefined;
    const { blobLinks } = this.#services;
    const owners = await blobLinks.listOwners(digest.hex, MAX_OWNERS);
    for (const owner of owners) {
      if (owner.registryId !== image.registry.id) continue;
      const link = await blobLinks.find(owner, digest.text);
      if (link === undefined) continue;
      await this.sizeBytes(image, digest);
      return { sha256: link.sha256, sizeBytes: link.sizeBytes };
    }
    return undefined;
  }

  async #fetch(
    image: ProxyImage,
    digest: OciDigest,
    limit: FetchLimit,
    arrive: Arrive | undefined,
  ) {
    const { upstream } = image;
    const { blobs, now } = this.#services.stores;
    const answer = await this.#ask(image, digest, "GET", limit.signal);
    const announced = Number(answer.headers.get("content-length") ?? 0);
    const mayStream = this.#services.options.downloads === "inline";
    let body = await bodyWithin(limit, answer);
    if (arrive !== undefined && mayStream && announced >= MIN_STREAMED_BYTES) {
      const { stored, sent, end } = relay(body);
      const value = { sha256: "", sizeBytes: announced, linkedAtMs: now(), arriving: sent };
      arrive({ value, end });
      body = stored;
    }
    try {
      const { sha256, sizeBytes } = await blobs.put(body, {
        algorithms: [digest.algorithm],
        expected: digest.expected,
        maxSizeBytes: upstream.maxFileBytes,
      });
      return { sha256, sizeBytes };
    } catch (error) {
      throw asStoringFailure(upstream, digest.text, error);
    }
  }

  /** A successful answer. @throws as {@link ProxiedBlobs.get} */
  async #ask(
    { upstream, repository }: ProxyImage,
    digest: OciDigest,
    method: "GET" | "HEAD",
    signal?: AbortSignal,
  ): Promise<OutboundAnswer> {
    try {
      const answer = await this.#client.send(upstream, repository, {
        method,
        target: `blobs/${digest.text}`,
        maxBodyBytes: upstream.maxFileBytes,
        ...(signal === undefined ? {} : { signal }),
      });
      if (answer.status === 200) return answer;
      if (answer.status !== 404 && answer.status !== 410) {
        throw await this.#services.upstreamClient.refusal(upstream, answer);
      }
      await answer.body.cancel().catch(() => undefined);
    } catch (error) {
      if (!(error instanceof UpstreamDeniedError)) throw error;
    }
    throw new NotFoundError("file", digest.text);
  }
}
