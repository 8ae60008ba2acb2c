import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";

const START_MS = 60_000;
const STOP_MS = 10_000;

export interface Launched {
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

/** A port of 127.0.0.1 that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/**
 * Starts a program and waits until `readyPath` on its port answers anything. What it prints goes to /dev/null:
 * every server writes its access log, and none of them waits for us to read it.
 */
export async function launch(
  command: readonly [string, ...string[]],
  port: number,
  options: { readonly env?: Readonly<Record<string, string>>; readonly readyPath?: string } = {},
): Promise<Launched> {
  const [program, ...args] = command;
  const env = { ...process.env, NODE_OPTIONS: "", NODE_ENV: "production", ...options.env };
  const child = spawn(program, args, { env, stdio: "ignore" });
  const failed = new Promise<never>((_, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`${command.join(" ")} ended with ${code}`)));
  });
  await Promise.race([failed, answers(`http://127.0.0.1:${port}${options.readyPath ?? "/"}`)]);
  failed.catch(() => undefined);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} has no process id`);
  return { pid, stop: () => stop(child) };
}

async function answers(url: string): Promise<void> {
  const deadline = Date.now() + START_MS;
  for (;;) {
    try {
      await (await fetch(url)).arrayBuffer();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
  await exited;
  clearTimeout(timer);
}
