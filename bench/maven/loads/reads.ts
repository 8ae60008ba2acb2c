import { measureDrive } from "../../loads/load.ts";
import type { Measurement } from "../../measure/measurement.ts";
import { artifactOf, getOf, jarPath, metadataPath, sizedArtifact } from "../fixtures.ts";
import type { MavenServer } from "../servers.ts";
import type { Load } from "./load.ts";

/** GET of maven-metadata.xml. */
export const metadataLoad: Load = {
  name: "metadata",
  run: (server, { durationMs, versions }) =>
    readAll(
      server,
      durationMs,
      versions.map((count) => [`metadata of ${count}`, metadataPath(artifactOf(count))]),
    ),
};

/** GET of whole jars. */
export const jarLoad: Load = {
  name: "jars",
  run: (server, { durationMs, jarBytes }) =>
    readAll(
      server,
      durationMs,
      jarBytes.map((bytes) => [
        `jar of ${bytes >= 1e6 ? `${bytes / 1e6} MB` : `${bytes / 1e3} KB`}`,
        jarPath(sizedArtifact(bytes), "1.0"),
      ]),
    ),
};

async function readAll(
  server: MavenServer,
  durationMs: number,
  cases: readonly (readonly [label: string, path: string])[],
): Promise<readonly Measurement[]> {
  const measurements: Measurement[] = [];
  for (const [label, path] of cases) {
    const request = getOf(server, path);
    for (const connections of [1, 8]) {
      const options = { connections, durationMs, expectStatus: 200, next: () => request };
      measurements.push(...(await measureDrive(`${label} c${connections}`, server, options)));
    }
  }
  return measurements;
}
