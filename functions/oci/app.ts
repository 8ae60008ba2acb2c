import type { Context, Hono } from "hono";
import { UnauthenticatedError } from "../../shared/errors.ts";
import { type AppEnv, createApp } from "../../shared/http/app.ts";
import type { Services } from "../../shared/services/services.ts";
import { createOciErrors, noRoute } from "./errors.ts";
import { ImageViews } from "./image-views.ts";
import { API_VERSION, API_VERSION_HEADER } from "./api-version.ts";
import { Manifests } from "./manifests.ts";
import { type OciPath, parseOciPath } from "./path.ts";
import { deleteBlob, getBlob } from "./routes/blobs.ts";
import { getCatalog, getReferrers, getTags } from "./routes/lists.ts";
import { deleteManifest, getManifest, putManifest } from "./routes/manifests.ts";
import { getToken, postToken } from "./routes/token.ts";
import { cancelUpload, getUpload, patchUpload, putUpload, startUpload } from "./routes/uploads.ts";
import { OciTokens } from "./tokens.ts";

type Handler = () => Promise<Response>;
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;
/** By method; GET answers HEAD too. */
type Handlers = Readonly<Partial<Record<(typeof METHODS)[number], Handler>>>;

/**
 * `/v2/<registry>/<image…>`: the OCI Distribution Specification 1.1, https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md.
 * Not a table of path patterns: an image has any number of components, so paths are read from their end.
 */
export function createOciApp(services: Services): Hono<AppEnv> {
  const tokens = new OciTokens(services);
  const manifests = new Manifests(services);
  const views = new ImageViews(services, manifests);
  const app = createApp(services, {
    errors: createOciErrors(services.options),
    canonicalPath: (path) => path,
    authenticate: (text) => tokens.authenticate(text),
  });
  app.all("*", async (c) => {
    const path = parseOciPath(c.req.path);
    const handlers = handlersOf(c, path);
    if (handlers === undefined) return noRoute(c);
    const asked = c.req.method === "HEAD" ? "GET" : c.req.method;
    const method = METHODS.find((name) => name === asked);
    const handler = method && handlers[method];
    if (handler === undefined) return noRoute(c, Object.keys(handlers));
    const response = await handler();
    const saysVersion = method === "GET" && (path.kind === "manifest" || path.kind === "blob");
    if (!saysVersion) response.headers.set(API_VERSION_HEADER, API_VERSION);
    return response;
  });
  return app;

  function handlersOf(c: Context<AppEnv>, path: OciPath): Handlers | undefined {
    switch (path.kind) {
      case "ping":
        return { GET: async () => ping(c) };
      case "token":
        return {
          GET: () => getToken(c, tokens, services),
          POST: () => postToken(c, tokens, services),
        };
      case "catalog":
        return { GET: () => getCatalog(c, services) };
      case "tags":
        return { GET: () => getTags(c, services, views, path) };
      case "referrers":
        return { GET: () => getReferrers(c, services, views, path) };
      case "manifest":
        return {
          GET: () => getManifest(c, services, views, path),
          PUT: () => putManifest(c, services, manifests, path),
          DELETE: () => deleteManifest(c, services, path),
        };
      case "blob":
        return {
          GET: () => getBlob(c, services, views, path),
          DELETE: () => deleteBlob(c, services, path),
        };
      case "start-upload":
        return { POST: () => startUpload(c, services, path) };
      case "upload":
        return {
          GET: () => getUpload(c, services, path),
          PATCH: () => patchUpload(c, services, path),
          PUT: () => putUpload(c, services, path),
          DELETE: () => cancelUpload(c, services, path),
        };
      default:
        return undefined;
    }
  }
}

/**
 * Clients ask here first, and send no credentials later when they were let in without. So a client without any
 * gets the challenge, even where public registries would serve it; an anonymous token is enough.
 */
function ping(c: Context<AppEnv>): Response {
  if (c.req.header("authorization") === undefined) throw new UnauthenticatedError();
  return c.json({});
}
