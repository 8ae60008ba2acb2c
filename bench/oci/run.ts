import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { residentBytes } from "../measure/process-usage.ts";
import { operationsTable } from "../report.ts";
import { figuresTable } from "./figures.ts";
import { type Fixture, seed } from "./fixtures.ts";
import type { Load, Round } from "./loads/load.ts";
import { manifestPutLoad } from "./loads/manifests.ts";
import { pullLoad } from "./loads/pulls.ts";
import { pushLoad } from "./loads/pushes.ts";
import { readLoad } from "./loads/reads.ts";
import { tagsLoad } from "./loads/tags.ts";
import { measureOperations } from "./operations.ts";
import { samplesTable } from "./report.ts";
import type { Sample } from "./samples.ts";
import { type OciServer, SERVER_NAMES, startServer } from "./servers.ts";

// node bench/oci/run.ts [loads…] [--servers a,b] [--rounds 3] [--seconds 2] [--quick]
const LOADS: readonly Load[] = [readLoad, pullLoad, pushLoad, manifestPutLoad, tagsLoad];
const OPERATIONS = "operations";
const RESULTS = join(import.meta.dirname, "../results");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    servers: { type: "string", default: SERVER_NAMES.join(",") },
    rounds: { type: "string" },
    seconds: { type: "string" },
    /** For trying things out: one short round of small blobs; its figures prove nothing. */
    quick: { type: "boolean", default: false },
  },
});
const { quick } = values;
const rounds = Number(values.rounds ?? (quick ? 1 : 3));
const round: Omit<Round, "number"> = {
  durationMs: Number(values.seconds ?? (quick ? 0.5 : 2)) * 1000,
  blobBytes: quick ? [1e6, 10e6] : [1e6, 100e6, 1e9],
  maxPushBytes: quick ? 100e6 : 1e9,
  requests: quick ? 50 : 300,
  tags: quick ? 500 : 10_000,
};
const known = [...LOADS.map(({ name }) => name), OPERATIONS];
const unknown = positionals.find((name) => !known.includes(name));
if (unknown !== undefined) {
  throw new Error(`There is no load "${unknown}"; there are ${known.join(", ")}.`);
}
const isChosen = (name: string): boolean => positionals.length === 0 || positionals.includes(name);
const names = values.servers.split(",").map((text) => {
  const name = SERVER_NAMES.find((some) => some === text);
  if (name !== undefined) return name;
  throw new Error(`There is no server "${text}"; there are ${SERVER_NAMES.join(", ")}.`);
});
const say = (text: string): void => void process.stderr.write(`${text}\n`);

/** Runs every load on every server, one after the other, round after round. */
async function measureServers(loads: readonly Load[]): Promise<readonly Sample[]> {
  const folder = await mkdtemp(join(tmpdir(), "entrepot-bench-oci-"));
  const servers: OciServer[] = [];
  const samples: Sample[] = [];
  const noteMemory = (label: string): void => {
    for (const { name, pid } of servers) {
      samples.push({ server: name, case: label, metric: "MB", value: residentBytes(pid) / 1e6 });
    }
  };
  try {
    const fixtures = new Map<OciServer, Fixture>();
    for (const name of names) {
      const server = await startServer(name, folder);
      servers.push(server);
      fixtures.set(server, await seed(server, loads.includes(pullLoad) ? round.blobBytes : []));
      say(`${name} has its fixtures`);
    }
    noteMemory("memory after the fixtures");
    for (const load of loads) {
      for (let number = 0; number < rounds; number++) {
        for (const [server, fixture] of fixtures) {
          say(`${load.name}, round ${number + 1}: ${server.name}`);
          const measured = await load.run(server, fixture, { ...round, number });
          samples.push(...measured.map((some) => ({ ...some, server: server.name })));
        }
      }
      noteMemory(`memory after ${load.name}`);
    }
    return samples;
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
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

const before = machine();
const load = before.loadAverage.map((some) => some.toFixed(1)).join(" ");
say(`node ${before.node}, ${before.cores} x ${before.cpu}, load average ${load}`);
const loads = LOADS.filter(({ name }) => isChosen(name));
const samples = loads.length === 0 ? [] : await measureServers(loads);
const operations = isChosen(OPERATIONS) ? await measureOperations(quick ? 10 : 50) : [];
await mkdir(RESULTS, { recursive: true });
const file = join(RESULTS, `oci-${new Date().toISOString().replaceAll(":", "-")}.json`);
const result = { round, rounds, before, after: machine(), samples, operations };
await writeFile(file, JSON.stringify(result, undefined, 2));
const tables = [
  ...(samples.length === 0 ? [] : [samplesTable(samples), figuresTable(samples, round.blobBytes)]),
  ...(operations.length === 0 ? [] : [operationsTable(operations)]),
];
process.stdout.write(`${tables.join("\n\n")}\n\n${file}\n`);
