import { join } from "node:path";
import { type FixtureName, packagesOf, seed, tarballsOf } from "../fixtures/seed.ts";
import { saveAnswers } from "./answers.ts";
import { startBareNode } from "./bare-node.ts";
import { startEntrepot } from "./entrepot.ts";
import { findNginx, startNginx } from "./nginx.ts";
import type { BenchServer, ServerName } from "./server.ts";
import { startVerdaccio } from "./verdaccio.ts";

/** What the loads will ask for, and where servers may keep it. */
export interface Plan {
  readonly servers: readonly ServerName[];
  readonly fixtures: readonly FixtureName[];
  readonly folder: string;
  readonly quick: boolean;
  /** Hears of each step. */
  readonly onStep: (text: string) => void;
}

/**
 * Starts the servers of a plan and publishes its fixtures into the registries among them. The servers that only
 * repeat answers repeat those of the first registry. Servers that were started are stopped when a later one fails.
 */
export async function startServers(plan: Plan): Promise<readonly BenchServer[]> {
  const started: BenchServer[] = [];
  try {
    for (const server of plan.servers) {
      plan.onStep(`starting ${server}`);
      const running = await startOne(server, plan, started);
      if (running !== undefined) started.push(running);
    }
    return started;
  } catch (error) {
    await stopServers(started);
    throw error;
  }
}

/** Stops them all. */
export async function stopServers(servers: readonly BenchServer[]): Promise<void> {
  await Promise.all(servers.map((server) => server.stop()));
}

async function startOne(
  name: ServerName,
  plan: Plan,
  started: readonly BenchServer[],
): Promise<BenchServer | undefined> {
  if (name === "entrepot") return seeded(await startEntrepot(plan.folder), plan);
  if (name === "verdaccio") return seeded(await startVerdaccio(plan.folder), plan);
  const [reference] = started;
  if (reference === undefined)
    throw new Error(`${name} repeats the answers of a registry: choose one`);
  const answers = join(plan.folder, "answers");
  await saveAnswers(
    reference,
    plan.fixtures.flatMap(packagesOf),
    plan.fixtures.flatMap(tarballsOf),
    answers,
  );
  if (name === "bare-node") return startBareNode(plan.folder, answers);
  const program = findNginx();
  if (program === undefined) {
    plan.onStep("nginx is not installed: its column stays empty");
    return undefined;
  }
  return startNginx(program, plan.folder, answers);
}

async function seeded(server: BenchServer, plan: Plan): Promise<BenchServer> {
  try {
    for (const fixture of plan.fixtures) {
      const startedAt = performance.now();
      await seed(server, fixture, plan.quick);
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      plan.onStep(`${server.name}: published fixture ${fixture} in ${seconds} s`);
    }
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}
