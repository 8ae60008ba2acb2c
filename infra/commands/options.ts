import { parseArgs } from "node:util";
import { type Config } from "../config/schema.ts";
import { loadConfig } from "../config/load.ts";

/** What the commands take; `docs/deploy.md` explains it. */
export interface CommandOptions {
  readonly config: Config;
  /** For the CDK, which reads the options itself. */
  readonly context: readonly string[];
  /** Changes are made without being asked. */
  readonly yes: boolean;
  readonly deleteData: boolean;
  /** The deployment's name, typed in advance. */
  readonly confirm: string | undefined;
}

/** A reason to stop, in words for the person at the terminal. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

/**
 * The options of a command, such as `--config other.config.ts --yes`.
 *
 * @throws {TypeError} for a flag that there is not; {@link ConfigError} for a configuration that is wrong.
 */
export async function readOptions(args: readonly string[]): Promise<CommandOptions> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      config: { type: "string" },
      yes: { type: "boolean", default: false },
      "delete-data": { type: "boolean", default: false },
      confirm: { type: "string" },
    },
  });
  return {
    config: await loadConfig(values.config),
    context: values.config === undefined ? [] : ["-c", `config=${values.config}`],
    yes: values.yes,
    deleteData: values["delete-data"],
    confirm: values.confirm,
  };
}

/** Runs a command, and ends the process with words instead of a stack trace when it fails. */
export async function runCommand(
  command: (options: CommandOptions) => Promise<void>,
): Promise<void> {
  try {
    await command(await readOptions(process.argv.slice(2)));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
