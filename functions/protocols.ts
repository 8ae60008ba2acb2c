import type { Hono } from "hono";
import type { AppEnv, RequestContext } from "../shared/http/app.ts";
import type { Services } from "../shared/services/services.ts";
import { createApiApp } from "./api/app.ts";
import { createPlainEdge } from "./edge/plain-edge.ts";
import { createGenericApp } from "./generic/app.ts";
import { createMavenApp } from "./maven/app.ts";
import { createNpmApp } from "./npm/app.ts";
import { createOciApp } from "./oci/app.ts";
import { createPypiApp } from "./pypi/app.ts";
import { OIDC_PATHS } from "./pypi/routes/trusted-publishing.ts";
import { createOciEdge, type EdgeOptions } from "./oci/edge/edge.ts";

/** One wire protocol: a folder of the same name, served under `prefix`. */
export interface Protocol {
  readonly name: string;
  /** First path segments, without a slash at the end. */
  readonly prefix: string;
  /** Whole paths elsewhere, for clients that look there; none when absent. */
  readonly paths?: readonly string[];
  /** The app sees whole paths, prefix included. */
  readonly createApp: (services: Services) => Hono<AppEnv>;
  /** What stands before the app on AWS, where it has something of its own there. */
  readonly createEdge?: (services: Services, options: EdgeOptions, next: Handler) => Handler;
}

/** Answers a request of which the server in front knows `context`. */
export type Handler = (request: Request, context: RequestContext) => Response | Promise<Response>;

/** Everything that is served, on every plane: a new protocol is one line here. */
export const PROTOCOLS: readonly Protocol[] = [
  { name: "api", prefix: "/api/v1", createApp: createApiApp },
  { name: "generic", prefix: "/generic", createApp: createGenericApp, createEdge: createPlainEdge },
  { name: "maven", prefix: "/maven", createApp: createMavenApp, createEdge: createPlainEdge },
  { name: "npm", prefix: "/npm", createApp: createNpmApp },
  { name: "oci", prefix: "/v2", createApp: createOciApp, createEdge: createOciEdge },
  {
    name: "pypi",
    prefix: "/pypi",
    paths: [OIDC_PATHS.audience, OIDC_PATHS.mint],
    createApp: createPypiApp,
    createEdge: createPlainEdge,
  },
];

/** Whether a path, without its query, is a protocol's. */
export const serves = ({ prefix, paths = [] }: Protocol, path: string): boolean =>
  path.startsWith(`${prefix}/`) || paths.includes(path);
