import { type Context, Hono } from "hono";
import { UnauthenticatedError } from "../errors.ts";
import { ANONYMOUS, actorName, type Caller, type Principal } from "../domain/principal.ts";
import type { Services } from "../services/services.ts";
import { credentialsOf } from "./credentials.ts";
import { answerError, type ErrorRenderer } from "./errors.ts";
import { HotRouter } from "./hot-router.ts";

/** What the server in front of an app knows of a request, and what the app tells it besides the answer. */
export interface RequestContext {
  readonly address: string;
  readonly requestId: string;
  /** For the access log. */
  actor: string;
  /** Set when the client sent HEAD and the app is asked by GET, because the server leaves out the body: {@link isHead}. */
  isHead?: boolean;
  /** Set when the answer's body comes from blob storage, perhaps as a byte stream that takes buffers of the server. */
  isStored?: boolean;
}

export interface AppEnv {
  readonly Bindings: RequestContext;
  readonly Variables: { readonly caller: Caller };
}

export interface AppOptions {
  /** Renders failures in the ecosystem's own shape. */
  readonly errors: ErrorRenderer;
  /**
   * Whom credentials of the protocol's own kind belong to; `undefined` leaves them to the API tokens.
   * Throws {@link UnauthenticatedError} for its own kind when they are wrong or have expired.
   */
  readonly authenticate?: (text: string) => Promise<Principal> | undefined;
  /** The path to route by, for clients that do not encode names as others do. */
  readonly canonicalPath?: (path: string) => string;
  /** The routes of nearly all requests; see {@link HotRouter}. Default: none. */
  readonly hotPaths?: readonly string[];
  /**
   * Paths at which wrong credentials count as none, so that a client whose token has expired, and which sends
   * it everywhere, can still log in. The path is the one routed by.
   */
  readonly allowsWrongCredentials?: (path: string) => boolean;
}

/**
 * The frame that every protocol's app shares: who is asking, rate limits, and failures. Runs unchanged on
 * Lambda, in `entrepot serve` and in tests (`app.request`).
 */
export function createApp(services: Services, options: AppOptions): Hono<AppEnv> {
  const { canonicalPath, hotPaths } = options;
  const app = new Hono<AppEnv>({
    ...(hotPaths === undefined ? {} : { router: new HotRouter(hotPaths) }),
    ...(canonicalPath === undefined
      ? {}
      : { getPath: (request) => canonicalPath(rawPath(request.url)) }),
  });
  app.use(async (c, next) => {
    const { address, requestId } = c.env;
    const known = await authenticate(services, options, c.req.raw.headers, address);
    if (known === undefined && options.allowsWrongCredentials?.(c.req.path) !== true) {
      throw new UnauthenticatedError(
        "This token is not known, has expired or was revoked. Check it, or create a new one.",
      );
    }
    const principal = known ?? ANONYMOUS;
    c.env.actor = actorName(principal);
    c.set("caller", {
      principal,
      address,
      requestId,
      baseUrl: baseUrlOf(c.req.raw, services.options),
    });
    await services.rateLimits.countRequest(principal, address);
    await next();
  });
  app.onError((error, c) => answerError(c, error, options.errors, services.stores.log));
  app.notFound((c) => options.errors.notFound(c));
  return app;
}

/** Whether the bytes of the answer would be thrown away. */
export const isHead = (c: Context<AppEnv>): boolean =>
  c.env.isHead === true || c.req.method === "HEAD";

/** The path of an absolute URL as it was sent, escapes and all. */
function rawPath(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const query = url.indexOf("?", start);
  return start < 0 ? "/" : url.slice(start, query < 0 ? undefined : query);
}

/** `undefined` for wrong credentials, which are counted. */
async function authenticate(
  services: Services,
  options: AppOptions,
  headers: Headers,
  address: string,
): Promise<Principal | undefined> {
  const text = credentialsOf(headers);
  if (text === undefined) return ANONYMOUS;
  const own = options.authenticate?.(text);
  const principal = await (own ?? services.tokens.authenticate(text));
  if (principal === undefined) await services.rateLimits.countWrongCredentials(address);
  return principal;
}

/** Host names and addresses with an optional port: what may stand in links that we write. */
const HOST = /^[A-Za-z0-9.\-_[\]:]{1,255}$/;

/** The origin that the client used, or the configured one. */
export function baseUrlOf(
  request: Request,
  options: { readonly baseUrl?: string; readonly trustProxy: boolean },
): string {
  if (options.baseUrl !== undefined) return options.baseUrl;
  const own = request.url.slice(0, request.url.indexOf("/", request.url.indexOf("://") + 3));
  if (!options.trustProxy) return own;
  const scheme = request.headers.get("x-forwarded-proto") === "https" ? "https" : undefined;
  const host = request.headers.get("x-forwarded-host");
  const [ownScheme = "http", ownHost = ""] = own.split("://");
  return `${scheme ?? ownScheme}://${host !== null && HOST.test(host) ? host : ownHost}`;
}
