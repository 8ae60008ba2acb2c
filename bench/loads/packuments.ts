import { LARGE_PACKAGE, SMALL_PACKAGE } from "../fixtures/seed.ts";
import { ABBREVIATED, getRequest } from "../load/requests.ts";
import type { BenchServer } from "../servers/server.ts";
import type { Measurement } from "../measure/measurement.ts";
import { type Load, measureDrive, type Round } from "./load.ts";

const FORMS = ["full", "abbreviated"] as const;
/** npm sends gzip; the plain form is what curl and scripts get. */
const ENCODINGS = ["gzip", "plain"] as const;
export type PackageSize = "small" | "large";

/** The name of a case, for those who look its figures up. */
export const packumentCase = (
  size: PackageSize,
  form: (typeof FORMS)[number],
  encoding: (typeof ENCODINGS)[number],
  connections: number,
): string => `packument ${size} ${form} ${encoding} c${connections}`;

/** Both forms at eight connections; the figures to reach speak of these. */
export const packumentCasesAt8 = (
  size: PackageSize,
  encodings: readonly (typeof ENCODINGS)[number][],
): readonly string[] =>
  FORMS.flatMap((form) => encodings.map((encoding) => packumentCase(size, form, encoding, 8)));

/** GET of a packument in both forms: compressed at 1, 8 and 64 connections, plain at 8. */
export function packumentLoads(): readonly Load[] {
  return [packumentLoad("small", SMALL_PACKAGE), packumentLoad("large", LARGE_PACKAGE)];
}

function packumentLoad(size: PackageSize, name: string): Load {
  return {
    name: `packument-${size}`,
    fixtures: [size],
    servers: ["entrepot", "verdaccio", "bare-node", "nginx"],
    run: async (server, round) => {
      const measurements: Measurement[] = [];
      for (const form of FORMS) {
        for (const [encoding, connections] of [
          ["gzip", 1],
          ["gzip", 8],
          ["gzip", 64],
          ["plain", 8],
        ] as const) {
          const request = packumentRequest(server, name, form, encoding);
          const label = packumentCase(size, form, encoding, connections);
          measurements.push(...(await runOne(label, server, request, connections, round)));
        }
      }
      return measurements;
    },
  };
}

/** The GET of a packument as npm (abbreviated) or a browser of metadata (full) sends it. */
export function packumentRequest(
  server: BenchServer,
  name: string,
  form: (typeof FORMS)[number],
  encoding: (typeof ENCODINGS)[number],
): Uint8Array {
  return getRequest(server, `/${name}`, {
    Accept:
      form === "full" ? "application/json" : `${ABBREVIATED}; q=1.0, application/json; q=0.8, */*`,
    ...(encoding === "gzip" ? { "Accept-Encoding": "gzip" } : {}),
  });
}

async function runOne(
  label: string,
  server: BenchServer,
  request: Uint8Array,
  connections: number,
  { durationMs }: Round,
): Promise<readonly Measurement[]> {
  const options = { connections, durationMs, expectStatus: 200, next: () => request };
  return measureDrive(label, server, options);
}
