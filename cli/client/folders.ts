import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** Environment variables, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The file of servers and tokens: `ENTREPOT_CONFIG`, or under XDG_CONFIG_HOME. */
export function configPath(env: Environment): string {
  const named = env["ENTREPOT_CONFIG"] ?? "";
  return named === "" ? join(baseFolder(env, "XDG_CONFIG_HOME", ".config"), "config.json") : named;
}

/** Where unfinished uploads are remembered, under XDG_STATE_HOME. */
export function uploadsFolder(env: Environment): string {
  return join(baseFolder(env, "XDG_STATE_HOME", join(".local", "state")), "uploads");
}

/** https://specifications.freedesktop.org/basedir-spec/latest/: relative values are to be ignored. */
function baseFolder(env: Environment, variable: string, fallback: string): string {
  const base = env[variable] ?? "";
  const home = env["HOME"] ?? homedir();
  return join(isAbsolute(base) ? base : join(home, fallback), "entrepot");
}
