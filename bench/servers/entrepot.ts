import { join } from "node:path";
import type { BenchServer } from "./server.ts";
import { freePort, launch } from "./launch.ts";

const TOKEN = "benchmark-admin-token-of-31-chars";
const MAIN = join(import.meta.dirname, "../../dist/main.mjs");

/** `entrepot serve` as a person would start it, access log included, with the npm registry `bench`. */
export async function startEntrepot(
  folder: string,
  nodeArgs: readonly string[] = [],
): Promise<BenchServer> {
  const port = await freePort();
  const serve = [
    "serve",
    "--port",
    String(port),
    "--data",
    join(folder, "entrepot"),
    "--log",
    "json",
  ];
  const { pid, stop } = await launch([process.execPath, ...nodeArgs, MAIN, ...serve], port, {
    env: { ENTREPOT_ADMIN_TOKEN: TOKEN },
  });
  const created = await fetch(`http://127.0.0.1:${port}/api/v1/registries`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify({ slug: "bench", ecosystem: "npm", kind: "source" }),
  });
  if (created.status !== 201) throw new Error(`no registry: ${await created.text()}`);
  return { name: "entrepot", port, base: "/npm/bench", token: TOKEN, pid, stop };
}
