import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";
import { Tracer } from "@aws-lambda-powertools/tracer";
import type { Log } from "../../shared/ports/log.ts";
import { METRICS_NAMESPACE, METRICS_SERVICE } from "./metric-names.ts";
import { UpstreamMetrics } from "./upstream-metrics.ts";

/** What a function says of itself: JSON lines in CloudWatch, EMF metrics in the same lines, X-Ray segments. */
export interface Telemetry {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
  readonly upstreams: UpstreamMetrics;
  /** The {@link Logger} as the services know it. */
  readonly log: Log;
}

/** Once per process; `POWERTOOLS_*` variables set level and sampling. */
export function createTelemetry(): Telemetry {
  const logger = new Logger({ serviceName: METRICS_SERVICE });
  return {
    logger,
    metrics: new Metrics({ namespace: METRICS_NAMESPACE, serviceName: METRICS_SERVICE }),
    // Not every HTTPS call: the SDK's clients would be there twice, and presigned URLs hold secrets.
    upstreams: new UpstreamMetrics(),
    tracer: new Tracer({ serviceName: METRICS_SERVICE, captureHTTPsRequests: false }),
    log: {
      info: (event, fields) => logger.info(event, { ...fields }),
      warn: (event, fields) => logger.warn(event, { ...fields }),
      error: (event, error, fields) =>
        logger.error(event, {
          ...fields,
          error: error instanceof Error ? error : new Error(String(error)),
        }),
    },
  };
}
