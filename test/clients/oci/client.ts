import { type ChildProcess, spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

export interface ClientResult {
  /** `null` when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Longer than any client may take; then it is ended, and its result has no code. */
const LIMIT_MS = 240_000;

/**
 * One client program with a home, a temporary folder and a working folder of its own, and an environment that
 * holds nothing of the machine's but PATH: no stored logins, no proxies, no configuration.
 */
export class Client {
  readonly folder: string;
  readonly #program: string;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(program: string, folder: string, env: Readonly<Record<string, string>>) {
    this.#program = program;
    this.folder = folder;
    this.#env = env;
  }

  /** @param env - adds to the environment. */
  static async create(
    program: string,
    folder: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<Client> {
    const [home, temporary] = [join(folder, "home"), join(folder, "tmp")];
    await mkdir(home, { recursive: true });
    await mkdir(temporary, { recursive: true });
    const path = process.env["PATH"] ?? "";
    const own = { HOME: home, TMPDIR: temporary, DOCKER_CONFIG: join(home, ".docker") };
    return new Client(program, folder, { PATH: path, XDG_RUNTIME_DIR: temporary, ...own, ...env });
  }

  /** Starts it and does not wait. `input` is its standard input; empty when absent. */
  start(
    args: readonly string[],
    input = "",
  ): { readonly child: ChildProcess; readonly finished: Promise<ClientResult> } {
    const child = spawn(this.#program, args, {
      cwd: this.folder,
      env: this.#env,
      stdio: ["pipe", "pipe", "pipe"],
      timeout: LIMIT_MS,
      killSignal: "SIGKILL",
    });
    // A client that does not read its input closes it, which is no failure.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    const finished = new Promise<ClientResult>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve({ code, stdout, stderr }));
    });
    return { child, finished };
  }

  /** Runs it to its end, whatever that is. */
  run(args: readonly string[], input = ""): Promise<ClientResult> {
    return this.start(args, input).finished;
  }

  /** Runs it and gives what it printed. @throws {Error} with all its output unless it succeeds. */
  async succeed(args: readonly string[], input = ""): Promise<string> {
    const { code, stdout, stderr } = await this.run(args, input);
    if (code === 0) return stdout;
    throw new Error(`${this.#program} ${args.join(" ")} ended with ${code}:\n${stdout}${stderr}`);
  }
}
