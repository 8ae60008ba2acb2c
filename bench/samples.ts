import type { Measurement, Metric } from "./measure/measurement.ts";
import { median } from "./measure/statistics.ts";

/** A measurement of one server in one round. */
export interface Sample extends Measurement {
  readonly server: string;
}

/** The median over the rounds; `undefined` when this was not measured. */
export function medianOf(
  samples: readonly Sample[],
  server: string,
  label: string,
  metric: Metric,
): number | undefined {
  return median(
    samples
      .filter((some) => some.server === server && some.case === label && some.metric === metric)
      .map(({ value }) => value),
  );
}

/** What of one server over what of another; `undefined` unless both were measured. */
export function ratioOf(
  samples: readonly Sample[],
  [over, under]: readonly [string, string],
  label: string,
  metric: Metric,
): number | undefined {
  const a = medianOf(samples, over, label, metric);
  const b = medianOf(samples, under, label, metric);
  return a === undefined || b === undefined || b === 0 ? undefined : a / b;
}
