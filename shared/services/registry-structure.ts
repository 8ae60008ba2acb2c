import { setTimeout as sleep } from "node:timers/promises";
import { ConflictError } from "../errors.ts";
import type { GraphNodes, RegistryGraph } from "../domain/registry-graph.ts";
import { ConditionFailedError, type Table, type WriteOp } from "../ports/table.ts";
import {
  registryGraphKey,
  replaceRegistryGraphOp,
  toRegistryGraph,
} from "../records/registry-graph.ts";

/** A change that was found good against the graph as it was read. */
export interface StructureChange<T> {
  /** The graph after it. */
  readonly nodes: GraphNodes;
  readonly ops: readonly WriteOp[];
  readonly result: T;
}

const ATTEMPTS = 10;
const MAX_WAIT_MS = 100;

/**
 * Changes of what hangs on what, one after the other: each is decided against the graph and written in one
 * transaction that fails when the graph is another by then. So two composites cannot name each other at the same
 * moment, and nothing can be deleted while something comes to hang on it.
 */
export class RegistryStructure {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /**
   * `decide` is called again with a newer graph when another change came first; it must read what it decides by
   * inside of the call.
   *
   * @throws {ConditionFailedError} when only conditions of `ops` failed, and whatever `decide` throws;
   *   {@link ConflictError} when other changes come first again and again.
   */
  async change<T>(decide: (graph: RegistryGraph) => Promise<StructureChange<T>>): Promise<T> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const graph = toRegistryGraph(await this.#table.get(registryGraphKey));
      const { nodes, ops, result } = await decide(graph);
      try {
        await this.#table.write([replaceRegistryGraphOp(graph, nodes), ...ops]);
        return result;
      } catch (error) {
        const lost = error instanceof ConditionFailedError && error.failedOps.includes(0);
        if (!lost) throw error;
      }
      await sleep(Math.random() * MAX_WAIT_MS);
    }
    throw new ConflictError(
      "Many registries are being changed at the same moment, and this change lost against the others each time. Try again.",
    );
  }
}
