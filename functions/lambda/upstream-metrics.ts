import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import type { UpstreamRead } from "../../shared/services/upstreams/upstream-read.ts";
import { METRICS_NAMESPACE, METRICS_SERVICE, UPSTREAM_METRICS } from "./metric-names.ts";

type Counts = Record<keyof typeof UPSTREAM_METRICS, number>;

const NOTHING: Counts = { requests: 0, failures: 0, stale: 0, cached: 0, bytes: 0 };

/**
 * Counts reads through proxies, all upstreams together: CloudWatch bills every upstream's name as a metric of its own,
 * and the log has them.
 */
export class UpstreamMetrics {
  // Apart from the metrics of requests, each of which is written for two sets of dimensions.
  readonly #metrics = new Metrics({ namespace: METRICS_NAMESPACE, serviceName: METRICS_SERVICE });
  #counts: Counts = { ...NOTHING };

  heard({ outcome, bytes }: UpstreamRead): void {
    this.#counts.bytes += bytes;
    if (outcome === "cached") {
      this.#counts.cached++;
      return;
    }
    this.#counts.requests++;
    if (outcome === "stale") this.#counts.stale++;
    if (outcome === "stale" || outcome === "failed") this.#counts.failures++;
  }

  /** Writes what was counted since the last time; nothing where there was nothing. */
  publish(): void {
    const { requests, cached, failures, stale, bytes } = this.#counts;
    if (requests + cached === 0) return;
    this.#counts = { ...NOTHING };
    this.#metrics.addMetric(UPSTREAM_METRICS.requests, MetricUnit.Count, requests);
    this.#metrics.addMetric(UPSTREAM_METRICS.failures, MetricUnit.Count, failures);
    this.#metrics.addMetric(UPSTREAM_METRICS.stale, MetricUnit.Count, stale);
    this.#metrics.addMetric(UPSTREAM_METRICS.cached, MetricUnit.Count, cached);
    this.#metrics.addMetric(UPSTREAM_METRICS.bytes, MetricUnit.Bytes, bytes);
    this.#metrics.publishStoredMetrics();
  }
}
