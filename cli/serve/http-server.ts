import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, IncomingMessage, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { getRequestListener, RequestError } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { RequestContext } from "../../shared/http/app.ts";
import { logPath } from "../../shared/http/log-path.ts";
import type { Log } from "../../shared/ports/log.ts";
import { IdentifiedResponse } from "./identified-response.ts";
import { bodyOf } from "./request-body.ts";
import { ConfigError, type ServeConfig } from "./config.ts";
import type { Metrics } from "./metrics.ts";
import { problem } from "./problem.ts";
import type { Route } from "./router.ts";
import { byteReaderOf, sendBytes } from "./send-bytes.ts";

/** Long names with their escapes fit; a request line that never ends does not. */
const MAX_HEADER_BYTES = 16 * 1024;
/** Headers must arrive within this, and a whole request within its hour. */
const HEADERS_TIMEOUT_MS = 15_000;
const REQUEST_TIMEOUT_MS = 3_600_000;
/** A connection on which nothing moves for this long is closed. */
const IDLE_TIMEOUT_MS = 120_000;
/** Longer than the idle time-out of load balancers (60 s), so that they never use a connection we just closed. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;

const FORWARDED_ID = /^[A-Za-z0-9._-]{8,100}$/;

interface Parts {
  readonly config: ServeConfig;
  readonly route: (path: string) => Route;
  readonly metrics: Metrics;
  readonly log: Log;
}

interface ServerParts extends Parts {
  /** False from when the server was told to stop. */
  readonly isListening: () => boolean;
}

/** Node's HTTP server over the apps: request ids, the access log and metrics, and nothing of any protocol. */
export function createHttpServer(parts: Parts): Server {
  const { config } = parts;
  const options = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    // Two Host lines make no host name then, and are refused (RFC 9112, 3.2).
    joinDuplicateHeaders: true,
    ServerResponse: IdentifiedResponse,
  };
  const handle = createHandler({ ...parts, isListening: () => server.listening });
  const server: Server =
    config.cert === undefined || config.key === undefined
      ? createServer(options, handle)
      : createTlsServer({ ...options, ...readTls(config.cert, config.key) }, handle);
  server.on("checkContinue", (incoming: IncomingMessage, outgoing: IdentifiedResponse) => {
    continueWhenRead(incoming, outgoing);
    handle(incoming, outgoing);
  });
  server.setTimeout(IDLE_TIMEOUT_MS);
  return server;
}

/**
 * RFC 9110, 10.1.1: a client that asks is told to go on only when the body is read, so that one without the right to
 * upload hears of it before gigabytes are sent. Whether it sends them all the same nobody knows, which is why the
 * connection ends then.
 */
function continueWhenRead(incoming: IncomingMessage, outgoing: IdentifiedResponse): void {
  const { shouldKeepAlive } = outgoing;
  outgoing.shouldKeepAlive = false;
  const onListener = (event: string): void => {
    if (event !== "data" && event !== "readable") return;
    incoming.off("newListener", onListener);
    if (outgoing.headersSent) return;
    outgoing.shouldKeepAlive = shouldKeepAlive;
    outgoing.writeContinue();
  };
  incoming.on("newListener", onListener);
}

