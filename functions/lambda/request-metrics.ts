import { MetricUnit } from "@aws-lambda-powertools/metrics";
import type { RequestContext } from "../../shared/http/app.ts";
import { logPath } from "../../shared/http/log-path.ts";
import type { HttpEvent, HttpResult } from "./http-event.ts";
import { OPERATIONS, REQUEST_METRICS } from "./metric-names.ts";
import type { Telemetry } from "./telemetry.ts";

/** A request that has its answer. */
export interface AnsweredRequest {
  readonly protocol: string;
  readonly event: HttpEvent;
  readonly context: RequestContext;
  readonly result: HttpResult;
  readonly ms: number;
}

/** Writes the access log's line and the metrics of a request; neither holds names of packages, queries or tokens. */
export function recordRequest({ log, metrics }: Telemetry, answered: AnsweredRequest): void {
  const { protocol, event, context, result, ms } = answered;
  const { method } = event.requestContext.http;
  const { statusCode: status } = result;
  log.info("request", {
    method,
    path: logPath(event.rawPath),
    status,
    ms: Math.round(ms * 1000) / 1000,
    bytes: result.body.length,
    protocol,
    ...context,
  });
  const carriesCredentials = event.headers["authorization"] !== undefined;
  const isRefused = (status === 401 || status === 403) && carriesCredentials;
  // Two sets of one dimension each: alarms look at operations and people at protocols, and CloudWatch bills every
  // combination of values as a metric of its own.
  metrics.addDimensions({ operation: operationOf(method) });
  metrics.addDimensions({ protocol });
  metrics.addMetric(REQUEST_METRICS.requests, MetricUnit.Count, 1);
  metrics.addMetric(REQUEST_METRICS.faults, MetricUnit.Count, status >= 500 ? 1 : 0);
  metrics.addMetric(
    REQUEST_METRICS.throttled,
    MetricUnit.Count,
    status === 429 || status === 503 ? 1 : 0,
  );
  metrics.addMetric(REQUEST_METRICS.authFailures, MetricUnit.Count, isRefused ? 1 : 0);
  metrics.addMetric(REQUEST_METRICS.latency, MetricUnit.Milliseconds, ms);
}

function operationOf(method: string): (typeof OPERATIONS)[number] {
  if (method === "GET" || method === "HEAD") return "pull";
  return method === "POST" || method === "PUT" || method === "PATCH" ? "publish" : "other";
}
