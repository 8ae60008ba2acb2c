import { drive, type Drive, type DriveResult } from "../../load/drive.ts";
import { cpuMs } from "../../measure/process-usage.ts";
import { quantile } from "../../measure/statistics.ts";
import type { Fixture } from "../fixtures.ts";
import type { OciServer } from "../servers.ts";

/** What is measured, with its unit. The first two are better when higher, the others when lower. */
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
  readonly case: string;
  readonly metric: Metric;
  readonly value: number;
}

export interface Round {
  /** Counted from 0. */
  readonly number: number;
  /** For loads that run for a time. */
  readonly durationMs: number;
  /** Sizes of blobs in bytes. */
  readonly blobBytes: readonly number[];
  /** Bytes of a size that are pushed in parallel at most; more would only measure the disk, for minutes. */
  readonly maxPushBytes: number;
  readonly requests: number;
  readonly tags: number;
}

/** One kind of work, given to one server after the other. */
export interface Load {
  /** Chooses it on the command line. */
  readonly name: string;
  readonly run: (
    server: OciServer,
    fixture: Fixture,
    round: Round,
  ) => Promise<readonly Measurement[]>;
}

/** `1 MB` and the like, for names of cases. */
export const sizeName = (bytes: number): string =>
  bytes >= 1e9 ? `${bytes / 1e9} GB` : `${bytes / 1e6} MB`;

/** Drives a server with requests and gives rate, latency and CPU time for each. */
export async function measureRequests(
  name: string,
  server: OciServer,
  options: Omit<Drive, "port">,
): Promise<readonly Measurement[]> {
  return measure(name, server, () => drive({ ...options, port: server.port }));
}

/** Measures what drives the server in its own way. */
export async function measure(
  name: string,
  server: OciServer,
  run: () => Promise<DriveResult>,
): Promise<readonly Measurement[]> {
  const before = cpuMs(server.pid);
  const { requests, seconds, bodyBytes, latenciesMs } = await run();
  const cpu = cpuMs(server.pid) - before;
  const values: readonly (readonly [Metric, number])[] = [
    ["requests/s", requests / seconds],
    ...(bodyBytes > 1e6 * requests * 0.9 ? [["MB/s", bodyBytes / seconds / 1e6] as const] : []),
    ["p50 ms", quantile(latenciesMs, 0.5)],
    ["p99 ms", quantile(latenciesMs, 0.99)],
    ["CPU ms", cpu / requests],
  ];
  return values.map(([metric, value]) => ({ case: name, metric, value }));
}
