import { ConflictError, ForbiddenError, InvalidInputError, NotFoundError } from "../errors.ts";
import { randomText } from "../domain/identifiers.ts";
import type { Caller, Principal } from "../domain/principal.ts";
import { DEFAULT_POLICIES, type EcosystemName, type Registry } from "../domain/registry.ts";
import { type GraphNodes, graphProblem, withRegistry } from "../domain/registry-graph.ts";
import { NO_ROUTING, type Routing } from "../domain/routing.ts";
import { officialPreset, presetOf, type Upstream } from "../domain/upstream.ts";
import type { WriteOp } from "../ports/table.ts";
import { createRegistryOp, registryKey, toRegistry } from "../records/registries.ts";
import { toUpstream, upstreamKey } from "../records/upstreams.ts";
import { type Access, mayReadEverything, mayUse } from "./access.ts";
import { recordOps } from "./audit.ts";
import { editRouting, type RoutingEdits } from "./registry-routing.ts";
import type { Ecosystems, Stores } from "./stores.ts";
import { mayUseUpstream, type Upstreams } from "./upstreams/upstreams.ts";

/** What comes of edits of a registry's routing. */
export interface Composition {
  readonly routing: Routing;
  /** The graph with the registry, and with what is created for it. */
  readonly nodes: GraphNodes;
  /** Create the preset's upstream and the official registry's proxy, where they are missing. */
  readonly ops: readonly WriteOp[];
}

/** Something that exists, or comes to exist with `ops`. */
interface Found<T> {
  readonly it: T;
  readonly ops: readonly WriteOp[];
}

/** Decides what composites and proxies may hang on. Reads strongly consistent, past all memories. */
export class RegistryComposer {
  readonly #stores: Stores;
  readonly #access: Access;
  readonly #upstreams: Upstreams;
  readonly #ecosystems: Ecosystems;

  constructor(stores: Stores, access: Access, upstreams: Upstreams, ecosystems: Ecosystems) {
    this.#stores = stores;
    this.#access = access;
    this.#upstreams = upstreams;
    this.#ecosystems = ecosystems;
  }

  /**
   * @param registry As it is to be, but for its routing, which is that of before.
   * @throws {InvalidInputError} | {@link ConflictError} | {@link NotFoundError} for what does not exist or the caller
   *   may not read | {@link ForbiddenError}
   */
  async compose(
    caller: Caller,
    registry: Registry,
    edits: RoutingEdits,
    nodes: GraphNodes,
  ): Promise<Composition> {
    const { kind, ecosystem, routing: before } = registry;
    const { canonicalPattern = (pattern: string) => pattern } = this.#ecosystems[ecosystem];
    const own = editRouting(kind, before, edits, canonicalPattern);
    if (kind === "source") return { routing: own, nodes, ops: [] };
    return kind === "proxy"
      ? this.#proxy(caller, { ...registry, routing: own }, edits, nodes)
      : this.#composite(caller, { ...registry, routing: own }, edits, nodes);
  }

