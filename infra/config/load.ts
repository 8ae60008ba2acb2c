import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import * as z from "zod";
import { type Config, configSchema } from "./schema.ts";

/** A mistake in the options, in words for the person who made it. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

const moduleSchema = z.looseObject({ config: z.unknown() });

/** Where the options are when nothing else is said. */
const DEFAULT_FILE = "entrepot.config.ts";

/**
 * The options that the file's export `config` holds.
 *
 * @param file Relative to the working folder.
 * @throws {ConfigError} naming each option that is wrong and what it must be.
 */
export async function loadConfig(file = DEFAULT_FILE): Promise<Config> {
  const module: unknown = await import(pathToFileURL(resolve(file)).href);
  const exported = moduleSchema.safeParse(module);
  if (!exported.success) throw new ConfigError(`${file} does not export \`config\`.`);
  return parseConfig(exported.data.config, file);
}

/** As {@link loadConfig}, of what was read already; `source` names it in messages. */
export function parseConfig(input: unknown, source: string): Config {
  const parsed = configSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    (issue) => `  ${issue.path.map(String).join(".") || "config"}: ${messageOf(issue)}`,
  );
  throw new ConfigError(`${source} is not valid:\n${problems.join("\n")}`);
}

/** Of a wrong name in a record, what is wrong with the name. */
function messageOf(issue: z.core.$ZodIssue): string {
  const [inner] = issue.code === "invalid_key" ? issue.issues : [];
  return inner?.message ?? issue.message;
}
