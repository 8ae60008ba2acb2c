/** In the order of the columns of the report. */
export const SERVER_NAMES = ["entrepot", "verdaccio", "bare-node", "nginx"] as const;
export type ServerName = (typeof SERVER_NAMES)[number];

/** A server under measurement: a process of its own on 127.0.0.1. */
export interface BenchServer {
  readonly name: ServerName;
  readonly port: number;
  /** Path of the npm registry without a slash at its end: `""` or `/npm/bench`. */
  readonly base: string;
  /** Sent as `Authorization: Bearer`. */
  readonly token: string;
  /** The process whose CPU time and memory count, its children included. */
  readonly pid: number;
  /** Ends the process and waits for that. */
  stop(): Promise<void>;
}

/** The registry's URL with a slash at its end, as npm wants it. */
export function registryUrl(server: Pick<BenchServer, "port" | "base">): string {
  return `http://127.0.0.1:${server.port}${server.base}/`;
}

/** A request into the registry by `fetch`, for seeding. */
export async function call(
  server: BenchServer,
  path: string,
  init: {
    readonly method?: string;
    readonly headers?: Record<string, string>;
    readonly body?: string;
  } = {},
): Promise<Response> {
  return fetch(`http://127.0.0.1:${server.port}${server.base}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${server.token}`, ...init.headers },
  });
}
