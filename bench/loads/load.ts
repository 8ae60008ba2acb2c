import type { FixtureName } from "../fixtures/seed.ts";
import { drive, type Drive } from "../load/drive.ts";
import { cpuMs } from "../measure/process-usage.ts";
import { quantile } from "../measure/statistics.ts";
import type { BenchServer, ServerName } from "../servers/server.ts";

/** What is measured, with its unit. The first ones are better when higher, the others when lower. */
export const METRICS = [
  "requests/s",
  "MB/s",
  "p50 ms",
  "p99 ms",
  "CPU ms",
  "seconds",
  "MB",
] as const;
export type Metric = (typeof METRICS)[number];

/** One figure of one round. */
export interface Measurement {
  /** What was asked for, such as `packument small abbreviated gzip c8`. */
  readonly case: string;
  readonly metric: Metric;
  readonly value: number;
}

export interface Round {
  /** Counted from 0; loads that create names make new ones in each round. */
  readonly number: number;
  /** For loads that run for a time. */
  readonly durationMs: number;
  /** For loads that run for a number of requests. */
  readonly requests: number;
}

/** One kind of work, given to one server after the other. */
export interface Load {
  /** Chooses it on the command line. */
  readonly name: string;
  readonly fixtures: readonly FixtureName[];
  /** The servers that can do it. */
  readonly servers: readonly ServerName[];
  readonly run: (server: BenchServer, round: Round) => Promise<readonly Measurement[]>;
}

/** Drives a server, after a warm-up where the load lasts for a time, and gives what there is to say: rate, latency, bytes where they matter, and CPU per request. */
export async function measureDrive(
  name: string,
  server: BenchServer,
  options: Omit<Drive, "port">,
): Promise<readonly Measurement[]> {
  const { port } = server;
  const { durationMs } = options;
  // The first requests of a kind run before the server's code for it is compiled.
  if (durationMs !== undefined) await drive({ ...options, port, durationMs: durationMs / 4 });
  const cpuBefore = cpuMs(server.pid);
  const result = await drive({ ...options, port });
  const cpu = cpuMs(server.pid) - cpuBefore;
  const { latenciesMs, requests, seconds, bodyBytes } = result;
  const values: readonly (readonly [Metric, number])[] = [
    ["requests/s", requests / seconds],
    ["MB/s", bodyBytes / seconds / 1e6],
    ["p50 ms", quantile(latenciesMs, 0.5)],
    ["p99 ms", quantile(latenciesMs, 0.99)],
    ["CPU ms", cpu / requests],
  ];
  return values.map(([metric, value]) => ({ case: name, metric, value }));
}
