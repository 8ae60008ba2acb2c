import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
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
import { measureOperations } from "./operations.ts";
import { type BenchOptions, parseOptions } from "./options.ts";
import { figuresTable, operationsTable, samplesTable } from "./report.ts";
import type { Sample } from "./samples.ts";
import type { BenchServer } from "./servers/server.ts";
import { startServers, stopServers } from "./servers/start.ts";

const LOADS: readonly Load[] = [
  ...packumentLoads(),
  tarballLoad,
  publishLoad,
  publishIntoLargeLoad,
  installLoad,
];
const RESULTS = join(import.meta.dirname, "results");

const say = (text: string): void => void process.stderr.write(`${text}\n`);

/** Runs every load on every server, one after the other, round after round. */
async function runLoads(
  loads: readonly Load[],
  servers: readonly BenchServer[],
  options: BenchOptions,
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
  options: BenchOptions,
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

const machine = () => ({
  node: process.version,
  cpu: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  loadAverage: loadavg(),
  commit: execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim(),
});

const OPERATIONS = "operations";
const options = parseOptions(process.argv.slice(2));
const names = [...LOADS.map(({ name }) => name), OPERATIONS];
const unknown = options.loads.find((name) => !names.includes(name));
if (unknown !== undefined) {
  throw new Error(`There is no load "${unknown}"; there are ${names.join(", ")}.`);
}
const isChosen = (name: string): boolean =>
  options.loads.length === 0 || options.loads.includes(name);
const loads = LOADS.filter(({ name }) => isChosen(name));
const before = machine();
say(
  `node ${before.node}, ${before.cores} x ${before.cpu}, load average ${before.loadAverage.map((load) => load.toFixed(1)).join(" ")}`,
);
const samples = loads.length === 0 ? [] : await measureServers(loads, options);
const operations = isChosen(OPERATIONS) ? await measureOperations(options.quick) : [];
const figures = checkFigures(samples);
await mkdir(RESULTS, { recursive: true });
const file = join(RESULTS, `${new Date().toISOString().replaceAll(":", "-")}.json`);
const result = { options, before, after: machine(), samples, operations, figures };
await writeFile(file, JSON.stringify(result, undefined, 2));
const tables = [samplesTable(samples), operationsTable(operations), figuresTable(figures)];
process.stdout.write(`${tables.filter((table) => table !== "").join("\n\n")}\n\n${file}\n`);
