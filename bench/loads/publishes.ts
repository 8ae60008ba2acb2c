import { LARGE_PACKAGE } from "../fixtures/seed.ts";
import { makeManifest } from "../fixtures/manifest.ts";
import { makePublish } from "../fixtures/publish-document.ts";
import { putRequest } from "../load/requests.ts";
import type { BenchServer } from "../servers/server.ts";
import type { Measurement } from "../measure/measurement.ts";
import { type Load, measureDrive } from "./load.ts";

const TARBALL_BYTES = 2048;

export const NEW_PACKAGE = "publish new package";
export const NEW_VERSION = "publish new version";
export const INTO_LARGE = "publish into large c1";

/** Publishes by one client and by eight, each client with packages of its own. */
export const publishLoad: Load = {
  name: "publish",
  fixtures: [],
  servers: ["entrepot", "verdaccio", "bare-node"],
  run: async (server, round) => {
    const measurements: Measurement[] = [];
    for (const connections of [1, 8]) {
      const each = Math.ceil(round.requests / connections);
      const prefix = `bench-new-${round.number}-c${connections}`;
      const newPackages = await queues(connections, each, (client, turn) => [
        `${prefix}-${client}-${turn}`,
        "1.0.0",
      ]);
      measurements.push(...(await run(`${NEW_PACKAGE} c${connections}`, server, newPackages)));
      // The first version of the package is not measured here, but is part of every package that has a second.
      const newVersions = await queues(connections, each, (client, turn) => [
        `${prefix}-${client}-0`,
        `1.0.${turn + 1}`,
      ]);
      measurements.push(...(await run(`${NEW_VERSION} c${connections}`, server, newVersions)));
    }
    return measurements;
  },
};

/** New versions of a package that has a thousand; each round leaves it a few more. */
export const publishIntoLargeLoad: Load = {
  name: "publish-large",
  fixtures: ["large"],
  servers: ["entrepot", "verdaccio"],
  run: async (server, round) => {
    const publishes = await queues(1, round.requests, (_, turn) => [
      LARGE_PACKAGE,
      `2.${round.number}.${turn}`,
    ]);
    return run(INTO_LARGE, server, publishes);
  },
};

interface Publish {
  readonly name: string;
  readonly body: string;
}

/** One queue for each client, last one first, made before the clock runs. */
async function queues(
  clients: number,
  each: number,
  nameOf: (client: number, turn: number) => readonly [name: string, version: string],
): Promise<readonly Publish[][]> {
  const made: Publish[][] = [];
  for (let client = 0; client < clients; client++) {
    const queue: Publish[] = [];
    for (let turn = each - 1; turn >= 0; turn--) {
      const [name, version] = nameOf(client, turn);
      const manifest = makeManifest(name, version, { left: "^1.0.0", right: "^2.0.0" });
      queue.push({ name, body: await makePublish(manifest, TARBALL_BYTES) });
    }
    made.push(queue);
  }
  return made;
}

async function run(
  label: string,
  server: BenchServer,
  publishes: readonly Publish[][],
): Promise<readonly Measurement[]> {
  const requests = publishes.map((queue) =>
    queue.map(({ name, body }) => putRequest(server, `/${name}`, body)),
  );
  return measureDrive(label, server, {
    connections: requests.length,
    expectStatus: 201,
    next: (connection) => requests[connection]?.pop(),
  });
}
