import { createServer, type Server } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { Connection } from "../client/api-client.ts";
import { CliError, EXIT, systemCode } from "../client/failures.ts";
import { createProxyHandler } from "./handler.ts";
import { Remote } from "./remote.ts";
import { SpoolFolder } from "./spool.ts";
import { Uploads } from "./uploads.ts";

/** Whoever reaches the proxy uses the token, so nobody else's machine may. */
const HOST = "127.0.0.1";
const SWEEP_MS = 60_000;
const MAX_HEADER_BYTES = 16 * 1024;

export interface ProxyOptions {
  /** 0: any free one. */
  readonly port: number;
  /** Existing folder for unfinished uploads. */
  readonly spoolFolder: string;
  readonly spoolLimitBytes: number;
  readonly warn: (text: string) => void;
}

/** A proxy that listens. */
export interface RunningProxy {
  /** Without a slash at the end. */
  readonly url: string;
  /** Ends every connection and forgets what is unfinished. */
  stop(): Promise<void>;
}

/** Starts the push proxy in front of a server. @throws {CliError} when the port is taken or the folder is no use. */
export async function startProxy(
  connection: Connection,
  options: ProxyOptions,
): Promise<RunningProxy> {
  const folder = await openFolder(options);
  const uploads = new Uploads(folder);
  const handle = createProxyHandler(new Remote(connection), uploads, options.warn);
  const listener = getRequestListener((request) => handle(request));
  const server = createServer(
    // No limit in time: a layer is answered when the remote has it all.
    { maxHeaderSize: MAX_HEADER_BYTES, requestTimeout: 0 },
    (incoming, outgoing) => void listener(incoming, outgoing),
  );
  const sweeper = setInterval(() => void uploads.sweep(Date.now()), SWEEP_MS).unref();
  const stop = async (): Promise<void> => {
    clearInterval(sweeper);
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
    await uploads.close();
    await folder.close();
  };
  try {
    return { url: `http://${HOST}:${await listen(server, options.port)}`, stop };
  } catch (error) {
    await folder.close();
    throw error;
  }
}

async function openFolder({ spoolFolder, spoolLimitBytes }: ProxyOptions): Promise<SpoolFolder> {
  try {
    return await SpoolFolder.open(spoolFolder, spoolLimitBytes);
  } catch (error) {
    throw new CliError(
      EXIT.failure,
      `Uploads cannot be kept in "${spoolFolder}": ${systemCode(error)}.`,
      { hint: "Name a folder that you can write to: --spool <folder>", cause: error },
    );
  }
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => {
      const isTaken = systemCode(error) === "EADDRINUSE";
      reject(
        isTaken
          ? new CliError(EXIT.failure, `Port ${port} of ${HOST} is in use.`, {
              hint: "Choose another with --port, or --port 0 for any free one.",
            })
          : error,
      );
    });
    server.listen(port, HOST, resolve);
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : port;
}
