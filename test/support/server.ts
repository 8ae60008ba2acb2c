import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const ADMIN_TOKEN = "server-admin-token-of-29-chars";
const MAIN = new URL("../../cli/main.ts", import.meta.url).pathname;

export interface TestServer {
  /** Origin, without a slash at the end. */
  readonly url: string;
  readonly adminToken: string;
  readonly folder: string;
  readonly process: ChildProcess;
  /** Everything it printed so far. */
  output(): string;
  api(path: string, init?: RequestInit): Promise<Response>;
  createRegistry(body: Readonly<Record<string, unknown>>): Promise<void>;
  /** Ends the server and, unless told otherwise, removes its data. */
  stop(options?: { readonly signal?: NodeJS.Signals; readonly keepData?: boolean }): Promise<void>;
}

/** A real `entrepot serve` on a free port of 127.0.0.1, as a person would start it. */
export async function startServer(
  options: {
    readonly args?: readonly string[];
    readonly folder?: string;
    readonly environment?: Readonly<Record<string, string>>;
  } = {},
): Promise<TestServer> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "entrepot-server-")));
  const child = spawn(
    process.execPath,
    [MAIN, "serve", "--port", "0", "--data", folder, "--log", "json", ...(options.args ?? [])],
    {
      env: {
        ...process.env,
        ENTREPOT_ADMIN_TOKEN: ADMIN_TOKEN,
        NODE_OPTIONS: "",
        ...options.environment,
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let printed = "";
  child.stderr.on("data", (chunk: Buffer) => {
    printed += chunk.toString();
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
      const match = /listening on (\S+)/.exec(printed);
      if (match?.[1] !== undefined) resolve(match[1]);
    });
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}:\n${printed}`)));
  });
  const api: TestServer["api"] = (path, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${ADMIN_TOKEN}`);
    if (init.body !== undefined) headers.set("content-type", "application/json");
    return fetch(`${url}/api/v1${path}`, { ...init, headers });
  };
  return {
    url,
    adminToken: ADMIN_TOKEN,
    folder,
    process: child,
    output: () => printed,
    api,
    createRegistry: async (body) => {
      const response = await api("/registries", { method: "POST", body: JSON.stringify(body) });
      if (response.status !== 201) throw new Error(await response.text());
    },
    stop: async ({ signal = "SIGTERM", keepData = false } = {}) => {
      child.kill(signal);
      await exited;
      if (!keepData) await rm(folder, { recursive: true, force: true });
    },
  };
}
