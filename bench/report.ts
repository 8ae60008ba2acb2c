import { type Figure, isReached } from "./figures.ts";
import { METRICS } from "./measure/measurement.ts";
import type { OperationCosts } from "./operation-costs.ts";
import { medianOf, ratioOf, type Sample } from "./samples.ts";

const NOTHING = "-";

/** Medians of every case and metric, a column for each server, then ours as a ratio to others. */
export function samplesTable(
  samples: readonly Sample[],
  servers: readonly string[],
  peers: readonly string[],
): string {
  if (samples.length === 0) return "";
  const rows = [...new Set(samples.map((sample) => sample.case))].flatMap((label) => {
    const metrics = METRICS.filter((metric) =>
      samples.some((sample) => sample.case === label && sample.metric === metric),
    );
    return metrics.map((metric, position) => [
      position === 0 ? label : "",
      metric,
      ...servers.map((server) => number(medianOf(samples, server, label, metric))),
      ...peers.map((peer) => number(ratioOf(samples, ["entrepot", peer], label, metric))),
    ]);
  });
  return table(["case", "metric", ...servers, ...peers.map((peer) => `/${peer}`)], rows);
}

/** What each kind of request costs a deployment that pays per call. */
export function operationsTable(operations: readonly OperationCosts[]): string {
  if (operations.length === 0) return "";
  const rows = operations.map(({ request, cpuMs, table: counts, blobs }) => [
    request,
    number(cpuMs),
    String(counts.gets + counts.getManyKeys),
    String(counts.queries),
    String(counts.writes),
    String(counts.ops),
    String(counts.bytesRead),
    String(counts.bytesWritten),
    Object.entries(blobs.operations)
      .map(([operation, count]) => `${count} ${operation}`)
      .join(", ") || NOTHING,
  ]);
  const heads = [
    "request",
    "CPU ms",
    "keys read",
    "queries",
    "writes",
    "ops",
    "bytes read",
    "bytes written",
    "blobs",
  ];
  return table(heads, rows);
}

/** What was promised, and what became of it. */
export function figuresTable(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => {
    const reached = isReached(figure);
    return [
      figure.name,
      `${figure.bound} ${figure.wanted}x`,
      figure.reached === undefined ? NOTHING : `${number(figure.reached)}x`,
      reached === undefined ? "not measured" : reached ? "yes" : "NO",
    ];
  });
  return table(["figure", "to reach", "reached", ""], rows);
}

/** A figure with as many digits as say something. */
export function number(value: number | undefined): string {
  if (value === undefined) return NOTHING;
  if (value >= 100) return Math.round(value).toLocaleString("en-US");
  return value >= 10 ? value.toFixed(1) : value >= 1 ? value.toFixed(2) : value.toFixed(3);
}

/** Rows under their heads, as wide as they need to be. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [heads, ...rows];
  const widths = heads.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => pad(cell, widths[column] ?? 0, column))
      .join("  ")
      .trimEnd();
  return [line(heads), widths.map((width) => "-".repeat(width)).join("  "), ...rows.map(line)].join(
    "\n",
  );
}

/** The first column is text and stands left, the others right. */
const pad = (cell: string, width: number, column: number): string =>
  column === 0 ? cell.padEnd(width) : cell.padStart(width);
