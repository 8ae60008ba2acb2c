import type { Hono } from "hono";
import { type AppEnv, createApp } from "../../shared/http/app.ts";
import { methodNotAllowed, PROBLEMS } from "../../shared/http/problems.ts";
import type { Services } from "../../shared/services/services.ts";
import { openApiDocument } from "./document.ts";
import { canonicalApiPath } from "./path.ts";
import { createAuditRoutes } from "./routes/audit.ts";
import { createCacheRoutes } from "./routes/cache.ts";
import { createFileRoutes } from "./routes/files.ts";
import { createIdentityRoutes } from "./routes/identity.ts";
import { createImageRoutes } from "./routes/images.ts";
import { createMaintenanceRoutes } from "./routes/maintenance.ts";
import { createPackageRoutes } from "./routes/packages.ts";
import { createRegistryRoutes } from "./routes/registries.ts";
import { createRoutingRoutes } from "./routes/routing.ts";
import { createTagRoutes } from "./routes/tags.ts";
import { createTokenRoutes } from "./routes/tokens.ts";
import { createUploadRoutes } from "./routes/uploads.ts";
import { createUpstreamRoutes } from "./routes/upstreams.ts";
import { createVersionRoutes } from "./routes/versions.ts";
import { createWebhookDeliveryRoutes } from "./routes/webhook-deliveries.ts";
import { createWebhookRoutes } from "./routes/webhooks.ts";
import { createRouter, guardRequest } from "./validation.ts";

const PREFIX = "/api/v1";

/** The management API, and the OpenAPI document made from the same schemas that check its requests. */
export function createApiApp(services: Services): Hono<AppEnv> {
  const app = createApp(services, { errors: PROBLEMS, canonicalPath: canonicalApiPath });
  app.use(guardRequest);
  const api = createRouter();
  for (const routes of [
    createRegistryRoutes(services),
    createRoutingRoutes(services),
    createCacheRoutes(services),
    createUpstreamRoutes(services),
    createPackageRoutes(services),
    createVersionRoutes(services),
    createFileRoutes(services),
    createImageRoutes(services),
    createTagRoutes(services),
    createTokenRoutes(services),
    createIdentityRoutes(services),
    createUploadRoutes(services),
    createWebhookRoutes(services),
    createWebhookDeliveryRoutes(services),
    createAuditRoutes(services),
    createMaintenanceRoutes(services),
  ]) {
    api.route(PREFIX, routes);
  }
  const document = openApiDocument(api);
  app.route("/", api);
  app.get(`${PREFIX}/openapi.json`, (c) => c.json(document));
  for (const [path, methods] of Object.entries(methodsByPath(document.paths ?? {}))) {
    app.all(path.replaceAll(/\{(\w+)\}/g, ":$1"), (c) => methodNotAllowed(c, methods));
  }
  app.all(`${PREFIX}/openapi.json`, (c) => methodNotAllowed(c, ["GET", "HEAD"]));
  return app;
}

/** What is served at each path of the document, HEAD wherever GET is. */
function methodsByPath(
  paths: Readonly<Record<string, object>>,
): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    Object.entries(paths).map(([path, item]) => {
      const methods = Object.keys(item).map((method) => method.toUpperCase());
      return [path, methods.includes("GET") ? ["HEAD", ...methods] : methods];
    }),
  );
}
