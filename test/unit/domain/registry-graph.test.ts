import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  type GraphNode,
  type GraphNodes,
  graphProblem,
  MAX_LEAVES,
  MAX_NESTING,
} from "../../../shared/domain/registry-graph.ts";

const composite = (...members: readonly string[]): GraphNode => ({ members, proxyOf: "" });

/** Every way down from a node, by walking all of them; `undefined` when one comes to a node twice. */
function waysDown(
  nodes: GraphNodes,
  slug: string,
  above: readonly string[] = [],
): readonly (readonly string[])[] | undefined {
  if (above.includes(slug)) return undefined;
  const way = [...above, slug];
  const node = nodes.get(slug);
  if (node === undefined || node.proxyOf !== "") return [way];
  const below = node.members.map((member) => waysDown(nodes, member, way));
  return below.some((ways) => ways === undefined) ? undefined : below.flatMap((ways) => ways ?? []);
}

test("a graph is refused exactly when a walk of all ways finds a circle or a way that is too long", () => {
  const slugs = ["a", "b", "c", "d", "e", "f", "g", "h"] as const;
  const members = fc.uniqueArray(fc.constantFrom(...slugs, "s", "t"), { maxLength: 3 });
  fc.assert(
    fc.property(fc.array(members, { minLength: 8, maxLength: 8 }), (lists) => {
      // As changes come: one registry after the other, and what is refused is not there for the next.
      let nodes: GraphNodes = new Map();
      for (const [position, slug] of slugs.entries()) {
        const after = new Map(nodes).set(slug, composite(...(lists[position] ?? [])));
        const ways = [...after.keys()].map((start) => waysDown(after, start));
        const tooDeep = [...after.keys()].some((start) => nestingOf(after, start) > MAX_NESTING);
        const isWrong = ways.includes(undefined) || tooDeep;
        expect(graphProblem(after, slug) !== undefined).toBe(isWrong);
        if (!isWrong) nodes = after;
      }
    }),
    { numRuns: 300 },
  );
});

/** Composites on the longest way down; 0 in a circle, which is refused for itself. */
function nestingOf(nodes: GraphNodes, start: string): number {
  if (waysDown(nodes, start) === undefined) return 0;
  const node = nodes.get(start);
  if (node === undefined) return 0;
  return 1 + Math.max(0, ...node.members.map((member) => nestingOf(nodes, member)));
}

test("composites that all hold each other are looked at once each", () => {
  const nodes = new Map<string, GraphNode>();
  const level = (depth: number) => Array.from({ length: 40 }, (_, at) => `l${depth}-${at}`);
  for (const slug of level(1)) nodes.set(slug, composite("s"));
  for (let depth = 2; depth <= MAX_NESTING; depth++) {
    for (const slug of level(depth)) nodes.set(slug, composite(...level(depth - 1)));
  }
  // 40^5 ways.
  expect(graphProblem(nodes, "l5-0")).toBeUndefined();
  nodes.set("top", composite("l5-0"));
  expect(graphProblem(nodes, "top")).toContain("6 levels");
});

test("registries in the end are counted once each, and proxies as one", () => {
  const sources = Array.from({ length: MAX_LEAVES - 1 }, (_, at) => `s${at}`);
  const nodes = new Map([
    ["p", { members: [], proxyOf: "npmjs" }],
    ["a", composite(...sources, "p")],
    ["b", composite("a", ...sources)],
  ]);
  expect(graphProblem(nodes, "b")).toBeUndefined();
  nodes.set("b", composite("a", "one-more"));
  expect(graphProblem(nodes, "b")).toContain("51 registries");
});
