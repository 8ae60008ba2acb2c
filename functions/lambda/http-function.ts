import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import { logMetrics } from "@aws-lambda-powertools/metrics/middleware";
import { captureLambdaHandler } from "@aws-lambda-powertools/tracer/middleware";
import withMiddleware from "@middy/core";
import type { Context } from "aws-lambda";
import type { RequestContext } from "../../shared/http/app.ts";
import type { Services } from "../../shared/services/services.ts";
import { DownloadFlush } from "./download-flush.ts";
import { readEnvironment } from "./environment.ts";
import { edgeResult } from "./edge-error.ts";
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
): HttpFunction {
  const environment = readEnvironment(process.env);
  const telemetry = createTelemetry();
  const services = openServices(environment, telemetry.log, { mayDelete: false, pace: "request" });
  const app = createApp(services);
  const downloads = new DownloadFlush(services);
  const isBehindEdge = environment.ENTREPOT_EDGE !== undefined;
  const { logger, metrics, tracer } = telemetry;

  const handle = async (given: unknown): Promise<HttpResult> => {
    const startedAt = performance.now();
    const event = httpEvent.parse(given);
    const { requestId } = event.requestContext;
    logger.setCorrelationId(requestId);
    const context: RequestContext = {
      requestId,
      address: addressOf(event, isBehindEdge),
      actor: "",
    };
    const result = await answer(app, event, context, telemetry);
    recordRequest(telemetry, {
      protocol: name,
      event,
      context,
      result,
      ms: performance.now() - startedAt,
    });
    await downloads.afterRequest();
    return result;
  };

  return withMiddleware({
    timeoutEarlyInMillis: TIMEOUT_MARGIN_MS,
    timeoutEarlyResponse: () => edgeResult("timeout", logger.getCorrelationId()),
  })
    .use(injectLambdaContext(logger, { resetKeys: true }))
    .use(logMetrics(metrics))
    .use(captureLambdaHandler(tracer, { captureResponse: false }))
    .handler(handle);
}

async function answer(
  app: FunctionApp,
  event: HttpEvent,
  context: RequestContext,
  { log }: Telemetry,
): Promise<HttpResult> {
  const { requestId } = context;
  let request: Request;
  try {
    request = toRequest(event);
  } catch {
    return edgeResult("unreadable", requestId);
  }
  const response = await app.fetch(request, context);
  const result = await toResult(response);
  if (result === undefined) {
    log.error("answer.too-large", new Error("an answer does not fit into Lambda's 6 MB"), {
      requestId,
      contentType: response.headers.get("content-type") ?? "",
    });
    return edgeResult("too-large", requestId);
  }
  return { ...result, headers: { ...result.headers, "x-request-id": requestId } };
}
