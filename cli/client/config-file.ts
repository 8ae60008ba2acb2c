import { stat } from "node:fs/promises";
import * as z from "zod";
import { CliError, EXIT } from "./failures.ts";
import { readSmallFile, writePrivateFile } from "./private-file.ts";

const configSchema = z.object({
  version: z.literal(1),
  /** URL of the server that commands speak to unless told otherwise. */
  current: z.string().optional(),
  /** By URL. */
  servers: z.record(z.string(), z.object({ token: z.string() })),
});
/** What `entrepot login` remembers. */
export type Config = z.infer<typeof configSchema>;

const EMPTY: Config = { version: 1, servers: {} };

/** What is saved; an empty configuration when there is no file. @throws {CliError} for a broken file. */
export async function readConfig(path: string): Promise<Config> {
  const text = await readSmallFile(path);
  if (text === undefined) return EMPTY;
  try {
    return configSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new CliError(EXIT.failure, `${path} is not a configuration of this command.`, {
      hint: "Repair it, or delete it and log in again: entrepot login <url>",
      cause: error,
    });
  }
}

/** True when others than its owner can read the file. False when it does not exist, and on Windows. */
export async function isReadableByOthers(path: string): Promise<boolean> {
  if (process.platform === "win32") return false;
  try {
    return ((await stat(path)).mode & 0o077) !== 0;
  } catch {
    return false;
  }
}

/** Saves the token of a server and makes it the current one. */
export async function saveLogin(path: string, url: string, token: string): Promise<void> {
  const config = await readConfig(path);
  const servers = { ...config.servers, [url]: { token } };
  await writeConfig(path, { version: 1, current: url, servers });
}

/** Forgets the token of a server; false when there was none. */
export async function forgetLogin(path: string, url: string): Promise<boolean> {
  const config = await readConfig(path);
  if (!Object.hasOwn(config.servers, url)) return false;
  const { [url]: _, ...servers } = config.servers;
  const next = config.current === url ? Object.keys(servers)[0] : config.current;
  await writeConfig(path, {
    version: 1,
    servers,
    ...(next === undefined ? {} : { current: next }),
  });
  return true;
}

async function writeConfig(path: string, config: Config): Promise<void> {
  await writePrivateFile(path, `${JSON.stringify(config, undefined, 2)}\n`);
}
