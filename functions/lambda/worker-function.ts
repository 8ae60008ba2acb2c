import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { logMetrics } from "@aws-lambda-powertools/metrics/middleware";
import { captureLambdaHandler } from "@aws-lambda-powertools/tracer/middleware";
import withMiddleware from "@middy/core";
import type { Context } from "aws-lambda";
import type { ListingFormats, Services } from "../../shared/services/services.ts";
import { EventCarrier } from "../workers/event-carrier.ts";
import { queueClient } from "./clients.ts";
import { type FunctionEnvironment, readEnvironment } from "./environment.ts";
import { WORKER_METRICS } from "./metric-names.ts";
import { SqsQueue } from "./queue.ts";
import { openServices } from "./services.ts";
import { createTelemetry } from "./telemetry.ts";

/** What a worker is made of. */
export interface WorkerParts {
  readonly services: Services;
  readonly carrier: EventCarrier;
  /** Counts something, see {@link WORKER_METRICS}. */
  readonly count: (metric: keyof typeof WORKER_METRICS, value: number) => void;
}

export type WorkerFunction = (event: unknown, context: Context) => Promise<unknown>;

/**
 * The Lambda function of one worker over the stores of the environment. Only `maintenance` may delete objects.
 * `listings`: of the ecosystems that it reads from other registries.
 */
export function createWorkerFunction(
  name: string,
  create: (parts: WorkerParts) => (event: unknown) => Promise<unknown>,
  listings: ListingFormats = {},
): WorkerFunction {
  const environment = readEnvironment(process.env);
  const telemetry = createTelemetry();
  const { logger, metrics, tracer, upstreams } = telemetry;
  const mayDelete = name === "maintenance";
  const services = openServices(environment, telemetry, {
    mayDelete,
    pace: "background",
    listings,
  });
  const carrier = new EventCarrier(services.stores, queuesOf(environment));
  metrics.setDefaultDimensions({ worker: name });
  const run = create({
    services,
    carrier,
    count: (metric, value) => {
      const unit = metric === "taskDuration" ? MetricUnit.Milliseconds : MetricUnit.Count;
      metrics.addMetric(WORKER_METRICS[metric], unit, value);
    },
  });
  return withMiddleware()
    .use(injectLambdaContext(logger, { resetKeys: true }))
    .use(logMetrics(metrics))
    .use(captureLambdaHandler(tracer, { captureResponse: false }))
    .handler(async (event: unknown) => {
      try {
        return await run(event);
      } finally {
        upstreams.publish();
      }
    });
}

function queuesOf(environment: FunctionEnvironment): readonly SqsQueue[] {
  const urls = {
    index: environment.ENTREPOT_INDEX_QUEUE,
    webhooks: environment.ENTREPOT_WEBHOOK_QUEUE,
  };
  const client = queueClient("background");
  return Object.entries(urls).flatMap(([name, url]) =>
    url === undefined ? [] : [new SqsQueue(name, client, url)],
  );
}
