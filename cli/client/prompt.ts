import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { CliError, EXIT } from "./failures.ts";

const MAX_INPUT_BYTES = 64 * 1024;

/** Asks a person on the terminal. @throws {CliError} when the person ends it with Ctrl-C or Ctrl-D. */
export async function ask(question: string): Promise<string> {
  return prompt(question, process.stderr);
}

/** Asks without showing what is typed. */
export async function askSecret(question: string): Promise<string> {
  process.stderr.write(question);
  // The line editor echoes to its output: this one swallows it.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  try {
    return await prompt("", silent);
  } finally {
    process.stderr.write("\n");
  }
}

async function prompt(question: string, output: NodeJS.WritableStream): Promise<string> {
  const lines = createInterface({ input: process.stdin, output, terminal: true });
  const stop = new AbortController();
  lines.once("SIGINT", () => stop.abort());
  lines.once("close", () => stop.abort());
  try {
    return (await lines.question(question, { signal: stop.signal })).trim();
  } catch (error) {
    throw new CliError(EXIT.interrupted, "Nothing was entered.", { cause: error });
  } finally {
    lines.close();
  }
}

/** Whether there is a person to ask. */
export function isInteractive(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** All of standard input as text, without the line break at its end. @throws {CliError} beyond 64 KiB. */
export async function readStdin(): Promise<string> {
  let text = "";
  process.stdin.setEncoding("utf8");
  for await (const chunk of process.stdin) {
    text += String(chunk);
    if (text.length > MAX_INPUT_BYTES)
      throw new CliError(EXIT.usage, "Standard input is too long for a token.");
  }
  return text.trim();
}
