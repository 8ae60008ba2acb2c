import type { Services } from "../../shared/services/services.ts";
import { createHttpFunction, type FunctionApp } from "../lambda/http-function.ts";
import { LISTING_FORMATS } from "../listing-formats.ts";
import { createApiApp } from "./app.ts";
import { createHealthApp } from "./health.ts";

const HEALTH = /^https?:\/\/[^/]+\/(?:healthz|readyz)(?:\?|$)/;

/** `api` on AWS, and what load balancers and people ask for health: see `functions/lambda/http-function.ts`. */
export const handler = createHttpFunction("api", createApp, LISTING_FORMATS);

function createApp(services: Services): FunctionApp {
  const api = createApiApp(services);
  const health = createHealthApp(services);
  return {
    fetch: (request, context) =>
      HEALTH.test(request.url) ? health.fetch(request) : api.fetch(request, context),
  };
}
