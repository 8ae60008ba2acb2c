import { spawn } from "node:child_process";
import { open } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** How long a process gets between being asked and being made to end. */
const GRACE_MS = 10_000;

/**
 * Starts a program that outlives this one, as the leader of a process group of its own so that it can be stopped with
 * all that it starts.
 *
 * @param logFile Takes what it prints; begun anew.
 * @returns Its process id.
 */
export async function startDetached(
  command: readonly [program: string, ...args: string[]],
  env: NodeJS.ProcessEnv,
  logFile: string,
): Promise<number> {
  const log = await open(logFile, "w");
  try {
    const [program, ...args] = command;
    const child = spawn(program, args, {
      env,
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
    });
    await new Promise((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    child.unref();
    if (child.pid === undefined) throw new Error(`${program} has no process id`);
    return child.pid;
  } finally {
    await log.close();
  }
}

/** Ends the process group of {@link startDetached}'s `pid`, and waits until it is gone. One that is gone is no error. */
export async function stopGroup(pid: number): Promise<void> {
  const deadline = Date.now() + GRACE_MS;
  let signal: NodeJS.Signals = "SIGTERM";
  while (signalGroup(pid, signal)) {
    if (Date.now() > deadline) signal = "SIGKILL";
    await sleep(100);
    if (Date.now() > deadline + GRACE_MS) throw new Error(`process group ${pid} does not end`);
  }
}

/** Whether {@link startDetached}'s process still runs. */
export function isRunning(pid: number): boolean {
  return signalGroup(pid, 0);
}

function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
    throw error;
  }
}

/**
 * Runs a program to its end.
 *
 * @returns what it printed.
 * @throws with all that it printed, unless it ends with 0.
 */
export async function runProgram(
  command: readonly [program: string, ...args: string[]],
): Promise<string> {
  const [program, ...args] = command;
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}:\n${output}`);
  return output;
}
