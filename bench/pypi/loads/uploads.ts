import { measureDrive } from "../../loads/load.ts";
import type { Measurement } from "../../measure/measurement.ts";
import { makeWheel, pageProject, uploadRequest } from "../fixtures.ts";
import type { PypiServer } from "../servers.ts";
import type { Load } from "./load.ts";

const WHEEL_BYTES = 20_000;

export const newProjectCase = (connections: number): string =>
  `upload of a new project c${connections}`;
export const intoPageCase = (files: number): string => `upload into a page of ${files} c1`;

/** Wheels that nobody has uploaded before: of new projects, and new releases of the largest one. */
export const uploadLoad: Load = {
  name: "uploads",
  run: async (server, { number, requests, pages }) => {
    const measurements: Measurement[] = [];
    for (const connections of [1, 8]) {
      const each = Math.ceil(requests / connections);
      const prefix = `new-${number}-c${connections}`;
      const queues = await makeQueues(server, connections, each, (client, turn) => [
        `${prefix}-${client}-${turn}`,
        "1.0",
      ]);
      measurements.push(...(await run(newProjectCase(connections), server, queues)));
    }
    const largest = Math.max(...pages);
    const queues = await makeQueues(server, 1, requests, (_, turn) => [
      pageProject(largest),
      `2.${number}.${turn}`,
    ]);
    return [...measurements, ...(await run(intoPageCase(largest), server, queues))];
  },
};

/** One queue for each client, made before the clock runs. */
async function makeQueues(
  server: PypiServer,
  clients: number,
  each: number,
  nameOf: (client: number, turn: number) => readonly [name: string, version: string],
): Promise<readonly Uint8Array[][]> {
  const queues: Uint8Array[][] = [];
  for (let client = 0; client < clients; client++) {
    const queue: Uint8Array[] = [];
    for (let turn = 0; turn < each; turn++) {
      const [name, version] = nameOf(client, turn);
      const wheel = makeWheel(name, version, WHEEL_BYTES);
      queue.push(await uploadRequest(server, name, version, wheel));
    }
    queues.push(queue);
  }
  return queues;
}

async function run(
  label: string,
  server: PypiServer,
  queues: readonly Uint8Array[][],
): Promise<readonly Measurement[]> {
  return measureDrive(label, server, {
    connections: queues.length,
    expectStatus: 200,
    next: (connection) => queues[connection]?.pop(),
  });
}
