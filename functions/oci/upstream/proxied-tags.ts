import type { UpstreamCopy } from "../../../shared/records/upstream-copies.ts";
import { isAvailableRow, versionKey } from "../../../shared/records/versions.ts";
import type { Services } from "../../../shared/services/services.ts";
import type { Fetched } from "../../../shared/services/upstreams/upstream-copies.ts";
import type { CachedManifests } from "./cached-manifests.ts";
import { UpstreamDeniedError } from "./denied.ts";
import type { ProxyImage } from "./proxy-image.ts";
import { parseTagHistory, renderTagHistory, type TagMove } from "./tag-history.ts";
import type { UpstreamManifests } from "./upstream-manifests.ts";

/** A tag of an upstream, as far as it is known. */
export interface ProxiedTag {
  readonly digest: string;
  /** Why it may have moved meanwhile; empty when it has not. */
  readonly stale: string;
  /** What it pointed at, the newest first, `digest` among them. */
  history(): Promise<readonly TagMove[]>;
}

/**
 * Tags of upstreams. A tag's copy has its digest for an entity tag and its history for a body, so that a fresh tag costs
 * one small row and a stale one a HEAD; the manifest is fetched when the digest is new.
 */
export class ProxiedTags {
  readonly #services: Services;
  readonly #upstream: UpstreamManifests;
  readonly #cached: CachedManifests;

  constructor(services: Services, upstream: UpstreamManifests, cached: CachedManifests) {
    this.#services = services;
    this.#upstream = upstream;
    this.#cached = cached;
  }

  /** `undefined` when the upstream has no such tag. @throws {UpstreamFailedError} when it does not say and never did. */
  async find(image: ProxyImage, tag: string): Promise<ProxiedTag | undefined> {
    const { registry, upstream, repository } = image;
    const { upstreamDocuments } = this.#services;
    const name = `tag:${tag}`;
    const question = { registry, upstream, packageName: repository, name };
    const { copy, stale } = await upstreamDocuments.askWith(question, (latest) =>
      this.#fetch(image, tag, latest),
    );
    if (copy.state === "missing") return undefined;
    return { digest: copy.etag, stale, history: () => this.#history(image, copy) };
  }

  async #fetch(image: ProxyImage, tag: string, known: UpstreamCopy | undefined): Promise<Fetched> {
    const before = known?.state === "present" ? known : undefined;
    try {
      const fetched = await this.#ask(image, tag, before);
      if (fetched.kind === "missing" && before !== undefined) {
        await this.#cached.forgetTag(image.registry, image.repository, tag);
      }
      return fetched;
    } catch (error) {
      // Who was let in before may have lost its credentials: then the copy serves.
      if (error instanceof UpstreamDeniedError && before === undefined) return { kind: "missing" };
      throw error;
    }
  }

  async #ask(image: ProxyImage, tag: string, before: UpstreamCopy | undefined): Promise<Fetched> {
    const { registry, upstream, repository } = image;
    if (before !== undefined) {
      const digest = await this.#upstream.findDigest(upstream, repository, tag);
      if (digest === undefined) return { kind: "missing" };
      if (digest === before.etag && (await this.#isHere(image, digest))) {
        return { kind: "unchanged" };
      }
    }
    const manifest = await this.#upstream.fetch(upstream, repository, tag);
    if (manifest === undefined) return { kind: "missing" };
    await this.#cached.keep({ registry, origin: upstream.key }, repository, manifest, tag);
    const digest = manifest.digest.text;
    if (digest === before?.etag) return { kind: "unchanged" };
    const history = before === undefined ? [] : await this.#history(image, before);
    const movedAtMs = before === undefined ? 0 : this.#services.stores.now();
    return {
      kind: "present",
      copy: { etag: digest, lastModified: "", contentType: "application/json", url: "" },
      body: renderTagHistory([{ digest, movedAtMs }, ...history]),
    };
  }

  async #history({ registry, repository }: ProxyImage, copy: UpstreamCopy) {
    const { upstreamDocuments } = this.#services;
    return parseTagHistory(await upstreamDocuments.body(registry, repository, copy));
  }

  async #isHere({ registry, repository }: ProxyImage, digest: string): Promise<boolean> {
    const key = versionKey(registry.id, repository, digest);
    const row = await this.#services.stores.table.get(key);
    return row !== undefined && isAvailableRow(row);
  }
}
