import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkFigures } from "./figures.ts";
import { installLoad } from "./loads/install.ts";
import type { Load } from "./loads/load.ts";
import { packumentLoads } from "./loads/packuments.ts";
import { publishIntoLargeLoad, publishLoad } from "./loads/publishes.ts";
import { tarballLoad } from "./loads/tarballs.ts";
import {
  idle,
  MEMORY_AFTER_LOAD,
  MEMORY_BEFORE,
  MEMORY_IDLE,
  measureMemory,
} from "./measure/memory.ts";
import { describeMachine, machine, reportResult, say } from "./measure/result.ts";
import { measureOperations } from "./operations.ts";
import { type BenchOptions, isChosen, parseOptions } from "./options.ts";
import { figuresTable, operationsTable, samplesTable } from "./report.ts";
import type { Sample } from "./samples.ts";
import { type BenchServer, SERVER_NAMES, type ServerName } from "./servers/server.ts";
import { startServers, stopServers } from "./servers/start.ts";

const LOADS: readonly Load[] = [
  ...packumentLoads(),
  tarballLoad,
  publishLoad,
  publishIntoLargeLoad,
  installLoad,
];

/** Runs every load on every server, one after the other, round after round. */
async function runLoads(
  loads: readonly Load[],
  servers: readonly BenchServer[],
  options: BenchOptions<ServerName>,
): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  for (const load of loads) {
    for (let number = 0; number < options.rounds; number++) {
      for (const server of servers.filter(({ name }) => load.servers.includes(name))) {
        say(`${load.name}, round ${number + 1}: ${server.name}`);
        const measurements = await load.run(server, { ...options, number });
        samples.push(...measurements.map((some) => ({ ...some, server: server.name })));
      }
    }
  }
  return samples;
}

async function measureServers(
  loads: readonly Load[],
  options: BenchOptions<ServerName>,
): Promise<readonly Sample[]> {
  const folder = await mkdtemp(join(tmpdir(), "entrepot-bench-"));
  const fixtures = [...new Set(loads.flatMap((load) => load.fixtures))];
  const servers = await startServers({ ...options, folder, fixtures, onStep: say });
  const memory = (label: string): readonly Sample[] =>
    servers.map((server) => ({ ...measureMemory(label, server), server: server.name }));
  try {
    const before = memory(MEMORY_BEFORE);
    const samples = await runLoads(loads, servers, options);
    const after = memory(MEMORY_AFTER_LOAD);
    await idle(options.quick);
    return [...samples, ...before, ...after, ...memory(MEMORY_IDLE)];
  } finally {
    await stopServers(servers);
    await rm(folder, { recursive: true, force: true });
  }
}

const OPERATIONS = "operations";
const names = [...LOADS.map(({ name }) => name), OPERATIONS];
const options = parseOptions(process.argv.slice(2), { loads: names, servers: SERVER_NAMES });
const loads = LOADS.filter(({ name }) => isChosen(options, name));
const before = machine();
say(describeMachine(before));
const samples = loads.length === 0 ? [] : await measureServers(loads, options);
const operations = isChosen(options, OPERATIONS) ? await measureOperations(options.quick) : [];
const figures = checkFigures(samples);
await reportResult("", { options, before, after: machine(), samples, operations, figures }, [
  samplesTable(samples, SERVER_NAMES, ["verdaccio", "bare-node"]),
  operationsTable(operations),
  figuresTable(figures),
]);
