import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Measurement } from "./measure/measurement.ts";
import { describeMachine, machine, reportResult, say } from "./measure/result.ts";
import { runRounds } from "./measure/rounds.ts";
import type { OperationCosts } from "./operation-costs.ts";
import { type BenchOptions, isChosen, parseOptions } from "./options.ts";
import { operationsTable, samplesTable } from "./report.ts";
import type { Sample } from "./samples.ts";

/** A server under measurement: a process of its own on 127.0.0.1. */
interface RunningServer {
  readonly name: string;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

/** How much the loads do; each protocol adds what its own loads need. */
export interface LoadScale {
  /** For loads that run for a time. */
  readonly durationMs: number;
}

/** Counted from 0; loads that create names make new ones in each round. */
interface Numbered {
  readonly number: number;
}

/** One kind of work, given to one server after the other, with what {@link ProtocolBench.seed} gave. */
export interface ProtocolLoad<Server, Scale extends LoadScale, Fixture = void> {
  /** Chooses it on the command line. */
  readonly name: string;
  readonly run: (
    server: Server,
    round: Scale & Numbered,
    fixture: Fixture,
  ) => Promise<readonly Measurement[]>;
}

/** The benchmark of one protocol, ours beside others that speak it. */
export interface ProtocolBench<
  Name extends string,
  Server extends RunningServer,
  Scale extends LoadScale,
  Fixture,
> {
  /** Begins the names of result files. */
  readonly protocol: string;
  readonly loads: readonly ProtocolLoad<Server, Scale, Fixture>[];
  /** In the order of the columns. */
  readonly serverNames: readonly Name[];
  readonly scale: (options: BenchOptions<Name>) => Scale;
  /** `undefined` when its program is not installed. */
  readonly start: (name: Name, folder: string) => Promise<Server | undefined>;
  /** Publishes what the loads that were chosen need. */
  readonly seed: (
    server: Server,
    scale: Scale,
    loads: readonly ProtocolLoad<Server, Scale, Fixture>[],
  ) => Promise<Fixture>;
  readonly measureOperations: (quick: boolean) => Promise<readonly OperationCosts[]>;
  /** More tables, between those that every protocol has. */
  readonly tables?: (samples: readonly Sample[], scale: Scale) => readonly string[];
}

const OPERATIONS = "operations";

/** Runs what the command line asks for, and reports it. @throws {Error} | {TypeError} for what it cannot mean. */
export async function runProtocolBench<
  Name extends string,
  Server extends RunningServer,
  Scale extends LoadScale,
  Fixture,
>(bench: ProtocolBench<Name, Server, Scale, Fixture>): Promise<void> {
  const { protocol, serverNames } = bench;
  const options = parseOptions(process.argv.slice(2), {
    loads: [...bench.loads.map(({ name }) => name), OPERATIONS],
    servers: serverNames,
  });
  const { quick, rounds } = options;
  const scale = bench.scale(options);
  const before = machine();
  say(describeMachine(before));
  const samples = await measureServers(bench, options, scale);
  const operations = isChosen(options, OPERATIONS) ? await bench.measureOperations(quick) : [];
  const result = { round: scale, rounds, before, after: machine(), samples, operations };
  const peers = serverNames.filter((name) => name !== "entrepot");
  await reportResult(`${protocol}-`, result, [
    samplesTable(samples, serverNames, peers),
    ...(samples.length === 0 ? [] : (bench.tables?.(samples, scale) ?? [])),
    operationsTable(operations),
  ]);
}

async function measureServers<
  Name extends string,
  Server extends RunningServer,
  Scale extends LoadScale,
  Fixture,
>(
  bench: ProtocolBench<Name, Server, Scale, Fixture>,
  options: BenchOptions<Name>,
  scale: Scale,
): Promise<readonly Sample[]> {
  const loads = bench.loads.filter(({ name }) => isChosen(options, name));
  if (loads.length === 0) return [];
  const folder = await mkdtemp(join(tmpdir(), `entrepot-bench-${bench.protocol}-`));
  const started: Server[] = [];
  const servers: (Server & { readonly fixture: Fixture })[] = [];
  try {
    for (const name of options.servers) {
      const server = await bench.start(name, folder);
      if (server === undefined) {
        say(`${name} is not installed, and its column stays empty`);
        continue;
      }
      started.push(server);
      const startedAt = performance.now();
      servers.push({ ...server, fixture: await bench.seed(server, scale, loads) });
      const seconds = (performance.now() - startedAt) / 1000;
      say(`${name} has its fixtures, in ${seconds.toFixed(1)} s`);
    }
    return await runRounds(loads, servers, options.rounds, (load, server, number) =>
      load.run(server, { ...scale, number }, server.fixture),
    );
  } finally {
    await Promise.all(started.map((server) => server.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}
