import { Duration } from "aws-cdk-lib";
import { type IMetric, MathExpression, Metric } from "aws-cdk-lib/aws-cloudwatch";
import {
  METRICS_NAMESPACE,
  METRICS_SERVICE,
  OPERATIONS,
  REQUEST_METRICS,
  UPSTREAM_METRICS,
  WORKER_METRICS,
} from "../../functions/lambda/metric-names.ts";

export type Operation = (typeof OPERATIONS)[number];
type RequestMetric = keyof typeof REQUEST_METRICS;

interface Looked {
  readonly minutes: number;
  /** `Sum` by default. */
  readonly statistic?: string;
  readonly label?: string;
}

/** A metric of requests of one operation, all protocols together. */
export const byOperation = (name: RequestMetric, operation: Operation, looked: Looked): Metric =>
  metric(REQUEST_METRICS[name], { operation }, looked);

/** A metric of requests of one protocol, all operations together. */
export const byProtocol = (name: RequestMetric, protocol: string, looked: Looked): Metric =>
  metric(REQUEST_METRICS[name], { protocol }, looked);

/** A metric of a worker. */
export const byWorker = (
  name: keyof typeof WORKER_METRICS,
  worker: string,
  looked: Looked,
): Metric => metric(WORKER_METRICS[name], { worker }, looked);

/** A metric of reads through proxies. */
export const ofUpstreams = (name: keyof typeof UPSTREAM_METRICS, looked: Looked): Metric =>
  metric(UPSTREAM_METRICS[name], {}, looked);

/** The share of questions to upstreams that had no answer, 0 to 1; 0 where there were few. */
export function upstreamFailureShare(minutes: number, leastFailures = 0): MathExpression {
  return new MathExpression({
    expression: `IF(failures >= ${leastFailures} AND requests > 0, failures / requests, 0)`,
    usingMetrics: {
      failures: ofUpstreams("failures", { minutes }),
      requests: ofUpstreams("requests", { minutes }),
    },
    period: Duration.minutes(minutes),
    label: "upstream failures",
  });
}

/** The share of requests of an operation that were answered with 500 and more, 0 to 1; 0 where there were few. */
export function failureShare(
  operation: Operation,
  minutes: number,
  leastFailures = 0,
): MathExpression {
  return new MathExpression({
    expression: `IF(faults >= ${leastFailures} AND requests > 0, faults / requests, 0)`,
    usingMetrics: {
      faults: byOperation("faults", operation, { minutes }),
      requests: byOperation("requests", operation, { minutes }),
    },
    period: Duration.minutes(minutes),
    label: `${operation} failures`,
  });
}

/** Percent of the requests of an operation that succeeded; without requests there is no point. */
export function successPercent(operation: Operation, minutes: number): MathExpression {
  return new MathExpression({
    expression: "100 * (1 - faults / requests)",
    usingMetrics: {
      faults: byOperation("faults", operation, { minutes }),
      requests: byOperation("requests", operation, { minutes }),
    },
    period: Duration.minutes(minutes),
    label: `${operation} success %`,
  });
}

/** Deletions are too few to change a share, and every metric of an alarm is paid for. */
const COUNTED = ["pull", "publish"] as const satisfies readonly Operation[];

/** The share of requests that carried credentials and were refused, 0 to 1. */
export function authFailureShare(minutes: number, leastFailures = 0): MathExpression {
  const metrics = COUNTED.flatMap((operation): [string, IMetric][] => [
    [`refused_${operation}`, byOperation("authFailures", operation, { minutes })],
    [`requests_${operation}`, byOperation("requests", operation, { minutes })],
  ]);
  const sum = (name: string): string =>
    `(${COUNTED.map((operation) => `FILL(${name}_${operation}, 0)`).join(" + ")})`;
  return new MathExpression({
    expression: `IF(${sum("refused")} >= ${leastFailures} AND ${sum("requests")} > 0, ${sum("refused")} / ${sum("requests")}, 0)`,
    usingMetrics: Object.fromEntries(metrics),
    period: Duration.minutes(minutes),
    label: "authentication failures",
  });
}

function metric(
  metricName: string,
  dimensions: Readonly<Record<string, string>>,
  { minutes, statistic = "Sum", label }: Looked,
): Metric {
  return new Metric({
    namespace: METRICS_NAMESPACE,
    metricName,
    dimensionsMap: { service: METRICS_SERVICE, ...dimensions },
    statistic,
    period: Duration.minutes(minutes),
    ...(label === undefined ? {} : { label }),
  });
}
