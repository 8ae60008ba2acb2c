import { type TarballSize, tarballPath } from "../fixtures/seed.ts";
import { getRequest } from "../load/requests.ts";
import type { Measurement } from "../measure/measurement.ts";
import { type Load, measureDrive } from "./load.ts";

const CASES: readonly (readonly [TarballSize, number])[] = [
  ["1 KB", 1],
  ["1 KB", 8],
  ["1 KB", 64],
  ["1 MB", 1],
  ["1 MB", 8],
  ["50 MB", 1],
  ["50 MB", 4],
];

export const tarballCase = (size: TarballSize, connections: number): string =>
  `tarball ${size} c${connections}`;

/** GET of whole tarballs. */
export const tarballLoad: Load = {
  name: "tarball",
  fixtures: ["tarballs"],
  servers: ["entrepot", "verdaccio", "bare-node", "nginx"],
  run: async (server, { durationMs }) => {
    const measurements: Measurement[] = [];
    for (const [size, connections] of CASES) {
      const request = getRequest(server, tarballPath(size));
      const options = { connections, durationMs, expectStatus: 200, next: () => request };
      measurements.push(...(await measureDrive(tarballCase(size, connections), server, options)));
    }
    return measurements;
  },
};
