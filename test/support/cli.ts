import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { TestServer } from "./server.ts";

const MAIN = new URL("../../cli/main.ts", import.meta.url).pathname;

export interface CliResult {
  /** `null` when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  /** Standard input; empty when absent. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The `entrepot` command as a person has it: a home and a working folder of their own, and no terminal. */
export class Cli {
  readonly folder: string;
  readonly #env: Readonly<Record<string, string>>;

  /** `env` adds to an environment that holds nothing of the machine's own but PATH. */
  constructor(folder: string, env: Readonly<Record<string, string>> = {}) {
    this.folder = folder;
    this.#env = { PATH: process.env["PATH"] ?? "", HOME: folder, ...env };
  }

  /** Logged in as the server's administrator, by way of the environment. */
  static of(server: Pick<TestServer, "adminToken">, folder: string, url: string): Cli {
    return new Cli(folder, { ENTREPOT_URL: url, ENTREPOT_TOKEN: server.adminToken });
  }

  get configFile(): string {
    return join(this.folder, ".config", "entrepot", "config.json");
  }

  get uploadsFolder(): string {
    return join(this.folder, ".local", "state", "entrepot", "uploads");
  }

  start(args: readonly string[], options: CliOptions = {}): RunningCli {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: this.folder,
      env: { ...this.#env, ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    child.stdin.end(options.input ?? "");
    return new RunningCli(child);
  }

  run(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
    return this.start(args, options).finished;
  }

  /** As {@link run} with `--json`, for what must succeed: the parsed result. */
  async json(args: readonly string[], options: CliOptions = {}): Promise<unknown> {
    const { code, stdout, stderr } = await this.run([...args, "--json"], options);
    if (code !== 0) throw new Error(`entrepot ${args.join(" ")} ended with ${code}: ${stderr}`);
    return JSON.parse(stdout);
  }
}

export class RunningCli {
  readonly finished: Promise<CliResult>;
  readonly #child: ChildProcess;
  #printed = "";

  constructor(child: ChildProcess) {
    this.#child = child;
    let stdout = "";
    let stderr = "";
    child.stdout?.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => (this.#printed += chunk.toString()));
    }
    this.finished = new Promise((resolve) => {
      child.once("close", (code) => resolve({ code, stdout, stderr }));
    });
  }

  /** The first group of `pattern`, once it was printed. @throws when the command ends without. */
  async printed(pattern: RegExp): Promise<string> {
    let ended = false;
    void this.finished.then(() => (ended = true));
    for (;;) {
      const found = pattern.exec(this.#printed)?.[1];
      if (found !== undefined) return found;
      if (ended) throw new Error(`the command ended: ${this.#printed}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}
