import { createHttpFunction } from "../lambda/http-function.ts";
import { createApiApp } from "./app.ts";
import { createHealthApp } from "./health.ts";

const HEALTH = /^https?:\/\/[^/]+\/(?:healthz|readyz)(?:\?|$)/;

/** `api` on AWS, and what load balancers and people ask for health: see `functions/lambda/http-function.ts`. */
export const handler = createHttpFunction("api", (services) => {
  const api = createApiApp(services);
  const health = createHealthApp(services);
  return {
    fetch: (request, context) =>
      HEALTH.test(request.url) ? health.fetch(request) : api.fetch(request, context),
  };
});
