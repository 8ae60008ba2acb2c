import { median } from "../measure/statistics.ts";
import type { Measurement, Metric } from "./loads/load.ts";
import type { ServerName } from "./servers.ts";

/** A measurement of one server in one round. */
export interface Sample extends Measurement {
  readonly server: ServerName;
}

/** The median over the rounds; `undefined` when this was not measured. */
export function medianOf(
  samples: readonly Sample[],
  server: ServerName,
  label: string,
  metric: Metric,
): number | undefined {
  return median(
    samples
      .filter((some) => some.server === server && some.case === label && some.metric === metric)
      .map(({ value }) => value),
  );
}

/** What of ours over what of a peer; `undefined` unless both were measured. */
export function ratioTo(
  samples: readonly Sample[],
  peer: ServerName,
  label: string,
  metric: Metric,
): number | undefined {
  const ours = medianOf(samples, "entrepot", label, metric);
  const theirs = medianOf(samples, peer, label, metric);
  return ours === undefined || theirs === undefined || theirs === 0 ? undefined : ours / theirs;
}
