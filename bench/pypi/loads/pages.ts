import { rawRequest } from "../../load/raw-request.ts";
import { measureDrive } from "../../loads/load.ts";
import type { Measurement } from "../../measure/measurement.ts";
import { pageProject } from "../fixtures.ts";
import type { Load } from "./load.ts";

/** What pip sends; pypiserver knows HTML only. */
const HEADERS = {
  "User-Agent": "pip/26.3",
  "Accept-Encoding": "gzip, deflate",
  Accept:
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01",
  "Cache-Control": "max-age=0",
};

export const pageCase = (files: number, connections: number): string =>
  `simple page of ${files} c${connections}`;

/** A project's page, as pip asks for it. */
export const pageLoad: Load = {
  name: "pages",
  run: async (server, { durationMs, pages }) => {
    const measurements: Measurement[] = [];
    for (const files of pages) {
      const path = `${server.simplePath}${pageProject(files)}/`;
      const headers = { ...HEADERS, ...server.headers };
      const request = rawRequest(server.port, { method: "GET", path, headers });
      for (const connections of [1, 8]) {
        const options = { connections, durationMs, expectStatus: 200, next: () => request };
        const label = pageCase(files, connections);
        measurements.push(...(await measureDrive(label, server, options)));
      }
    }
    return measurements;
  },
};
