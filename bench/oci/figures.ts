import { table, number } from "../report.ts";
import type { Metric } from "../measure/measurement.ts";
import { ratioOf, type Sample } from "../samples.ts";
import { manifestPutCase } from "./loads/manifests.ts";
import { pullCase } from "./loads/pulls.ts";
import { pushCase } from "./loads/pushes.ts";
import { CONNECTIONS, READS, readCase } from "./loads/reads.ts";

interface Wanted {
  readonly label: string;
  readonly metric: Metric;
  readonly bound: "at least" | "at most" | "more than";
  readonly ratio: number;
}

/** What issue 3 wants to reach beside distribution 3, all of it ratios within one run on one machine. */
function wanted(blobBytes: readonly number[]): readonly Wanted[] {
  const reads = READS.flatMap((read) => CONNECTIONS.map((some) => readCase(read, some)));
  const pushes = blobBytes.flatMap((bytes) => [1, 8].map((some) => pushCase(bytes, some)));
  const pulls = blobBytes.flatMap((bytes) =>
    [1, 8].map((some) => ({ small: bytes <= 1e6, label: pullCase(bytes, some) })),
  );
  return [
    ...reads.map((label) => ({
      label,
      metric: "requests/s" as const,
      bound: "at least" as const,
      ratio: 1.5,
    })),
    { label: manifestPutCase(1), metric: "p50 ms", bound: "at most", ratio: 1 },
    ...pushes.map((label) => ({
      label,
      metric: "MB/s" as const,
      bound: "at least" as const,
      ratio: 1,
    })),
    ...pulls.map(({ small, label }) => ({
      label,
      metric: "MB/s" as const,
      bound: small ? ("more than" as const) : ("at least" as const),
      ratio: small ? 1 : 0.8,
    })),
  ];
}

/** A row for each figure that was measured: what is to be reached, and what became of it. */
export function figuresTable(samples: readonly Sample[], blobBytes: readonly number[]): string {
  const rows = wanted(blobBytes).flatMap(({ label, metric, bound, ratio }) => {
    const reached = ratioOf(samples, ["entrepot", "distribution"], label, metric);
    if (reached === undefined) return [];
    const isReached =
      bound === "at most"
        ? reached <= ratio
        : bound === "at least"
          ? reached >= ratio
          : reached > ratio;
    const verdict = isReached ? "yes" : "NO";
    return [[`${label}, ${metric}`, `${bound} ${ratio}x`, `${number(reached)}x`, verdict]];
  });
  return table(["beside distribution 3", "to reach", "reached", ""], rows);
}
