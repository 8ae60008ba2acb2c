import type { Server } from "node:http";
import { ECOSYSTEM_FACTORIES } from "../../functions/ecosystems.ts";
import { LISTING_FORMATS } from "../../functions/listing-formats.ts";
import { INLINE_LIMIT_BYTES, MAX_UPLOAD_BYTES } from "../../functions/lambda/limits.ts";
import { SignedRegistryTokens } from "../../shared/adapters/aws/signed-registry-tokens.ts";
import { NodeOutboundHttp } from "../../shared/adapters/http/node-outbound-http.ts";
import type { Stores } from "../../shared/services/stores.ts";
import { createServices } from "../../shared/services/services.ts";
import { findAwsCredentials } from "../aws-credentials.ts";
import { Background } from "./background.ts";
import { banner } from "./banner.ts";
import { ConfigError, loadConfig, type ServeConfig } from "./config.ts";
import type { ServeFlags } from "./flags.ts";
import type { Home } from "./home.ts";
import { createHttpServer } from "./http-server.ts";
import { openLocalHome } from "./local-home.ts";
import { createLogger, type Logger } from "./logger.ts";
import { enableScavenges } from "./memory.ts";
import { Metrics } from "./metrics.ts";
import { createRouter } from "./router.ts";

/** How long requests in flight may take to finish once the server was told to stop. */
const DRAIN_MS = 30_000;

/** A running registry. */
export interface Running {
  /** Origin, without a slash at the end. */
  readonly url: string;
  /** Where it keeps everything, in words. */
  readonly place: string;
  /** Text of the first admin token of an empty data folder; shown this once. */
  readonly firstAdminToken: string | undefined;
  /** Finishes the requests in flight, then closes the stores. */
  stop(): Promise<void>;
}

/** `entrepot serve`: runs until SIGINT or SIGTERM. @throws {ConfigError} */
export async function runServe(flags: ServeFlags): Promise<void> {
  const config = loadConfig(flags, process.env);
  enableScavenges();
  const logger = await createLogger(config);
  const running = await startServer(config, logger);
  process.stdout.write(banner(config, running));
  await new Promise<void>((resolve) => {
    process.once("SIGINT", () => resolve());
    process.once("SIGTERM", () => resolve());
  });
  logger.info("server.stopping", {});
  await running.stop();
  logger.info("server.stopped", {});
  logger.flush();
  // Nothing is open any more but, perhaps, a log that nobody reads.
  process.exit();
}

/** The composition root of the server: stores of one folder or of AWS, services over them, HTTP in front. */
export async function startServer(config: ServeConfig, log: Logger): Promise<Running> {
  const home = await openHome(config);
  const { table, blobs, keys, ticketGeneration, maxRowDocumentBytes } = home;
  const outbound = new NodeOutboundHttp({ proxyEnv: process.env });
  const stores: Stores = {
    table,
    blobs,
    keys,
    log,
    outbound,
    now: Date.now,
    ...(maxRowDocumentBytes === undefined ? {} : { maxRowDocumentBytes }),
  };
  const metrics = new Metrics();
  const services = createServices(stores, ECOSYSTEM_FACTORIES, {
    listings: LISTING_FORMATS,
    requestsPerMinute: config.rateLimit,
    downloads: config.downloads,
    mayRemoveBytes: home.ownsBackground,
    trustProxy: config.trustProxy,
    ...(config.limits === "lambda"
      ? { maxAnswerBytes: INLINE_LIMIT_BYTES, maxUploadBytes: MAX_UPLOAD_BYTES }
      : {}),
    awsRegistryTokens: new SignedRegistryTokens({
      credentials: findAwsCredentials,
      now: Date.now,
    }),
    webhooksPrivate: config.webhooksPrivate,
    upstreamRead: (read) => metrics.upstreamRead(read),
    webhookAttempted: (attempt) => metrics.webhookAttempted(attempt),
    ...(config.adminToken === undefined ? {} : { adminToken: config.adminToken }),
    ...(config.baseUrl === undefined ? {} : { baseUrl: config.baseUrl }),
    ...(ticketGeneration === undefined ? {} : { ticketGeneration }),
  });
  const background = new Background(services, home);
  const route = createRouter(services, home.blobRoutes, metrics, config);
  const server = createHttpServer({ config, route, metrics, log });
  const port = await listen(server, config);
  // Only now that nothing can keep it from being shown. A deployment's first token is made by its deployment.
  const first =
    config.adminToken === undefined && home.ownsBackground
      ? await services.tokens.bootstrap()
      : undefined;
  background.start();
  return {
    url: config.baseUrl ?? urlOf(config, port),
    place: home.place,
    firstAdminToken: first?.text,
    stop: async () => {
      await drain(server);
      await background.stop();
      await outbound.close();
      await table.close();
    },
  };
}

async function openHome(config: ServeConfig): Promise<Home> {
  if (config.stores === "local") return openLocalHome(config.data);
  // Loaded only here: the SDK would make every other server start slowly.
  const { openAwsHome } = await import("./aws-home.ts");
  return openAwsHome(process.env);
}

async function listen(server: Server, config: ServeConfig): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(cannotListen(config, error));
    });
    server.listen(config.port, config.host, resolve);
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : config.port;
}

function cannotListen({ host, port }: ServeConfig, error: NodeJS.ErrnoException): ConfigError {
  const words =
    error.code === "EADDRINUSE"
      ? `Port ${port} of ${host} is in use. Choose another with --port, or --port 0 for any free one.`
      : `Nothing can listen on port ${port} of ${host}: ${error.message}. Choose others with --host and --port.`;
  return new ConfigError(words);
}

function urlOf(config: ServeConfig, port: number): string {
  const scheme = config.cert === undefined ? "http" : "https";
  const host = config.host.includes(":") ? `[${config.host}]` : config.host;
  // "Any address" cannot be connected to by that name.
  const name = host === "0.0.0.0" || host === "[::]" ? "localhost" : host;
  return `${scheme}://${name}:${port}`;
}

async function drain(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await closed;
  clearTimeout(timer);
}
