import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { logMetrics } from "@aws-lambda-powertools/metrics/middleware";
import { captureLambdaHandler } from "@aws-lambda-powertools/tracer/middleware";
import withMiddleware from "@middy/core";
import type { Context } from "aws-lambda";
import type { RequestContext } from "../../shared/http/app.ts";
import type { ListingFormats, Services } from "../../shared/services/services.ts";
import { DownloadFlush } from "./download-flush.ts";
import { readEnvironment } from "./environment.ts";
import { edgeResult } from "./edge-error.ts";
import { cameThroughEdge } from "./edge-origin.ts";
import { httpEvent, type HttpEvent, type HttpResult } from "./http-event.ts";
import { addressOf, toRequest } from "./http-request.ts";
import { toResult } from "./http-result.ts";
import { recordRequest } from "./request-metrics.ts";
import { openServices } from "./services.ts";
import { createTelemetry, type Telemetry } from "./telemetry.ts";

/** An answer that says "come back" must leave before Lambda ends the invocation, whose client hears nothing. */
const TIMEOUT_MARGIN_MS = 1000;

/** A protocol's app as a function needs it. */
export interface FunctionApp {
  fetch(request: Request, context: RequestContext): Response | Promise<Response>;
}

export type HttpFunction = (event: unknown, context: Context) => Promise<HttpResult>;

/**
 * The Lambda function of one protocol: its app over the stores of the environment. Stores and app are made at the
 * cold start, outside the handler, so that a failure to start shows as one.
 */
export function createHttpFunction(
  name: string,
  createApp: (services: Services) => FunctionApp,
  listings: ListingFormats = {},
): HttpFunction {
  const environment = readEnvironment(process.env);
  const telemetry = createTelemetry();
  const services = openServices(environment, telemetry, {
    mayDelete: false,
    pace: "request",
    listings,
  });
  const app = createApp(services);
  const downloads = new DownloadFlush(services);
  const { ENTREPOT_EDGE_SECRET: edgeSecret, ENTREPOT_EDGE_ONLY: edgeOnly } = environment;
  const { logger, metrics, tracer } = telemetry;
  /** Writes down the answer of the request under way: the app's, or the one that had to be given instead. */
  let record: (result: HttpResult) => void = () => {};

  const handle = async (given: unknown): Promise<HttpResult> => {
    const startedAt = performance.now();
    const event = httpEvent.parse(given);
    const { requestId } = event.requestContext;
    logger.setCorrelationId(requestId);
    const isThroughEdge = cameThroughEdge(event, edgeSecret);
    const address = addressOf(event, isThroughEdge);
    const context: RequestContext = { requestId, address, actor: "" };
    // Once: what goes on after its time was over must not count as the next request.
    let isRecorded = false;
    const recordOnce = (result: HttpResult): void => {
      if (isRecorded) return;
      isRecorded = true;
      const ms = performance.now() - startedAt;
      recordRequest(telemetry, { protocol: name, event, context, result, ms });
    };
    record = recordOnce;
    const result =
      edgeOnly !== undefined && !isThroughEdge
        ? edgeResult("past-edge", requestId)
        : await answer(app, { event, isThroughEdge }, context, telemetry);
    recordOnce(result);
    telemetry.upstreams.publish();
    await downloads.afterRequest();
    return result;
  };

  return withMiddleware({
    timeoutEarlyInMillis: TIMEOUT_MARGIN_MS,
    timeoutEarlyResponse: () => {
      const result = edgeResult("timeout", logger.getCorrelationId());
      record(result);
      return result;
    },
  })
    .use(injectLambdaContext(logger, { resetKeys: true }))
    .use(logMetrics(metrics))
    .use(captureLambdaHandler(tracer, { captureResponse: false }))
    .handler(handle);
}

/** Never fails: a failure that nobody answers would be missing in the metrics that alarms look at. */
async function answer(
  app: FunctionApp,
  { event, isThroughEdge }: { readonly event: HttpEvent; readonly isThroughEdge: boolean },
  context: RequestContext,
  { log }: Telemetry,
): Promise<HttpResult> {
  const { requestId } = context;
  let request: Request;
  try {
    request = toRequest(event, isThroughEdge);
  } catch {
    return edgeResult("unreadable", requestId);
  }
  try {
    const response = await app.fetch(request, context);
    const result = await toResult(response);
    if (result !== undefined) {
      return { ...result, headers: { ...result.headers, "x-request-id": requestId } };
    }
    log.error("answer.too-large", new Error("an answer does not fit into Lambda's 6 MB"), {
      requestId,
      contentType: response.headers.get("content-type") ?? "",
    });
    return edgeResult("too-large", requestId);
  } catch (error) {
    // Of the body, such as a store that ends in the middle of it: the app has answered by then.
    log.error("answer.failed", error, { requestId });
    return edgeResult("failed", requestId);
  }
}
