import type { Command } from "commander";
import * as z from "zod";
import { ApiClient } from "../client/api-client.ts";
import { isReadableByOthers } from "../client/config-file.ts";
import { findConnection } from "../client/connection.ts";
import { usageError } from "../client/failures.ts";
import { configPath } from "../client/folders.ts";
import { Output } from "../client/output.ts";

const commonSchema = z.object({ url: z.string().optional(), json: z.boolean().default(false) });

/** What a command works with: the server that its flags and the environment name, and where output goes. */
export interface Session {
  readonly output: Output;
  /** Of the server that is named. @throws {CliError} when none is. */
  connect(): Promise<ApiClient>;
}

/** Adds the flags that every command has which speaks to a server. */
export function withCommonOptions(command: Command): Command {
  return command
    .option("--url <url>", "server to speak to (default: ENTREPOT_URL, or the last login)")
    .option("--json", "print the server's JSON on standard output");
}

/** Examples under `--help`. Lines that start with `#` explain; the others are commands without `entrepot`. */
export function withExamples(command: Command, lines: readonly string[]): Command {
  const text = lines.map((line) => (line.startsWith("#") ? `  ${line}` : `  $ entrepot ${line}`));
  return command.addHelpText("after", `\nExamples:\n${text.join("\n")}`);
}

/** The output of a command, for those that speak to no server. */
export function outputOf(command: Command): Output {
  const { json } = commonSchema.parse(command.optsWithGlobals());
  return new Output(process.stdout, process.stderr, json);
}

/** Reads the common flags of a command that runs. */
export function openSession(command: Command): Session {
  const { url } = commonSchema.parse(command.optsWithGlobals());
  const output = outputOf(command);
  return {
    output,
    connect: async () => {
      const path = configPath(process.env);
      if (await isReadableByOthers(path)) {
        output.warn(`${path} holds tokens and can be read by others. Repair it: chmod 600 ${path}`);
      }
      return new ApiClient(await findConnection(process.env, url));
    },
  };
}

/** `--limit`, `--cursor` and `--all` of commands that list. */
export function withListOptions(command: Command): Command {
  return command
    .option("--limit <count>", "how many at most", "100")
    .option("--cursor <cursor>", "go on where an earlier list ended")
    .option("--all", "every one, however many");
}

/** A flag that is a whole number, written in digits. */
export function wholeNumber(min: number, max: number) {
  const fits = (text: string): boolean =>
    /^\d{1,16}$/.test(text) && Number(text) >= min && Number(text) <= max;
  return z.string().refine(fits, `must be a whole number from ${min} to ${max}`).transform(Number);
}

const listSchema = z.object({
  limit: wholeNumber(1, 1_000_000),
  cursor: z.string().optional(),
  all: z.boolean().default(false),
});

/** Parses what {@link withListOptions} added. @throws {CliError} */
export function listOptions(command: Command): {
  readonly limit: number;
  readonly cursor: string | undefined;
} {
  const { limit, cursor, all } = parseOptions(command, listSchema);
  return { limit: all ? Infinity : limit, cursor };
}

/** The flags of a command, parsed. @throws {CliError} that names the flag and what is wrong with it. */
export function parseOptions<T>(command: Command, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(command.optsWithGlobals());
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    const name = String(issue.path[0] ?? "");
    const option = command.options.find((candidate) => candidate.attributeName() === name);
    return `${option?.long ?? name}: ${issue.message}`;
  });
  throw usageError(problems.join("\n"), `See: entrepot ${commandPath(command)} --help`);
}

/** What was given of a command's flags: those that were not are left out, and so stay as they are. */
export function defined(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** Refuses an update that changes nothing. @throws {CliError} */
export function requireChanges(body: object, command: Command): void {
  if (Object.keys(body).length > 0) return;
  throw usageError("Nothing to change was named.", `See: entrepot ${commandPath(command)} --help`);
}

/** The words that call a command, such as `registry create`. */
export function commandPath(command: Command): string {
  const words: string[] = [];
  for (let current = command; current.parent !== null; current = current.parent) {
    words.unshift(current.name());
  }
  return words.join(" ");
}

/** Says on standard error that a list goes on. */
export function noteMore(output: Output, nextCursor: string | undefined): void {
  if (nextCursor !== undefined) {
    output.note(`There is more: --all for everything, or --cursor ${nextCursor}`);
  }
}

/** For flags that may be repeated or hold a list divided by commas. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  const values = value.split(",").map((part) => part.trim());
  return [...(before ?? []), ...values.filter((part) => part !== "")];
}
