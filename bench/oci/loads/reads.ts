import type { Measurement } from "../../measure/measurement.ts";
import { wireRequest } from "../wire.ts";
import { type Load, measureRequests } from "./load.ts";

export const CONNECTIONS = [8, 64] as const;
export const READS = ["manifest GET by tag", "manifest GET by digest", "blob HEAD"] as const;
export const readCase = (read: (typeof READS)[number], connections: number): string =>
  `${read} c${connections}`;

/** The small requests that every pull begins with. */
export const readLoad: Load = {
  name: "reads",
  run: async (server, { durationMs }, { image, tag, manifestDigest, blobDigest }) => {
    const requests = {
      "manifest GET by tag": { method: "GET", path: `${image}/manifests/${tag}` },
      "manifest GET by digest": { method: "GET", path: `${image}/manifests/${manifestDigest}` },
      "blob HEAD": { method: "HEAD", path: `${image}/blobs/${blobDigest}` },
    } as const;
    const measurements: Measurement[] = [];
    for (const read of READS) {
      const request = wireRequest(server, requests[read]);
      for (const connections of CONNECTIONS) {
        const isHead = requests[read].method === "HEAD";
        const options = { connections, durationMs, expectStatus: 200, isHead, next: () => request };
        measurements.push(...(await measureRequests(readCase(read, connections), server, options)));
      }
    }
    return measurements;
  },
};
