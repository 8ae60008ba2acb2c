import type { Registry } from "../../domain/registry.ts";
import { MAX_LEAVES, MAX_NESTING } from "../../domain/registry-graph.ts";
import { officialMember, type Routing, ruleFor } from "../../domain/routing.ts";
import type { Upstream } from "../../domain/upstream.ts";
import { matchesPattern } from "../../domain/pattern.ts";
import type { Item } from "../../ports/table.ts";
import type { RegistryDirectory } from "../registry-directory.ts";
import type { UpstreamDirectory } from "../upstreams/upstream-directory.ts";

/** A registry that has packages of its own, as reached through a composite; a registry alone is its own leaf. */
export interface Leaf {
  readonly registry: Registry;
  /** Present for proxies. */
  readonly upstream?: Upstream;
  /** Of every registry on the way to it, the outermost first; its own too unless it is a source. */
  readonly routings: readonly Routing[];
}

/** Why a registry is not asked for a name. */
export const REFUSALS = [
  "internal-blocked",
  "external-blocked",
  "owned-by-source",
  "excluded",
] as const;

export interface Route {
  readonly leaf: Leaf;
  /** Empty when it is asked. */
  readonly refusal: "" | (typeof REFUSALS)[number];
}

/** What was come by so far. */
interface Found {
  readonly leaves: Leaf[];
  /** Ids, of composites too. */
  readonly seen: Set<string>;
}

/** The registries behind one slug, in the order in which they are asked, each once. */
export class Leaves {
  readonly #registries: RegistryDirectory;
  readonly #upstreams: UpstreamDirectory;

  constructor(registries: RegistryDirectory, upstreams: UpstreamDirectory) {
    this.#registries = registries;
    this.#upstreams = upstreams;
  }

  /** What went missing meanwhile is left out: its packages are gone. */
  async of(registry: Registry): Promise<readonly Leaf[]> {
    const found: Found = { leaves: [], seen: new Set() };
    await this.#collect(registry, [], found);
    return found.leaves;
  }

  async #collect(
    registry: Registry,
    above: readonly Routing[],
    { leaves, seen }: Found,
  ): Promise<void> {
    // A composite that was seen has nothing to add: the first way to a leaf is the one that counts.
    if (above.length > MAX_NESTING || leaves.length >= MAX_LEAVES || seen.has(registry.id)) return;
    seen.add(registry.id);
    if (registry.kind === "source") {
      leaves.push({ registry, routings: above });
      return;
    }
    const { routing } = registry;
    const routings = [...above, routing];
    if (registry.kind === "proxy") {
      const upstream = await this.#upstreams.find(routing.proxyOf);
      if (upstream !== undefined) leaves.push({ registry, upstream, routings });
      return;
    }
    const slugs = [...routing.upstreams, ...officialMember(routing)];
    const members = await Promise.all(slugs.map((slug) => this.#registries.find(slug)));
    for (const member of members) {
      if (member?.ecosystem !== registry.ecosystem) continue;
      await this.#collect(member, routings, { leaves, seen });
    }
  }
}

/**
 * Which leaves are asked for a name. `owned`: a source among the leaves has a package of this name, so that no proxy is
 * asked for it unless a rule mixes both: otherwise whoever publishes a higher version outside would take the name over.
 */
export function routesFor(
  leaves: readonly Leaf[],
  packageName: string,
  owned: boolean,
): readonly Route[] {
  return leaves.map((leaf) => ({ leaf, refusal: refusalOf(leaf, packageName, owned) }));
}

function refusalOf(leaf: Leaf, packageName: string, owned: boolean): Route["refusal"] {
  const { upstream, routings } = leaf;
  const subject = upstream === undefined ? "internal" : "external";
  const said = routings.map(({ packageRules }) => ruleFor(packageRules, subject, packageName));
  if (said.includes("block")) return `${subject}-blocked`;
  if (upstream === undefined) return "";
  if (owned && !said.includes("allow")) return "owned-by-source";
  return isAskedFor(upstream, packageName) ? "" : "excluded";
}

function isAskedFor({ include, exclude }: Upstream, packageName: string): boolean {
  const matches = (pattern: string): boolean => matchesPattern(pattern, packageName);
  return (include.length === 0 || include.some(matches)) && !exclude.some(matches);
}

/**
 * Whether a leaf owns a name by what it has of the package. Deleted ones count, while they can be restored: their names are not free for somebody
 * outside.
 */
export const isOwned = ({ upstream }: Leaf, packageItem: Item | undefined): boolean =>
  upstream === undefined && packageItem !== undefined;
