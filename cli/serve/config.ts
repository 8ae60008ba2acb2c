import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import * as z from "zod";
import type { ServeFlags } from "./flags.ts";

/** A mistake in flags, environment or configuration file, in words for the person who made it. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

const flag = (text: unknown): unknown =>
  text === "true" || text === "1" ? true : text === "false" || text === "0" ? false : text;

const MIN_ADMIN_TOKEN_LENGTH = 20;

/** What can be set; `docs/configuration.md` explains each. Values may be text, as flags and environment give it. */
const schema = z.strictObject({
  host: z.string().min(1).default("127.0.0.1"),
  port: z.coerce.number().int().min(0).max(65_535).default(5050),
  stores: z.enum(["local", "aws"]).default("local"),
  data: z.string().min(1).default("data"),
  baseUrl: z
    .url({
      protocol: /^https?$/,
      abort: true,
      error: "must be a URL such as https://packages.example.com",
    })
    .refine((url) => new URL(url).pathname === "/" && !url.includes("?"), "must have no path")
    .transform((url) => new URL(url).origin)
    .optional(),
  adminToken: z
    .string()
    .min(MIN_ADMIN_TOKEN_LENGTH, `must have ${MIN_ADMIN_TOKEN_LENGTH} characters or more`)
    .max(1000)
    .optional(),
  cert: z.string().min(1).optional(),
  key: z.string().min(1).optional(),
  limits: z.enum(["none", "lambda"]).default("none"),
  downloads: z.enum(["inline", "redirect"]).default("inline"),
  rateLimit: z.coerce.number().int().min(0).default(0),
  trustProxy: z.preprocess(flag, z.boolean()).default(false),
  proxies: z.coerce.number().int().min(1).max(10).default(1),
  webhooksPrivate: z.preprocess(flag, z.boolean()).default(false),
  log: z.enum(["auto", "pretty", "json"]).default("auto"),
  logLevel: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
});

export type ServeConfig = z.infer<typeof schema>;

const VARIABLES = {
  host: "ENTREPOT_HOST",
  port: "ENTREPOT_PORT",
  stores: "ENTREPOT_STORES",
  data: "ENTREPOT_DATA",
  baseUrl: "ENTREPOT_BASE_URL",
  adminToken: "ENTREPOT_ADMIN_TOKEN",
  cert: "ENTREPOT_CERT",
  key: "ENTREPOT_KEY",
  limits: "ENTREPOT_LIMITS",
  downloads: "ENTREPOT_DOWNLOADS",
  rateLimit: "ENTREPOT_RATE_LIMIT",
  trustProxy: "ENTREPOT_TRUST_PROXY",
  proxies: "ENTREPOT_PROXIES",
  webhooksPrivate: "ENTREPOT_WEBHOOKS_PRIVATE",
  log: "ENTREPOT_LOG",
  logLevel: "ENTREPOT_LOG_LEVEL",
} as const satisfies Record<keyof ServeConfig, string>;

type Settings = Record<string, unknown>;

/**
 * The configuration: flags win over the environment, the environment over the file, the file over defaults.
 *
 * @throws {ConfigError} naming each setting that is wrong, where it came from, and what it must be.
 */
export function loadConfig(flags: ServeFlags, environment: NodeJS.ProcessEnv): ServeConfig {
  const { config: file = environment["ENTREPOT_CONFIG_FILE"], ...given } = flags;
  const fromFile: Settings = file === undefined ? {} : readConfigFile(file);
  const fromEnvironment: Settings = Object.fromEntries(
    Object.entries(VARIABLES).flatMap(([name, variable]) => {
      const value = environment[variable];
      return value === undefined || value === "" ? [] : [[name, value]];
    }),
  );
  const fromFlags: Settings = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  );
  const parsed = schema.safeParse({ ...fromFile, ...fromEnvironment, ...fromFlags });
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => {
      const name = String(issue.path[0] ?? "");
      const source =
        name in fromFlags
          ? `flag --${kebab(name)}`
          : name in fromEnvironment
            ? `environment variable ${variableOf(name)}`
            : `configuration file ${file ?? ""}`;
      return `  ${source}: ${issue.message}`;
    });
    throw new ConfigError(`The configuration is not valid:\n${problems.join("\n")}`);
  }
  const { cert, key } = parsed.data;
  if ((cert === undefined) !== (key === undefined)) {
    throw new ConfigError("TLS needs both --cert and --key (PEM files).");
  }
  return { ...parsed.data, data: resolve(parsed.data.data) };
}

const kebab = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

const variableOf = (name: string): string =>
  Object.entries(VARIABLES).find(([setting]) => setting === name)?.[1] ?? name;

function readConfigFile(file: string): Settings {
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    return z.record(z.string(), z.unknown()).parse(value);
  } catch (error) {
    throw new ConfigError(
      `The configuration file ${file} cannot be read as a JSON object: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