  async #proxy(
    caller: Caller,
    registry: Registry,
    { upstream: wanted }: RoutingEdits,
    nodes: GraphNodes,
  ): Promise<Composition> {
    const { proxyOf } = registry.routing;
    const key = wanted ?? proxyOf;
    if (key === "") throw wrong("/upstream", 'is missing: name the upstream, such as "npmjs"');
    if (proxyOf !== "" && key !== proxyOf) {
      throw wrong(
        "/upstream",
        "cannot be changed: what is cached came from it; create another proxy",
      );
    }
    const upstream = await this.#upstream(caller, key, registry.ecosystem, proxyOf !== "");
    if (registry.visibility === "public" && upstream.it.auth.kind !== "none") {
      throw wrong(
        "/visibility",
        `cannot be public: upstream "${key}" needs authentication, and everybody would read what only we may`,
      );
    }
    const routing = { ...registry.routing, proxyOf: key };
    return {
      routing,
      nodes: withRegistry(nodes, { ...registry, routing }),
      ops: upstream.ops,
    };
  }

  async #composite(
    caller: Caller,
    registry: Registry,
    edits: RoutingEdits,
    nodes: GraphNodes,
  ): Promise<Composition> {
    if (registry.visibility === "public") {
      throw wrong(
        "/visibility",
        "cannot be public: whoever reads a composite reads all that is behind it; make its source registries public instead",
      );
    }
    const { slug, ecosystem, routing: before } = registry;
    const { upstreams = before.upstreams, publishTo = before.publishTo } = edits;
    await this.#requireMembers(caller, registry, upstreams);
    if (publishTo !== "" && !upstreams.includes(publishTo)) {
      throw wrong("/publishTo", `must be one of the upstreams, and "${publishTo}" is not`);
    }
    if (publishTo !== before.publishTo || upstreams !== before.upstreams) {
      await this.#requireTarget(publishTo);
    }
    const official =
      edits.official === true && before.official === ""
        ? await this.#official(caller, ecosystem, nodes)
        : { it: edits.official === false ? "" : before.official, ops: [], nodes };
    const routing = { ...before, upstreams, publishTo, official: official.it };
    const after = withRegistry(official.nodes, { ...registry, routing });
    const problem = graphProblem(after, slug);
    if (problem !== undefined) throw new ConflictError(`Composite "${slug}" ${problem}.`);
    return { routing, nodes: after, ops: official.ops };
  }

  /** Those that were there before stay without question: whoever added them could read them. */
  async #requireMembers(
    caller: Caller,
    { ecosystem, routing }: Registry,
    slugs: readonly string[],
  ): Promise<void> {
    for (const [position, slug] of slugs.entries()) {
      const at = `/upstreams/${position}`;
      if (slugs.indexOf(slug) !== position) throw wrong(at, `"${slug}" stands there twice`);
      if (routing.upstreams.includes(slug)) continue;
      const member = await this.#readable(caller.principal, slug);
      if (member.ecosystem !== ecosystem) {
        throw wrong(at, `"${slug}" holds ${member.ecosystem} packages, and this ${ecosystem}`);
      }
    }
  }

  async #requireTarget(slug: string): Promise<void> {
    if (slug === "") return;
    const target = await this.#find(slug);
    if (target?.kind === "source") return;
    throw wrong(
      "/publishTo",
      `must be a source registry, and "${slug}" is a ${target?.kind ?? ""}`,
    );
  }

  /** A registry whose packages the caller may hand on to all who read the composite. */
  async #readable(principal: Principal, slug: string): Promise<Registry> {
    const registry = await this.#find(slug);
    if (registry === undefined || !mayUse(principal, "packages:read", registry)) {
      throw new NotFoundError("registry", slug);
    }
    if (!mayReadEverything(principal, registry)) {
      throw new ForbiddenError(
        `Your token reads only some packages of "${slug}", and whoever reads the composite would read all of them. Use a token without that bound.`,
      );
    }
    return registry;
  }

  /** The proxy of the ecosystem's official registry, by its usual name or another; made when there is none. */
  async #official(
    caller: Caller,
    ecosystem: EcosystemName,
    nodes: GraphNodes,
  ): Promise<Found<string> & { readonly nodes: GraphNodes }> {
    const key = officialPreset(ecosystem)?.key;
    if (key === undefined) {
      throw wrong(
        "/official",
        `is of no use: there is no official registry of ${ecosystem} packages`,
      );
    }
    const slugs = [key, `${key}-official`];
    const there = await Promise.all(slugs.map((slug) => this.#find(slug)));
    const fitting = there.find((found) => found?.routing.proxyOf === key);
    if (fitting !== undefined) {
      await this.#readable(caller.principal, fitting.slug);
      return { it: fitting.slug, ops: [], nodes };
    }
    const slug = slugs.find((_, position) => there[position] === undefined);
    if (slug === undefined) {
      throw new ConflictError(
        `There is no proxy of the official registry, and both names for one are taken: ${slugs.join(", ")}. Create a proxy of "${key}", and name it in upstreams.`,
      );
    }
    if (
      !mayUse(this.#access.requireScope(caller, "registries:write"), "registries:write", {
        slug,
        visibility: "private",
      })
    ) {
      throw new ConflictError(
        `Your token does not cover the proxy "${slug}" that would be created for the official registry. Ask an administrator to create it.`,
      );
    }
    return this.#newOfficial(caller, slug, key, { ecosystem, nodes });
  }

  async #newOfficial(
    caller: Caller,
    slug: string,
    key: string,
    { ecosystem, nodes }: { readonly ecosystem: EcosystemName; readonly nodes: GraphNodes },
  ): Promise<Found<string> & { readonly nodes: GraphNodes }> {
    const upstream = await this.#upstream(caller, key, ecosystem, false);
    const nowMs = this.#stores.now();
    const proxy: Registry = {
      id: randomText(12),
      slug,
      ecosystem,
      kind: "proxy",
      visibility: "private",
      description: presetOf(key)?.description ?? "",
      emoji: "",
      colour: "",
      labels: [],
      policies: DEFAULT_POLICIES,
      routing: { ...NO_ROUTING, proxyOf: key },
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
    };
    const what = { action: "registry.create", registry: slug, package: "", version: "" } as const;
    return {
      it: slug,
      nodes: withRegistry(nodes, proxy),
      ops: [
        ...upstream.ops,
        createRegistryOp(proxy),
        ...recordOps(caller, { ...what, detail: "official" }, proxy.id, nowMs),
      ],
    };
  }

  /** The upstream of a key; that of a preset is made when there is none. `known`: the registry caches it already. */
  async #upstream(
    caller: Caller,
    key: string,
    ecosystem: EcosystemName,
    known: boolean,
  ): Promise<Found<Upstream>> {
    const item = key.length > 63 ? undefined : await this.#stores.table.get(upstreamKey(key));
    if (item === undefined) {
      if (presetOf(key)?.ecosystem !== ecosystem) throw new NotFoundError("upstream", key);
      const made = this.#upstreams.newUpstream(caller, { key });
      return { it: made, ops: this.#upstreams.createOps(caller, made) };
    }
    const upstream = toUpstream(item);
    if (!known && !mayUseUpstream(caller.principal, "registries:write", key)) {
      throw new NotFoundError("upstream", key);
    }
    if (upstream.ecosystem !== ecosystem) {
      throw wrong(
        "/upstream",
        `"${key}" holds ${upstream.ecosystem} packages, and this ${ecosystem}`,
      );
    }
    return { it: upstream, ops: [] };
  }

  async #find(slug: string): Promise<Registry | undefined> {
    if (slug.length > 63) return undefined;
    const item = await this.#stores.table.get(registryKey(slug));
    return item === undefined ? undefined : toRegistry(item);
  }
}

const wrong = (at: string, problem: string): InvalidInputError =>
  new InvalidInputError(`${at.slice(1)} ${problem}.`, [{ at, problem }]);
