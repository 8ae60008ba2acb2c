import { join } from "node:path";
import type { EcosystemName } from "../../shared/domain/registry.ts";
import { freePort, type Launched, launch } from "./launch.ts";
import type { BenchServer } from "./server.ts";

const TOKEN = "benchmark-admin-token-of-31-chars";
const MAIN = join(import.meta.dirname, "../../dist/main.mjs");

/** A running server of ours; its token may do everything. */
interface LaunchedEntrepot extends Launched {
  readonly port: number;
  readonly token: string;
}

/** `entrepot serve` as a person would start it, access log included, with the registry `bench`. */
export async function launchEntrepot(
  folder: string,
  ecosystem: EcosystemName,
): Promise<LaunchedEntrepot> {
  const port = await freePort();
  const serve = ["serve", "--port", `${port}`, "--data", join(folder, "entrepot"), "--log", "json"];
  const env = { ENTREPOT_ADMIN_TOKEN: TOKEN };
  const { pid, stop } = await launch([process.execPath, MAIN, ...serve], port, { env });
  const created = await fetch(`http://127.0.0.1:${port}/api/v1/registries`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify({ slug: "bench", ecosystem, kind: "source" }),
  });
  if (created.status !== 201) throw new Error(`no registry: ${await created.text()}`);
  return { port, token: TOKEN, pid, stop };
}

/** Ours with an npm registry. */
export async function startEntrepot(folder: string): Promise<BenchServer> {
  return { name: "entrepot", base: "/npm/bench", ...(await launchEntrepot(folder, "npm")) };
}
