import * as z from "zod";
import { UpstreamFailedError } from "../../../shared/errors.ts";
import type { OutboundAnswer } from "../../../shared/ports/outbound-http.ts";
import { readBody } from "../../../shared/services/outbound-body.ts";
import type { Services } from "../../../shared/services/services.ts";
import { asFailure } from "../../../shared/services/upstreams/upstream-client.ts";
import type { Fetched } from "../../../shared/services/upstreams/upstream-copies.ts";
import { byteOrder } from "../byte-order.ts";
import { isTag } from "../names.ts";
import { UpstreamDeniedError } from "./denied.ts";
import type { DistributionClient } from "./distribution-client.ts";
import { type ListedReferrer, listedReferrers } from "./listed-referrer.ts";
import type { ProxyImage } from "./proxy-image.ts";
import type { UpstreamManifests } from "./upstream-manifests.ts";

const PAGE = 1000;
const MAX_PAGES = 500;
const MAX_PAGE_BYTES = 8 * 1024 * 1024;
const MAX_NAMES = 200_000;
const MAX_REFERRERS = 10_000;

/** A list of an upstream, as far as it is known. */
export interface ProxiedList<T> {
  readonly items: readonly T[];
  /** Why there may be others by now; empty when there are not. */
  readonly stale: string;
}

const tagsPage = z.looseObject({ tags: z.array(z.string()).nullish() });
const namesBody = z.array(z.string());

/** Lists of upstreams, each read page by page and kept as one document for its time. */
export class ProxiedLists {
  readonly #services: Services;
  readonly #client: DistributionClient;
  readonly #manifests: UpstreamManifests;

  constructor(services: Services, client: DistributionClient, manifests: UpstreamManifests) {
    this.#services = services;
    this.#client = client;
    this.#manifests = manifests;
  }

  /** In byte order; none when the upstream has no such image. @throws {UpstreamFailedError} */
  async tags(image: ProxyImage): Promise<ProxiedList<string>> {
    const list = await this.#list(image, "tags", async () => {
      const names = new Set<string>();
      const isFound = await this.#pages(image, `tags/list?n=${PAGE}`, (page) => {
        for (const name of tagsPage.parse(page).tags ?? []) if (isTag(name)) names.add(name);
        if (names.size > MAX_NAMES) throw new RangeError(`more than ${MAX_NAMES} tags`);
      });
      return isFound ? [...names].sort(byteOrder) : undefined;
    });
    return { ...list, items: namesBody.parse(list.items) };
  }

  /** In byte order of their digests. @throws {UpstreamFailedError} */
  async referrers(image: ProxyImage, subject: string): Promise<ProxiedList<ListedReferrer>> {
    const list = await this.#list(image, `referrers:${subject}`, async () => {
      const found = new Map<string, ListedReferrer>();
      const take = (page: unknown): void => {
        for (const one of listedReferrers(page)) found.set(one.digest, one);
        if (found.size > MAX_REFERRERS)
          throw new RangeError(`more than ${MAX_REFERRERS} referrers`);
      };
      const isServed = await this.#pages(image, `referrers/${subject}`, take);
      if (!isServed) take(await this.#referrersTag(image, subject));
      return [...found.values()]
        .sort((a, b) => byteOrder(a.digest, b.digest))
        .map(({ descriptor }) => descriptor);
    });
    return { ...list, items: listedReferrers({ manifests: list.items }) };
  }

  /**
   * Registries without the list have it as an index under a tag:
   * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema
   */
  async #referrersTag({ upstream, repository }: ProxyImage, subject: string): Promise<unknown> {
    const tag = subject.replace(":", "-").slice(0, 128);
    const manifest = await this.#manifests.fetch(upstream, repository, tag);
    return manifest?.kind === "index" ? { manifests: manifest.manifests } : {};
  }

  /** `fetch` gives `undefined` for what is missing. */
  async #list(
    { registry, upstream, repository }: ProxyImage,
    name: string,
    fetch: () => Promise<readonly unknown[] | undefined>,
  ): Promise<{ readonly items: readonly unknown[]; readonly stale: string }> {
    const { upstreamDocuments } = this.#services;
    const question = { registry, upstream, packageName: repository, name };
    const { copy, stale } = await upstreamDocuments.askWith(question, async (latest) => {
      try {
        return asDocument(await fetch());
      } catch (error) {
        if (error instanceof UpstreamDeniedError && latest?.state !== "present") {
          return { kind: "missing" };
        }
        throw error;
      }
    });
    if (copy.state === "missing") return { items: [], stale };
    const body = await upstreamDocuments.body(registry, repository, copy);
    return { items: z.array(z.unknown()).parse(JSON.parse(Buffer.from(body).toString())), stale };
  }

  /** Every page that `Link` leads to. @returns false when there is no such list. */
  async #pages(image: ProxyImage, first: string, take: (page: unknown) => void): Promise<boolean> {
    const { upstream, repository } = image;
    let target: string | undefined = first;
    for (let pages = 0; target !== undefined; pages++) {
      if (pages >= MAX_PAGES) throw unusable(image, `more than ${MAX_PAGES} pages`);
      const answer: OutboundAnswer = await this.#client.send(upstream, repository, {
        target,
        maxBodyBytes: MAX_PAGE_BYTES,
      });
      if (answer.status === 404) {
        await answer.body.cancel().catch(() => undefined);
        return false;
      }
      if (answer.status !== 200)
        throw await this.#services.upstreamClient.refusal(upstream, answer);
      try {
        const body = await readBody(answer, MAX_PAGE_BYTES);
        take(JSON.parse(new TextDecoder().decode(body)));
      } catch (error) {
        const isContent =
          error instanceof SyntaxError ||
          error instanceof z.ZodError ||
          error instanceof RangeError;
        throw isContent
          ? unusable(image, "it is not what the specification has")
          : asFailure(upstream, error);
      }
      target = nextOf(answer, upstream.url);
    }
    return true;
  }
}

const asDocument = (items: readonly unknown[] | undefined): Fetched =>
  items === undefined
    ? { kind: "missing" }
    : {
        kind: "present",
        copy: { etag: "", lastModified: "", contentType: "application/json", url: "" },
        body: Buffer.from(JSON.stringify(items)),
      };

const unusable = ({ upstream }: ProxyImage, why: string): UpstreamFailedError =>
  new UpstreamFailedError(
    `The upstream "${upstream.key}" sent a list that cannot be used: ${why}.`,
  );

/** Absolute; only on the upstream's own host, because our credentials go along. RFC 8288. */
function nextOf({ headers, url }: OutboundAnswer, upstreamUrl: string): string | undefined {
  const [, link] = /<([^>]{1,4000})>\s*;[^<]*\brel="?next\b/i.exec(headers.get("link") ?? "") ?? [];
  if (link === undefined || !URL.canParse(link, url)) return undefined;
  const next = new URL(link, url);
  return next.origin === new URL(upstreamUrl).origin ? next.href : undefined;
}
