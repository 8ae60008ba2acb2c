import type { Measurement } from "../../measure/measurement.ts";
import { wireRequest } from "../wire.ts";
import { type Load, measureRequests, sizeName } from "./load.ts";

export const pullCase = (bytes: number, connections: number): string =>
  `pull ${sizeName(bytes)} c${connections}`;

/** GET of whole blobs. */
export const pullLoad: Load = {
  name: "pull",
  run: async (server, { durationMs }, { image, pulls }) => {
    const measurements: Measurement[] = [];
    for (const [bytes, digest] of pulls) {
      const request = wireRequest(server, { method: "GET", path: `${image}/blobs/${digest}` });
      for (const connections of [1, 8]) {
        // At least one whole blob on each connection, however long that takes.
        const options = { connections, durationMs, expectStatus: 200, next: () => request };
        measurements.push(
          ...(await measureRequests(pullCase(bytes, connections), server, options)),
        );
      }
    }
    return measurements;
  },
};
