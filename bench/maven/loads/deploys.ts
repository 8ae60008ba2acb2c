import { drive } from "../../load/drive.ts";
import { type Measurement, measure } from "../../measure/measurement.ts";
import { deployOf, putOf } from "../fixtures.ts";
import type { MavenServer } from "../servers.ts";
import type { Load } from "./load.ts";

const JAR_BYTES = 20_000;

/** Deploys of artifacts that were not there, by one job and by eight at once: nine PUTs each. */
export const deployLoad: Load = {
  name: "deploys",
  run: async (server, { number, artifacts }) => {
    const measurements: Measurement[] = [];
    for (const connections of [1, 8]) {
      const queues = Array.from({ length: connections }, (_, client) =>
        makeQueue(server, `new-${number}-c${connections}-${client}`, artifacts / connections),
      );
      const label = `deploy of ${artifacts} artifacts c${connections}`;
      const result = await measure(label, server.pid, () =>
        drive({
          port: server.port,
          connections,
          // nginx answers 204 to what replaces a file, and nothing here does.
          expectStatus: 201,
          next: (connection) => queues[connection]?.pop(),
        }),
      );
      measurements.push(...result);
    }
    return measurements;
  },
};

/** Made before the clock runs; the last one is sent first. */
function makeQueue(server: MavenServer, prefix: string, count: number): Uint8Array[] {
  const uploads = Array.from({ length: Math.ceil(count) }, (_, at) =>
    deployOf(`${prefix}-${at}`, "1.0", JAR_BYTES),
  ).flat();
  return uploads.map((upload) => putOf(server, upload)).toReversed();
}
