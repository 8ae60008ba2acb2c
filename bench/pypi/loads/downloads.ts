import { rawRequest } from "../../load/raw-request.ts";
import { measureDrive } from "../../loads/load.ts";
import type { Measurement } from "../../measure/measurement.ts";
import { sizedProject } from "../fixtures.ts";
import { findFile, type Load } from "./load.ts";

export const downloadCase = (bytes: number, connections: number): string =>
  `download ${bytes >= 1e6 ? `${bytes / 1e6} MB` : `${bytes / 1e3} KB`} c${connections}`;

/** GET of whole wheels. */
export const downloadLoad: Load = {
  name: "downloads",
  run: async (server, { durationMs, wheelBytes }) => {
    const measurements: Measurement[] = [];
    for (const bytes of wheelBytes) {
      const path = await findFile(server, sizedProject(bytes));
      const headers = { "User-Agent": "pip/26.3", ...server.headers };
      const request = rawRequest(server.port, { method: "GET", path, headers });
      for (const connections of [1, 8]) {
        const options = { connections, durationMs, expectStatus: 200, next: () => request };
        const label = downloadCase(bytes, connections);
        measurements.push(...(await measureDrive(label, server, options)));
      }
    }
    return measurements;
  },
};