function readTls(cert: string, key: string): { cert: Buffer; key: Buffer } {
  try {
    return { cert: readFileSync(cert), key: readFileSync(key) };
  } catch (error) {
    throw new ConfigError(
      `The TLS files cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function createHandler(
  parts: ServerParts,
): (incoming: IncomingMessage, outgoing: IdentifiedResponse) => void {
  const listener = getRequestListener(
    async (request, { incoming, outgoing }) => {
      if (!(outgoing instanceof IdentifiedResponse))
        throw new Error("a response of another server");
      const { route, context } = outgoing;
      if (route === undefined) throw new Error("a request that did not arrive");
      if (incoming instanceof IncomingMessage) {
        if (!isPlainBody(incoming)) return problem(501, "Send the body without a transfer coding.");
        takeBody(request, incoming);
      }
      const response = await route.handle(request, context);
      const reader = context.isStored === true ? byteReaderOf(response) : undefined;
      if (reader === undefined) return response;
      await sendBytes(response, reader, outgoing).catch((error: unknown) => {
        parts.log.warn("answer.cut", { requestId: context.requestId, why: String(error) });
      });
      return RESPONSE_ALREADY_SENT;
    },
    // HTTP/1.0 need not send a Host; health checks of load balancers speak it.
    { hostname: "localhost", errorHandler: (error) => internalError(parts.log, error) },
  );
  return (incoming, outgoing) => {
    arrive(parts, incoming, outgoing);
    void listener(incoming, outgoing);
  };
}

/** Whether no more was done to the body than to cut it into chunks, which is undone here (RFC 9112, 6.1). */
const isPlainBody = ({ headers: { "transfer-encoding": coding } }: IncomingMessage): boolean =>
  coding === undefined || coding.toLowerCase() === "chunked";

/** Lets the apps read the body by {@link bodyOf}; `null` where the client sends none, as the standard has it. */
function takeBody(request: Request, incoming: IncomingMessage): void {
  if (incoming.method === "GET" || incoming.method === "HEAD") return;
  const { "content-length": length, "transfer-encoding": encoding } = incoming.headers;
  const isEmpty = encoding === undefined && (length === undefined || length === "0");
  const body = isEmpty ? null : bodyOf(incoming);
  Object.defineProperty(request, "body", { value: body });
}

function arrive(parts: ServerParts, incoming: IncomingMessage, outgoing: IdentifiedResponse): void {
  const startedAt = performance.now();
  const { trustProxy } = parts.config;
  const path = pathOf(incoming.url ?? "/");
  const route = parts.route(path);
  const context: RequestContext = {
    requestId: requestIdOf(incoming, trustProxy),
    address: addressOf(incoming, parts.config),
    actor: "",
  };
  outgoing.route = route;
  outgoing.context = context;
  outgoing.on("close", () => {
    // The client would keep the connection for a next request, and a server that stops would wait for it.
    if (!parts.isListening()) incoming.socket.destroySoon();
    const seconds = (performance.now() - startedAt) / 1000;
    // 499, as nginx has it: the client went away before the answer was sent.
    const status = outgoing.writableFinished ? outgoing.statusCode : 499;
    const { sentBytes } = outgoing;
    const method = incoming.method ?? "";
    parts.metrics.finished({ protocol: route.name, method, status, seconds, sentBytes });
    parts.log.info("request", {
      method,
      path: logPath(path),
      status,
      ms: Math.round(seconds * 1e6) / 1000,
      bytes: sentBytes,
      protocol: route.name,
      requestId: context.requestId,
      address: context.address,
      actor: context.actor,
    });
  });
}

/** For what no app has answered, such as a request line that is no URL. */
function internalError(log: Log, error: unknown): Response {
  if (error instanceof RequestError) {
    return problem(400, "The request cannot be read as HTTP: its URL or Host header is not valid.");
  }
  log.error("request.failed", error);
  return problem(500, "Something went wrong here; the log says more under the request's id.");
}

/**
 * The path as it was sent, also of a whole URL (RFC 9112, 3.2.2); a query may hold secrets of presigned URLs and
 * never reaches the log.
 */
function pathOf(target: string): string {
  const origin = target.startsWith("/") ? 0 : (/^https?:\/\/[^/?#]*/.exec(target)?.[0].length ?? 0);
  const query = target.indexOf("?", origin);
  return target.slice(origin, query < 0 ? undefined : query);
}

function requestIdOf(incoming: IncomingMessage, trustProxy: boolean): string {
  const given = incoming.headers["x-request-id"];
  return trustProxy && typeof given === "string" && FORWARDED_ID.test(given) ? given : randomUUID();
}

/** Each of our own proxies adds the address that it saw to `X-Forwarded-For`; the first of them saw the client. */
function addressOf(
  incoming: IncomingMessage,
  { trustProxy, proxies }: Pick<ServeConfig, "trustProxy" | "proxies">,
): string {
  const forwarded = incoming.headers["x-forwarded-for"];
  if (trustProxy && typeof forwarded === "string") {
    const address = forwarded.split(",").at(-proxies)?.trim();
    if (address !== undefined && address !== "") return address.slice(0, 64);
  }
  return incoming.socket.remoteAddress ?? "";
}
