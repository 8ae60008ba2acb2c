import type { DriveResult } from "../load/drive.ts";
import { cpuMs } from "./process-usage.ts";
import { quantile } from "./statistics.ts";

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
  /** What was asked for, such as `packument small abbreviated gzip c8`. */
  readonly case: string;
  readonly metric: Metric;
  readonly value: number;
}

/** Answers smaller than this say nothing of a server's throughput in bytes. */
const LARGE_BYTES = 0.9e6;

/** Rate, latency and CPU time for each request of what drives a process, and bytes where they matter. */
export async function measure(
  label: string,
  pid: number,
  run: () => Promise<DriveResult>,
): Promise<readonly Measurement[]> {
  const before = cpuMs(pid);
  const { requests, seconds, bodyBytes, latenciesMs } = await run();
  const cpu = cpuMs(pid) - before;
  const values: readonly (readonly [Metric, number])[] = [
    ["requests/s", requests / seconds],
    ...(bodyBytes > LARGE_BYTES * requests ? [["MB/s", bodyBytes / seconds / 1e6] as const] : []),
    ["p50 ms", quantile(latenciesMs, 0.5)],
    ["p99 ms", quantile(latenciesMs, 0.99)],
    ["CPU ms", cpu / requests],
  ];
  return values.map(([metric, value]) => ({ case: label, metric, value }));
}
