import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import * as z from "zod";
import type { BenchServer } from "./server.ts";
import { freePort, launch } from "./launch.ts";

const PEERS = join(import.meta.dirname, "../peers");
const PROGRAM = join(PEERS, "node_modules/verdaccio/bin/verdaccio");
const loginSchema = z.object({ token: z.string() });

/**
 * Verdaccio with its local file storage, JWT instead of its slower AES tokens, no uplinks, and its access log
 * (level `http`) as JSON lines, as ours. Installed into `bench/peers` when it is not there.
 */
export async function startVerdaccio(folder: string): Promise<BenchServer> {
  const program = await verdaccioProgram();
  const port = await freePort();
  const home = join(folder, "verdaccio");
  await mkdir(home, { recursive: true });
  const config = join(home, "config.json");
  await writeFile(config, JSON.stringify(configuration(home)));
  const command = [
    process.execPath,
    program,
    "--config",
    config,
    "--listen",
    `127.0.0.1:${port}`,
  ] as const;
  const { pid, stop } = await launch([...command], port, { readyPath: "/-/ping" });
  const answer = await fetch(`http://127.0.0.1:${port}/-/user/org.couchdb.user:bench`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "bench", password: "bench-password" }),
  });
  const { token } = loginSchema.parse(await answer.json());
  return { name: "verdaccio", port, base: "", token, pid, stop };
}

// Verdaccio reads its configuration as YAML, of which JSON is a part.
const configuration = (home: string) => ({
  storage: join(home, "storage"),
  auth: { htpasswd: { file: join(home, "htpasswd") } },
  security: { api: { jwt: { sign: { expiresIn: "7d" } } } },
  uplinks: {},
  packages: { "**": { access: "$authenticated", publish: "$authenticated" } },
  max_body_size: "200mb",
  log: { type: "stdout", format: "json", level: "http" },
});

/** Verdaccio's program, installed into `bench/peers` when it is not there. */
export async function verdaccioProgram(): Promise<string> {
  if (existsSync(PROGRAM)) return PROGRAM;
  const args = ["ci", "--prefix", PEERS, "--ignore-scripts", "--no-audit", "--no-fund"];
  await promisify(execFile)("npm", args);
  return PROGRAM;
}
