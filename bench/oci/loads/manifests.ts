import { putManifests } from "../fixtures.ts";
import { type Measurement, measure } from "../../measure/measurement.ts";
import type { Load } from "./load.ts";

export const manifestPutCase = (connections: number): string => `manifest PUT c${connections}`;

/** Manifests that nobody has pushed before, each under a tag of its own, of blobs that are there. */
export const manifestPutLoad: Load = {
  name: "manifest-put",
  run: async (server, { number, requests }, fixture) => {
    const measurements: Measurement[] = [];
    for (const connections of [1, 8]) {
      const label = `round-${number}-c${connections}`;
      const run = () =>
        putManifests(server, connections, requests, (at) => ({
          reference: `${label}-${at}`,
          body: fixture.manifest(`${label} ${at}`),
        }));
      measurements.push(...(await measure(manifestPutCase(connections), server.pid, run)));
    }
    return measurements;
  },
};
