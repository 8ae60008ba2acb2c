import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import * as z from "zod";
import type { BenchServer } from "./server.ts";
import { freePort, type Launched, launch } from "./launch.ts";

const PEERS = join(import.meta.dirname, "../peers");
const PROGRAM = join(PEERS, "node_modules/verdaccio/bin/verdaccio");
const loginSchema = z.object({ token: z.string() });

/** A running Verdaccio. */
interface LaunchedVerdaccio extends Launched {
  readonly port: number;
}

/**
 * Verdaccio with its local file storage and its access log (level `http`) as JSON lines, as ours. Installed into
 * `bench/peers` when it is not there.
 */
export async function launchVerdaccio(
  folder: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<LaunchedVerdaccio> {
  const program = await installedProgram();
  const port = await freePort();
  const home = join(folder, "verdaccio");
  await mkdir(home, { recursive: true });
  const config = join(home, "config.json");
  // Verdaccio reads its configuration as YAML, of which JSON is a part.
  const configuration = {
    storage: join(home, "storage"),
    auth: { htpasswd: { file: join(home, "htpasswd") } },
    log: { type: "stdout", format: "json", level: "http" },
    ...settings,
  };
  await writeFile(config, JSON.stringify(configuration));
  const options = ["--config", config, "--listen", `127.0.0.1:${port}`];
  const command = [process.execPath, program, ...options] as const;
  return { port, ...(await launch(command, port, { readyPath: "/-/ping" })) };
}

/** Verdaccio with JWT instead of its slower AES tokens, and no uplinks. */
export async function startVerdaccio(folder: string): Promise<BenchServer> {
  const { port, pid, stop } = await launchVerdaccio(folder, {
    security: { api: { jwt: { sign: { expiresIn: "7d" } } } },
    uplinks: {},
    packages: { "**": { access: "$authenticated", publish: "$authenticated" } },
    max_body_size: "200mb",
  });
  const answer = await fetch(`http://127.0.0.1:${port}/-/user/org.couchdb.user:bench`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "bench", password: "bench-password" }),
  });
  const { token } = loginSchema.parse(await answer.json());
  return { name: "verdaccio", port, base: "", token, pid, stop };
}

async function installedProgram(): Promise<string> {
  if (existsSync(PROGRAM)) return PROGRAM;
  const args = ["ci", "--prefix", PEERS, "--ignore-scripts", "--no-audit", "--no-fund"];
  await promisify(execFile)("npm", args);
  return PROGRAM;
}
