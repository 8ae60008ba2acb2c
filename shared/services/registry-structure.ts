import { setTimeout as sleep } from "node:timers/promises";
import { ConflictError } from "../errors.ts";
import type { GraphNodes } from "../domain/registry-graph.ts";
import { ConditionFailedError, type Table, type WriteOp } from "../ports/table.ts";
import { KeyedLock } from "./keyed-lock.ts";
import {
  registryGraphKey,
  replaceRegistryGraphOp,
  toRegistryGraph,
} from "../records/registry-graph.ts";

/** A change that was found good against what was read. */
export interface StructureChange<T> {
  /** The graph after it. */
  readonly nodes: GraphNodes;
  readonly ops: readonly WriteOp[];
  readonly result: T;
}

/**
 * Reads what it decides by, the given graph excepted, and is called again when something of it changed meanwhile: what
 * its operations are conditional on, it must have looked at.
 */
export type StructureDecision<T> = (nodes: GraphNodes) => Promise<StructureChange<T>>;

/** Against other processes; those of this one wait for each other. */
const ATTEMPTS = 12;
const FIRST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 500;

/**
 * Changes of what hangs on what, one after the other: each is decided against the graph and written in one
 * transaction that fails when the graph is another by then. So two composites cannot name each other at the same
 * moment, and nothing can be deleted while something comes to hang on it.
 */
export class RegistryStructure {
  readonly #table: Table;
  readonly #lock = new KeyedLock();

  constructor(table: Table) {
    this.#table = table;
  }

  /** @throws whatever `decide` throws; {@link ConflictError} when other changes come first again and again. */
  async change<T>(decide: StructureDecision<T>): Promise<T> {
    const attempt = async (): Promise<T> => {
      const graph = toRegistryGraph(await this.#table.get(registryGraphKey));
      const { nodes, ops, result } = await decide(graph.nodes);
      await this.#table.write([replaceRegistryGraphOp(graph, nodes), ...ops]);
      return result;
    };
    return this.#lock.run("graph", () => repeat(attempt));
  }

  /** For what hangs on nothing and nothing comes to hang on: `decide` gets an empty graph, and none is written. */
  async changeAlone<T>(decide: StructureDecision<T>): Promise<T> {
    return repeat(async () => {
      const { ops, result } = await decide(new Map());
      await this.#table.write(ops);
      return result;
    });
  }
}

async function repeat<T>(attempt: () => Promise<T>): Promise<T> {
  for (let attempts = 1; attempts <= ATTEMPTS; attempts++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ConditionFailedError)) throw error;
    }
    await sleep(Math.random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempts));
  }
  throw new ConflictError(
    "Many registries are being changed at the same moment, and this change lost against the others each time. Try again.",
  );
}
