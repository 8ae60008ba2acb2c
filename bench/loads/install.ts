import { treeRoots } from "../fixtures/seed.ts";
import { secondsOfNpmInstall } from "../installs.ts";
import { cpuMs } from "../measure/process-usage.ts";
import { registryUrl } from "../servers/server.ts";
import type { Load } from "./load.ts";

export const INSTALL = "npm install of 150 packages";

/** A real npm with an empty cache and no lock file: 150 packuments and 150 tarballs. */
export const installLoad: Load = {
  name: "install",
  fixtures: ["tree"],
  servers: ["entrepot", "verdaccio", "bare-node"],
  run: async (server) => {
    const source = { url: registryUrl(server), token: server.token };
    const cpuBefore = cpuMs(server.pid);
    const seconds = await secondsOfNpmInstall(source, treeRoots());
    return [
      { case: INSTALL, metric: "seconds", value: seconds },
      { case: INSTALL, metric: "CPU ms", value: cpuMs(server.pid) - cpuBefore },
    ];
  },
};
