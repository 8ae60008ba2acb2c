import { spawn } from "node:child_process";
import { delimiter, resolve } from "node:path";
import { CommandError } from "./options.ts";

const PROGRAMS = resolve("node_modules/.bin");

/** The project's own Node, CDK and others come before those of the machine. */
const environment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  PATH: `${PROGRAMS}${delimiter}${process.env["PATH"] ?? ""}`,
});

/** Runs a program at this terminal. @throws {CommandError} when it fails. */
export async function run(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { stdio: "inherit", env: environment() });
  const code = await exitCodeOf(child);
  if (code !== 0) throw new CommandError(`${program} ${args[0] ?? ""} ended with ${code}.`);
}

/** As {@link run}, for what it prints. */
export async function read(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"], env: environment() });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  const code = await exitCodeOf(child);
  if (code !== 0) throw new CommandError(`${program} ${args[0] ?? ""} ended with ${code}.`);
  return Buffer.concat(chunks).toString("utf8");
}

async function exitCodeOf(child: ReturnType<typeof spawn>): Promise<number | string> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? signal ?? "no code"));
  });
}
