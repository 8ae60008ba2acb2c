import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BlobCounts } from "../shared/ports/counting-blobs.ts";
import type { TableCounts } from "../shared/ports/counting-table.ts";
import { type Ask, type CountedRegistry, openCountedRegistry } from "./counted-registry.ts";

/** What one kind of request costs, without the server around the apps: what a function on Lambda pays for. */
export interface OperationCosts {
  readonly request: string;
  /** User and system time, the mean of several. */
  readonly cpuMs: number;
  /** Of one request, when the caches of this process are warm. */
  readonly table: TableCounts;
  readonly blobs: BlobCounts;
}

export interface RequestKind {
  readonly name: string;
  /** The request of a turn; turns that publish need a name or version of their own. */
  readonly ask: (turn: number) => Ask | Promise<Ask>;
}

/** Runs the apps in this process over embedded stores that count, and asks each kind of request several times. */
export async function measureKinds(
  turns: number,
  prepare: (registry: CountedRegistry) => Promise<readonly RequestKind[]>,
): Promise<readonly OperationCosts[]> {
  const folder = await mkdtemp(join(tmpdir(), "entrepot-bench-operations-"));
  const registry = await openCountedRegistry(folder);
  try {
    const costs: OperationCosts[] = [];
    for (const kind of await prepare(registry))
      costs.push(await measureKind(registry, kind, turns));
    return costs;
  } finally {
    await registry.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The first request warms the caches, the last is the one that is counted. */
async function measureKind(
  registry: CountedRegistry,
  kind: RequestKind,
  turns: number,
): Promise<OperationCosts> {
  const asks: Ask[] = [];
  for (let turn = 0; turn <= turns; turn++) asks.push(await kind.ask(turn));
  const [first, ...rest] = asks;
  if (first !== undefined) await registry.ask(first);
  const before = process.cpuUsage();
  for (const ask of rest.slice(0, -1)) await registry.ask(ask);
  const { user, system } = process.cpuUsage(before);
  registry.reset();
  for (const ask of rest.slice(-1)) await registry.ask(ask);
  const cpuMs = (user + system) / 1000 / Math.max(1, rest.length - 1);
  return { request: kind.name, cpuMs, ...registry.counts() };
}
