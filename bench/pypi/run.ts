import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeMachine, machine, reportResult, say } from "../measure/result.ts";
import { runRounds } from "../measure/rounds.ts";
import { isChosen, parseOptions } from "../options.ts";
import { operationsTable, samplesTable } from "../report.ts";
import type { Sample } from "../samples.ts";
import { seed } from "./fixtures.ts";
import { downloadLoad } from "./loads/downloads.ts";
import type { Load, Round } from "./loads/load.ts";
import { pageLoad } from "./loads/pages.ts";
import { uploadLoad } from "./loads/uploads.ts";
import { measureOperations } from "./operations.ts";
import { type PypiServer, SERVER_NAMES, startServer } from "./servers.ts";

const LOADS: readonly Load[] = [pageLoad, downloadLoad, uploadLoad];
const OPERATIONS = "operations";

const options = parseOptions(process.argv.slice(2), {
  loads: [...LOADS.map(({ name }) => name), OPERATIONS],
  servers: SERVER_NAMES,
});
const { quick, rounds, durationMs, requests } = options;
const round: Omit<Round, "number"> = {
  durationMs,
  requests,
  pages: quick ? [1, 100] : [1, 100, 2000],
  wheelBytes: quick ? [10e3, 1e6] : [10e3, 10e6],
};

async function measureServers(loads: readonly Load[]): Promise<readonly Sample[]> {
  const folder = await mkdtemp(join(tmpdir(), "entrepot-bench-pypi-"));
  const servers: PypiServer[] = [];
  try {
    for (const name of options.servers) {
      const server = await startServer(name, folder);
      if (server === undefined) {
        say(`${name} is missing, and its column stays empty; .ci/pypi-peers installs it`);
        continue;
      }
      servers.push(server);
      const startedAt = performance.now();
      await seed(server, round.pages, loads.includes(downloadLoad) ? round.wheelBytes : []);
      const seconds = (performance.now() - startedAt) / 1000;
      say(`${name} has its fixtures, in ${seconds.toFixed(1)} s`);
    }
    return await runRounds(loads, servers, rounds, (load, server, number) =>
      load.run(server, { ...round, number }),
    );
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}

const before = machine();
say(describeMachine(before));
const loads = LOADS.filter(({ name }) => isChosen(options, name));
const samples = loads.length === 0 ? [] : await measureServers(loads);
const operations = isChosen(options, OPERATIONS)
  ? await measureOperations(quick ? 10 : 50, quick ? 100 : 2000)
  : [];
const peers = SERVER_NAMES.filter((name) => name !== "entrepot");
await reportResult("pypi-", { round, rounds, before, after: machine(), samples, operations }, [
  samplesTable(samples, SERVER_NAMES, peers),
  operationsTable(operations),
]);
