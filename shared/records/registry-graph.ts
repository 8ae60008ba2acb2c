import type { GraphNode, GraphNodes, RegistryGraph } from "../domain/registry-graph.ts";
import type { Item, Key, PutOp } from "../ports/table.ts";
import { number, strings } from "./attributes.ts";

/** One row for the whole deployment: what must be decided together is read and written together. */
export const registryGraphKey: Key = { pk: "REGISTRY-GRAPH", sk: "GRAPH" };

// A node is one text, `slug upstream member,member`: none of the names holds a space or a comma.
const toLine = ([slug, { proxyOf, members }]: readonly [string, GraphNode]): string =>
  `${slug} ${proxyOf} ${members.join(",")}`;

function fromLine(line: string): readonly [string, GraphNode] {
  const [slug = "", proxyOf = "", members = ""] = line.split(" ");
  return [slug, { proxyOf, members: members.split(",").filter((member) => member !== "") }];
}

/** An absent row is an empty graph. */
export function toRegistryGraph(item: Item | undefined): RegistryGraph {
  if (item === undefined) return { revision: 0, nodes: new Map() };
  return {
    revision: number(item, "revision"),
    nodes: new Map(strings(item, "nodes").map(fromLine)),
  };
}

/** Fails when the graph was changed since `before` was read. */
export const replaceRegistryGraphOp = (before: RegistryGraph, nodes: GraphNodes): PutOp => ({
  op: "put",
  item: {
    key: registryGraphKey,
    attributes: { revision: before.revision + 1, nodes: [...nodes].map(toLine) },
  },
  conditions: [
    before.revision === 0
      ? { kind: "absent" }
      : { kind: "equals", attribute: "revision", value: before.revision },
  ],
});
