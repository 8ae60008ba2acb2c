import type { RequestContext } from "../shared/http/app.ts";
import type { Services } from "../shared/services/services.ts";
import { createPlainEdge } from "./edge/plain-edge.ts";
import { OIDC_PATHS } from "./pypi/routes/trusted-publishing.ts";
import { createOciEdge, type EdgeOptions } from "./oci/edge/edge.ts";

/** One wire protocol: a folder of the same name, served under `prefix`. */
export interface Protocol {
  readonly name: string;
  /** First path segments, without a slash at the end. */
  readonly prefix: string;
  /** Whole paths elsewhere, for clients that look there; none when absent. */
  readonly paths?: readonly string[];
  /** The app sees whole paths, prefix included. Its code is loaded by its first request. */
  readonly createApp: CreateApp;
  /** What stands before the app on AWS, where it has something of its own there. */
  readonly createEdge?: (services: Services, options: EdgeOptions, next: Handler) => Handler;
}

/** Answers a request of which the server in front knows `context`. */
export type Handler = (request: Request, context: RequestContext) => Response | Promise<Response>;

/** What answers the requests of a protocol. */
interface App {
  readonly fetch: Handler;
}

type CreateApp = (services: Services) => App;

/** Everything that is served, on every plane: a new protocol is one line here. */
export const PROTOCOLS: readonly Protocol[] = [
  {
    name: "api",
    prefix: "/api/v1",
    createApp: lazily(async () => (await import("./api/app.ts")).createApiApp),
  },
  {
    name: "generic",
    prefix: "/generic",
    createApp: lazily(async () => (await import("./generic/app.ts")).createGenericApp),
    createEdge: createPlainEdge,
  },
  {
    name: "maven",
    prefix: "/maven",
    createApp: lazily(async () => (await import("./maven/app.ts")).createMavenApp),
    createEdge: createPlainEdge,
  },
  {
    name: "npm",
    prefix: "/npm",
    createApp: lazily(async () => (await import("./npm/app.ts")).createNpmApp),
  },
  {
    name: "oci",
    prefix: "/v2",
    createApp: lazily(async () => (await import("./oci/app.ts")).createOciApp),
    createEdge: createOciEdge,
  },
  {
    name: "pypi",
    prefix: "/pypi",
    paths: [OIDC_PATHS.audience, OIDC_PATHS.mint],
    createApp: lazily(async () => (await import("./pypi/app.ts")).createPypiApp),
    createEdge: createPlainEdge,
  },
];

/** Whether a path, without its query, is a protocol's. */
export const serves = ({ prefix, paths = [] }: Protocol, path: string): boolean =>
  path.startsWith(`${prefix}/`) || paths.includes(path);

/**
 * An app that loads its code when it is first asked: most servers have one or two ecosystems, and keep what they
 * load in memory. Requests that come meanwhile wait for the same loading; after one that failed, the next
 * request tries again.
 */
export function lazily(load: () => Promise<CreateApp>): CreateApp {
  return (services) => {
    let app: App | undefined;
    let loading: Promise<App> | undefined;
    const loadApp = async (): Promise<App> => {
      try {
        app = (await load())(services);
        return app;
      } finally {
        loading = undefined;
      }
    };
    return {
      fetch: (request, context) => {
        if (app !== undefined) return app.fetch(request, context);
        loading ??= loadApp();
        return loading.then((loaded) => loaded.fetch(request, context));
      },
    };
  };
}
