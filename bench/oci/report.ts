import { number, table } from "../report.ts";
import { METRICS } from "./loads/load.ts";
import { medianOf, ratioTo, type Sample } from "./samples.ts";
import { SERVER_NAMES } from "./servers.ts";

/** Medians of every case and metric, a column for each server, then ours as a ratio to each peer. */
export function samplesTable(samples: readonly Sample[]): string {
  const peers = SERVER_NAMES.filter((name) => name !== "entrepot");
  const rows = [...new Set(samples.map((sample) => sample.case))].flatMap((label) => {
    const metrics = METRICS.filter((metric) =>
      samples.some((sample) => sample.case === label && sample.metric === metric),
    );
    return metrics.map((metric, position) => [
      position === 0 ? label : "",
      metric,
      ...SERVER_NAMES.map((server) => number(medianOf(samples, server, label, metric))),
      ...peers.map((peer) => number(ratioTo(samples, peer, label, metric))),
    ]);
  });
  return table(["case", "metric", ...SERVER_NAMES, ...peers.map((peer) => `/${peer}`)], rows);
}
