import type { DriveResult } from "../../load/drive.ts";
import { makeNoise, type Noise } from "../noise.ts";
import { newAgent, pushBlob } from "../push.ts";
import type { OciServer } from "../servers.ts";
import { type Measurement, measure } from "../../measure/measurement.ts";
import { type Load, sizeName } from "./load.ts";

export const pushCase = (bytes: number, connections: number): string =>
  `push ${sizeName(bytes)} c${connections}`;

/** Bytes of each size that are pushed on one connection, in as many blobs as that makes. */
const BYTES_PER_CONNECTION = 40e6;

/** Blobs that nobody has pushed before, as POST and PUT. */
export const pushLoad: Load = {
  name: "push",
  run: async (server, { blobBytes, maxPushBytes }, { image }) => {
    const measurements: Measurement[] = [];
    for (const bytes of blobBytes) {
      for (const connections of [1, 8]) {
        if (bytes * connections > maxPushBytes) continue;
        const each = Math.max(1, Math.round(BYTES_PER_CONNECTION / bytes));
        const blobs = Array.from({ length: each * connections }, () => makeNoise(bytes));
        const run = () => pushAll(server, image, blobs, connections);
        measurements.push(...(await measure(pushCase(bytes, connections), server.pid, run)));
      }
    }
    return measurements;
  },
};

async function pushAll(
  server: OciServer,
  image: string,
  blobs: readonly Noise[],
  connections: number,
): Promise<DriveResult> {
  const waiting = [...blobs];
  const latencies: number[] = [];
  const agent = newAgent(connections);
  const startedAt = performance.now();
  const pushNext = async (): Promise<void> => {
    for (let blob = waiting.pop(); blob !== undefined; blob = waiting.pop()) {
      const sentAt = performance.now();
      await pushBlob(server, agent, image, blob);
      latencies.push(performance.now() - sentAt);
    }
  };
  await Promise.all(Array.from({ length: connections }, pushNext));
  const seconds = (performance.now() - startedAt) / 1000;
  agent.destroy();
  return {
    requests: blobs.length,
    seconds,
    bodyBytes: blobs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    latenciesMs: Float64Array.from(latencies).sort(),
  };
}
