import { type JsonObject, property } from "../../shared/domain/json.ts";
import { UpstreamFailedError } from "../../shared/errors.ts";
import type { RegistryGrant } from "../../shared/services/access.ts";
import type { Services } from "../../shared/services/services.ts";
import type { Leaf } from "../../shared/services/views/routes.ts";
import { byteOrder } from "./byte-order.ts";
import {
  listReferrers,
  listTags,
  type NamePage,
  PAGE_BYTES,
  PAGE_REFERRERS,
  type PageRequest,
  type ReferrerPage,
  type ReferrerRequest,
} from "./listings.ts";
import type { ProxiedLists } from "./upstream/proxied-lists.ts";
import { proxyImageOf, refOf } from "./upstream/proxy-image.ts";

/** Gives the registries that are asked for an image, in their order. */
export type Asked = (grant: RegistryGrant, image: string) => Promise<readonly Leaf[]>;

export interface TagPage extends NamePage {
  /** Some registry has, or had, such an image. */
  readonly isKnown: boolean;
  /** Why the answer may be old; empty when it is not. */
  readonly stale: string;
}

/** What one registry has after a position, in order. */
interface Part<T> {
  readonly items: readonly T[];
  readonly more: boolean;
  readonly stale: string;
}

/** Lists of an image as registries of any kind show them: of several, all of them together. */
export class ListViews {
  readonly #services: Services;
  readonly #asked: Asked;
  readonly #proxied: ProxiedLists;

  constructor(services: Services, asked: Asked, proxied: ProxiedLists) {
    this.#services = services;
    this.#asked = asked;
    this.#proxied = proxied;
  }

  /** @throws {UpstreamFailedError} when an upstream must be asked and does not say. */
  async tags(grant: RegistryGrant, image: string, page: PageRequest): Promise<TagPage> {
    const leaves = await this.#asked(grant, image);
    const parts = await Promise.all(leaves.map((leaf) => this.#tagsOf(leaf, image, page)));
    const { items, more } = together(parts, page.limit, (name) => name);
    const isKnown =
      items.length > 0 ||
      (await this.#services.catalogue.findAnyPackage(grant, image)) !== undefined;
    return { names: items, more: page.limit > 0 && more, isKnown, stale: staleOf(parts) };
  }

  /** A descriptor is that of the first registry that has it. @throws as {@link ListViews.tags} */
  async referrers(
    grant: RegistryGrant,
    image: string,
    wanted: ReferrerRequest,
  ): Promise<ReferrerPage & { readonly stale: string }> {
    const leaves = await this.#asked(grant, image);
    const parts = await Promise.all(leaves.map((leaf) => this.#referrersOf(leaf, image, wanted)));
    const { items, more } = together(parts, PAGE_REFERRERS, digestOf);
    const descriptors: JsonObject[] = [];
    let bytes = 0;
    for (const descriptor of items) {
      if (bytes > PAGE_BYTES) break;
      descriptors.push(descriptor);
      bytes += JSON.stringify(descriptor).length;
    }
    const last = descriptors.at(-1);
    const isLast = !more && descriptors.length === items.length;
    const next = isLast || last === undefined ? undefined : digestOf(last);
    return { descriptors, next, stale: staleOf(parts) };
  }

  async #tagsOf(leaf: Leaf, image: string, page: PageRequest): Promise<Part<string>> {
    const stored = async (stale: string): Promise<Part<string>> => {
      const { names, more } = await listTags(this.#services, refOf(leaf, image), page);
      return { items: names, more, stale };
    };
    const proxied = proxyImageOf(leaf, image);
    if (proxied === undefined) return stored("");
    try {
      const { items, stale } = await this.#proxied.tags(proxied);
      const after = items.filter((name) => page.last === undefined || name > page.last);
      return { items: after, more: false, stale };
    } catch (error) {
      return this.#instead(error, () =>
        stored(`the upstream ${proxied.upstream.key} does not answer`),
      );
    }
  }

  async #referrersOf(
    leaf: Leaf,
    image: string,
    wanted: ReferrerRequest,
  ): Promise<Part<JsonObject>> {
    const stored = async (stale: string): Promise<Part<JsonObject>> => {
      const page = await listReferrers(this.#services, refOf(leaf, image), wanted);
      return { items: page.descriptors, more: page.next !== undefined, stale };
    };
    const proxied = proxyImageOf(leaf, image);
    if (proxied === undefined) return stored("");
    try {
      const { items, stale } = await this.#proxied.referrers(proxied, wanted.subject);
      const fitting = items.filter(
        ({ digest, artifactType }) =>
          (wanted.last === undefined || digest > wanted.last) &&
          (wanted.artifactType === undefined || wanted.artifactType === artifactType),
      );
      return { items: fitting.map(({ descriptor }) => descriptor), more: false, stale };
    } catch (error) {
      return this.#instead(error, () =>
        stored(`the upstream ${proxied.upstream.key} does not answer`),
      );
    }
  }

  /** Of an upstream that fails and never gave its list, what was pulled before; without any, its failure. */
  async #instead<T>(error: unknown, stored: () => Promise<Part<T>>): Promise<Part<T>> {
    if (!(error instanceof UpstreamFailedError)) throw error;
    const part = await stored();
    if (part.items.length === 0) throw error;
    return part;
  }
}

/** The first `limit` of all parts in order, each name once. Beyond the end of an unfinished part others may be missing. */
function together<T>(
  parts: readonly Part<T>[],
  limit: number,
  nameOf: (item: T) => string,
): { readonly items: readonly T[]; readonly more: boolean } {
  const ends = parts.flatMap(({ items, more }) => {
    const last = items.at(-1);
    return more && last !== undefined ? [nameOf(last)] : [];
  });
  const end = ends.sort(byteOrder)[0];
  const byName = new Map<string, T>();
  for (const item of parts.flatMap(({ items }) => items)) {
    const name = nameOf(item);
    if (!byName.has(name) && (end === undefined || name <= end)) byName.set(name, item);
  }
  const names = [...byName.keys()].sort(byteOrder);
  const items = names.slice(0, limit).flatMap((name) => {
    const item = byName.get(name);
    return item === undefined ? [] : [item];
  });
  return { items, more: end !== undefined || names.length > limit };
}

const staleOf = (parts: readonly Part<unknown>[]): string =>
  parts.find(({ stale }) => stale !== "")?.stale ?? "";

function digestOf(descriptor: JsonObject): string {
  const digest = property(descriptor, "digest");
  return typeof digest === "string" ? digest : "";
}
