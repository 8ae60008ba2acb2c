import type { Hono } from "hono";
import type { RequestContext } from "../../shared/http/app.ts";
import type { Services } from "../../shared/services/services.ts";
import { createHealthApp } from "../../functions/api/health.ts";
import { INLINE_LIMIT_BYTES } from "../../functions/lambda/limits.ts";
import { type Handler, PROTOCOLS, serves } from "../../functions/protocols.ts";
import type { ServeConfig } from "./config.ts";
import { withLambdaLimits } from "./lambda-limits.ts";
import { landingPage } from "./landing-page.ts";
import type { Metrics } from "./metrics.ts";
import { problem } from "./problem.ts";

/** Where a path leads. `name` stands in metrics and logs. */
export interface Route {
  readonly name: string;
  readonly handle: Handler;
}

/** Chooses the app for a path by its beginning; everything else is the apps' own affair. */
export function createRouter(
  services: Services,
  blobRoutes: Hono | undefined,
  metrics: Metrics,
  config: Pick<ServeConfig, "limits">,
): (path: string) => Route {
  const limited = (handle: Handler): Handler =>
    config.limits === "lambda" ? withLambdaLimits(handle) : handle;
  const edgeOptions = { inlineLimitBytes: config.limits === "lambda" ? INLINE_LIMIT_BYTES : 0 };
  const health = createHealthApp(services);
  const routes: readonly (Route & { readonly takes: (path: string) => boolean })[] = [
    ...PROTOCOLS.map((protocol) => {
      const { name, createApp, createEdge } = protocol;
      const app = createApp(services);
      const behind = limited((request, context) => app.fetch(asGet(request, context), context));
      const handle = createEdge?.(services, edgeOptions, behind) ?? behind;
      return { name, takes: (path: string) => serves(protocol, path), handle };
    }),
    // Blob storage answers these on AWS, so the limits of functions do not apply.
    ...(blobRoutes === undefined
      ? []
      : [
          {
            name: "blobs",
            takes: (path: string) => path.startsWith("/_blobs/"),
            handle: (request: Request) => blobRoutes.fetch(request),
          },
        ]),
  ];
  const exact = new Map<string, Route>([
    ["/", { name: "home", handle: readOnly(() => landingPage()) }],
    ["/metrics", { name: "metrics", handle: readOnly(() => metrics.render()) }],
    ["/healthz", { name: "health", handle: readOnly((request) => health.fetch(request)) }],
    ["/readyz", { name: "health", handle: readOnly((request) => health.fetch(request)) }],
  ]);
  const nowhere: Route = { name: "none", handle: notFound };
  return (path) => routes.find(({ takes }) => takes(path)) ?? exact.get(path) ?? nowhere;
}

/**
 * Hono answers HEAD with a copy of the answer to GET, and copying the headers takes a quarter of the work of a
 * blob's HEAD. Node leaves out the body by itself.
 */
function asGet(request: Request, context: RequestContext): Request {
  if (request.method !== "HEAD") return request;
  context.isHead = true;
  return Object.defineProperty(request, "method", { value: "GET" });
}

function readOnly(handle: Handler): Handler {
  return (request, context) =>
    request.method === "GET" || request.method === "HEAD"
      ? handle(request, context)
      : problem(405, "This can only be read: use GET or HEAD.", { allow: "GET, HEAD" });
}

const notFound = (): Response =>
  problem(
    404,
    "Nothing is served here. Registries are under /npm/<registry>/, /generic/<registry>/, /v2/<registry>/, /pypi/<registry>/simple/ and /maven/<registry>/, the API under /api/v1/.",
  );
