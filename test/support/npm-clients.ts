import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

/** Where each client's program is below the folder that holds them; names as in npm-clients/package.json. */
const PROGRAMS = {
  "npm-10": "npm-10/bin/npm-cli.js",
  "npm-11": "npm-11/bin/npm-cli.js",
  "pnpm-10": "pnpm-10/bin/pnpm.cjs",
  "yarn-1": "yarn-1/bin/yarn.js",
  "yarn-4": "yarn-4/bin/yarn.js",
  bun: ".bin/bun",
} as const;
export type NpmClient = keyof typeof PROGRAMS;

const TIMEOUT_MILLISECONDS = 120_000;

/**
 * The program of a client in the folder `ENTREPOT_CLIENTS`, or where
 * `npm ci --prefix test/clients/npm-clients` puts it; `undefined` when it is not installed.
 */
export function npmClientPath(client: NpmClient): string | undefined {
  const folder =
    process.env["ENTREPOT_CLIENTS"] ?? join(import.meta.dirname, "..", "clients", "npm-clients");
  const path = join(folder, "node_modules", PROGRAMS[client]);
  try {
    accessSync(path, constants.R_OK);
    return path;
  } catch {
    return undefined;
  }
}

export interface Outcome {
  readonly code: number;
  /** Standard output and standard error, as they came. */
  readonly output: string;
}

export interface RunOptions {
  /** Below the workspace; default its root. */
  readonly folder?: string;
  /** Lines typed into it, one after another, each once it has asked (written a text that ends with this). */
  readonly answers?: readonly (readonly [prompt: RegExp, answer: string])[];
  readonly env?: Readonly<Record<string, string>>;
  /** Sees the output so far, whenever there is more. */
  readonly watch?: (output: string) => void;
}

/** A home of a client's own, with nothing of this machine's configuration or caches. */
export interface ClientHome extends AsyncDisposable {
  readonly path: string;
  run(args: readonly string[], options?: RunOptions): Promise<Outcome>;
  /** As `run`; fails the test unless the client ends with 0. Gives its output. */
  ok(args: readonly string[], options?: RunOptions): Promise<string>;
  write(path: string, content: string): Promise<void>;
  read(path: string): Promise<string>;
}

/** `program` is from {@link npmClientPath}. */
export async function openClientHome(program: string): Promise<ClientHome> {
  const path = await mkdtemp(join(tmpdir(), "entrepot-client-"));
  const isScript = /\.c?js$/.test(program);
  const start = isScript ? [process.execPath, program] : [program];
  const run: ClientHome["run"] = (args, options = {}) =>
    runProgram(
      [...start, ...args],
      join(path, options.folder ?? ""),
      {
        ...cleanEnvironment(path),
        ...options.env,
      },
      options,
    );
  return {
    path,
    run,
    ok: async (args, options) => {
      const { code, output } = await run(args, options);
      if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}:\n${output}`);
      return output;
    },
    write: async (file, content) => {
      await mkdir(dirname(join(path, file)), { recursive: true });
      await writeFile(join(path, file), content);
    },
    read: (file) => readFile(join(path, file), "utf8"),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5 }),
  };
}

function cleanEnvironment(home: string): Record<string, string> {
  return {
    PATH: [dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter),
    HOME: home,
    XDG_CACHE_HOME: join(home, ".cache"),
    XDG_CONFIG_HOME: join(home, ".config"),
    XDG_DATA_HOME: join(home, ".local"),
    npm_config_cache: join(home, ".npm"),
    npm_config_userconfig: join(home, ".npmrc"),
    npm_config_globalconfig: join(home, "global-npmrc"),
    npm_config_update_notifier: "false",
    npm_config_fund: "false",
    npm_config_fetch_retries: "0",
    YARN_ENABLE_TELEMETRY: "0",
    NO_COLOR: "1",
  };
}

async function runProgram(
  command: readonly string[],
  cwd: string,
  env: Record<string, string>,
  { answers = [], watch }: RunOptions,
): Promise<Outcome> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, { cwd, env, stdio: ["pipe", "pipe", "pipe"] });
  const pending = [...answers];
  let output = "";
  let asked = 0;
  const take = (chunk: Buffer): void => {
    output += chunk.toString();
    watch?.(output);
    const [next] = pending;
    if (next?.[0].test(output.slice(asked)) === true) {
      asked = output.length;
      pending.shift();
      child.stdin.write(`${next[1]}\n`);
    }
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  child.stdin.on("error", () => {});
  if (answers.length === 0) child.stdin.end();
  const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MILLISECONDS);
  try {
    return await new Promise<Outcome>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve({ code: code ?? -1, output }));
    });
  } finally {
    clearTimeout(timer);
  }
}
