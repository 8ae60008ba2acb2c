import type { Registry } from "./registry.ts";
import { officialMember } from "./routing.ts";

/** What a composite or a proxy hangs on; source registries hang on nothing and are not in the graph. */
export interface GraphNode {
  /** Composite: slugs of all registries that it reads from, in order, the official one's last. */
  readonly members: readonly string[];
  /** Proxy: key of the upstream that it caches; empty for a composite. */
  readonly proxyOf: string;
}

export type GraphNodes = ReadonlyMap<string, GraphNode>;

/** Which registries hang on which, and the revision on which the next change of it is conditional. */
export interface RegistryGraph {
  /** 0: nothing was ever written. */
  readonly revision: number;
  readonly nodes: GraphNodes;
}

/** Composites in composites, the outermost counted: more than people follow, and it bounds what a read may ask. */
export const MAX_NESTING = 5;
/** Registries that are asked in the end, counted once each. */
export const MAX_LEAVES = 50;

/** The graph's nodes with `registry` as it is now. */
export function withRegistry(
  nodes: GraphNodes,
  { slug, kind, routing }: Pick<Registry, "slug" | "kind" | "routing">,
): GraphNodes {
  if (kind === "source") return nodes;
  const members = [...routing.upstreams, ...officialMember(routing)];
  return new Map(nodes).set(slug, { members, proxyOf: routing.proxyOf });
}

export function withoutRegistry(nodes: GraphNodes, slug: string): GraphNodes {
  const rest = new Map(nodes);
  rest.delete(slug);
  return rest;
}

/** Slugs of the composites that name a registry. */
export function compositesOf(nodes: GraphNodes, slug: string): readonly string[] {
  return [...nodes].filter(([, { members }]) => members.includes(slug)).map(([user]) => user);
}

/** Slugs of the proxies that cache an upstream. */
export function proxiesOf(nodes: GraphNodes, upstreamKey: string): readonly string[] {
  return [...nodes].filter(([, { proxyOf }]) => proxyOf === upstreamKey).map(([user]) => user);
}

/**
 * What is wrong with the graph after `slug` was changed, in words that follow the registry's name; `undefined`
 * when nothing is. Every composite is looked at, because one that holds another grows with it.
 */
export function graphProblem(nodes: GraphNodes, slug: string): string | undefined {
  const circle = pathBack(nodes, slug);
  if (circle !== undefined) return `would read from itself: ${circle.join(" → ")}`;
  const shapes = new Map<string, Shape>();
  for (const composite of nodes.keys()) {
    const { depth, leaves } = shapeOf(nodes, composite, shapes);
    const where = composite === slug ? "" : `, through composite "${composite}",`;
    if (depth > MAX_NESTING) {
      return `would${where} nest composites ${depth} levels deep; ${MAX_NESTING} are possible`;
    }
    if (leaves.size > MAX_LEAVES) {
      return `would${where} read from ${leaves.size} registries; ${MAX_LEAVES} are possible`;
    }
  }
  return undefined;
}

/** The way from a registry to itself, both ends included; `undefined` when there is none. */
function pathBack(nodes: GraphNodes, start: string): readonly string[] | undefined {
  const seen = new Set<string>();
  const follow = (path: readonly string[]): readonly string[] | undefined => {
    for (const member of nodes.get(path.at(-1) ?? "")?.members ?? []) {
      if (member === start) return [...path, start];
      if (seen.has(member)) continue;
      seen.add(member);
      const found = follow([...path, member]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return follow([start]);
}

interface Shape {
  /** 0 for a source or proxy. */
  readonly depth: number;
  readonly leaves: ReadonlySet<string>;
}

/** Each node is looked at once: composites that share members would otherwise be walked over and over. */
function shapeOf(nodes: GraphNodes, slug: string, known: Map<string, Shape>): Shape {
  const before = known.get(slug);
  if (before !== undefined) return before;
  const members = nodes.get(slug)?.members ?? [];
  const below = members.map((member) => shapeOf(nodes, member, known));
  const isLeaf = nodes.get(slug)?.proxyOf !== "";
  const shape: Shape = isLeaf
    ? { depth: 0, leaves: new Set([slug]) }
    : {
        depth: 1 + Math.max(0, ...below.map(({ depth }) => depth)),
        leaves: new Set(below.flatMap(({ leaves }) => [...leaves])),
      };
  known.set(slug, shape);
  return shape;
}
