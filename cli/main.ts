#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { CommanderError } from "commander";
import * as z from "zod";
import { CliError, EXIT, type ExitCode, systemCode, usageError } from "./client/failures.ts";
import { Output } from "./client/output.ts";
import { createProgram, USAGE_HINT } from "./program.ts";

const manifestSchema = z.object({ version: z.string() });

/** Runs one command line and gives the exit code; has said on standard error what failed. */
async function run(argv: readonly string[]): Promise<ExitCode> {
  const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  const { version } = manifestSchema.parse(JSON.parse(manifest));
  const json = argv.includes("--json");
  const program = createProgram(version, { silent: json });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) {
      // Help and version are no errors, and commander has told those of people by now.
      if (error.exitCode === 0) return EXIT.ok;
      if (!json || error.code === "commander.help") return EXIT.usage;
    }
    const output = new Output(process.stdout, process.stderr, json);
    const failure = toCliError(error);
    output.failure(failure);
    return failure.exitCode;
  }
}

function toCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  if (error instanceof CommanderError) {
    return usageError(error.message.replace(/^error: /, ""), USAGE_HINT);
  }
  if (!(error instanceof Error)) return new CliError(EXIT.failure, String(error));
  // By name: importing the server to know its class would make every command start slowly.
  if (error.name === "ConfigError") return new CliError(EXIT.usage, error.message);
  if (systemCode(error) !== "") return new CliError(EXIT.failure, error.message, { cause: error });
  return new CliError(
    EXIT.failure,
    `This is a mistake in entrepot itself: ${error.stack ?? error.message}`,
  );
}

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: Error) => {
    // `entrepot … | head` closes the pipe when it has seen enough.
    process.exit(systemCode(error) === "EPIPE" ? EXIT.ok : EXIT.failure);
  });
}
process.exitCode = await run(process.argv.slice(2));
