import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { treeRoots } from "../fixtures/seed.ts";
import { cpuMs } from "../measure/process-usage.ts";
import { type BenchServer, registryUrl } from "../servers/server.ts";
import type { Load } from "./load.ts";

export const INSTALL = "npm install of 150 packages";

/** A real npm with an empty cache and no lock file: 150 packuments and 150 tarballs. */
export const installLoad: Load = {
  name: "install",
  fixtures: ["tree"],
  servers: ["entrepot", "verdaccio", "bare-node"],
  run: async (server) => {
    const folder = await mkdtemp(join(tmpdir(), "entrepot-bench-install-"));
    try {
      await writeProject(folder, server);
      const cpuBefore = cpuMs(server.pid);
      const startedAt = performance.now();
      await npmInstall(folder);
      const seconds = (performance.now() - startedAt) / 1000;
      return [
        { case: INSTALL, metric: "seconds", value: seconds },
        { case: INSTALL, metric: "CPU ms", value: cpuMs(server.pid) - cpuBefore },
      ];
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function writeProject(folder: string, server: BenchServer): Promise<void> {
  const url = registryUrl(server);
  const settings = [
    `registry=${url}`,
    `${url.slice("http:".length)}:_authToken=${server.token}`,
    `cache=${join(folder, "cache")}`,
    "audit=false",
    "fund=false",
    "update-notifier=false",
  ];
  await writeFile(join(folder, "npmrc"), `${settings.join("\n")}\n`);
  const manifest = { name: "bench-project", version: "1.0.0", dependencies: treeRoots() };
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
}

async function npmInstall(folder: string): Promise<void> {
  const ours = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name));
  const env = { ...Object.fromEntries(ours), npm_config_userconfig: join(folder, "npmrc") };
  const child = spawn("npm", ["install"], {
    cwd: folder,
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let printed = "";
  child.stderr.on("data", (chunk: Buffer) => {
    printed += chunk.toString();
  });
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) =>
      code === 0 ? resolve() : reject(new Error(`npm install ended with ${code}:\n${printed}`)),
    );
  });
}
