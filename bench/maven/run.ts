import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeMachine, machine, reportResult, say } from "../measure/result.ts";
import { runRounds } from "../measure/rounds.ts";
import { isChosen, parseOptions } from "../options.ts";
import { operationsTable, samplesTable } from "../report.ts";
import type { Sample } from "../samples.ts";
import { seed } from "./fixtures.ts";
import { deployLoad } from "./loads/deploys.ts";
import type { Load, Round } from "./loads/load.ts";
import { jarLoad, metadataLoad } from "./loads/reads.ts";
import { measureOperations } from "./operations.ts";
import { type MavenServer, SERVER_NAMES, startServer } from "./servers.ts";

const LOADS: readonly Load[] = [metadataLoad, jarLoad, deployLoad];
const OPERATIONS = "operations";

const options = parseOptions(process.argv.slice(2), {
  loads: [...LOADS.map(({ name }) => name), OPERATIONS],
  servers: SERVER_NAMES,
});
const { quick, rounds, durationMs } = options;
const round: Omit<Round, "number"> = {
  durationMs,
  artifacts: quick ? 16 : 100,
  versions: quick ? [1, 20] : [1, 200],
  jarBytes: quick ? [20e3, 1e6] : [20e3, 1e6, 50e6],
};

async function measureServers(loads: readonly Load[]): Promise<readonly Sample[]> {
  const folder = await mkdtemp(join(tmpdir(), "entrepot-bench-maven-"));
  const servers: MavenServer[] = [];
  try {
    for (const name of options.servers) {
      const server = await startServer(name, folder);
      if (server === undefined) {
        say(`${name} is not installed: its column stays empty`);
        continue;
      }
      servers.push(server);
      const versions = loads.includes(metadataLoad) ? round.versions : [];
      await seed(server, versions, loads.includes(jarLoad) ? round.jarBytes : []);
      say(`${name} has its fixtures`);
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
  ? await measureOperations(quick ? 5 : 30, quick ? 20 : 200)
  : [];
await reportResult("maven-", { round, rounds, before, after: machine(), samples, operations }, [
  samplesTable(samples, SERVER_NAMES, ["nginx"]),
  operationsTable(operations),
]);
