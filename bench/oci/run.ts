import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeMachine, machine, reportResult, say } from "../measure/result.ts";
import { runRounds } from "../measure/rounds.ts";
import { isChosen, parseOptions } from "../options.ts";
import { operationsTable, samplesTable } from "../report.ts";
import type { Sample } from "../samples.ts";
import { figuresTable } from "./figures.ts";
import { type Fixture, seed } from "./fixtures.ts";
import type { Load, Round } from "./loads/load.ts";
import { manifestPutLoad } from "./loads/manifests.ts";
import { pullLoad } from "./loads/pulls.ts";
import { pushLoad } from "./loads/pushes.ts";
import { readLoad } from "./loads/reads.ts";
import { tagsLoad } from "./loads/tags.ts";
import { measureOperations } from "./operations.ts";
import { type OciServer, SERVER_NAMES, startServer } from "./servers.ts";

const LOADS: readonly Load[] = [readLoad, pullLoad, pushLoad, manifestPutLoad, tagsLoad];
const OPERATIONS = "operations";

const options = parseOptions(process.argv.slice(2), {
  loads: [...LOADS.map(({ name }) => name), OPERATIONS],
  servers: SERVER_NAMES,
});
const { quick, rounds, durationMs } = options;
const round: Omit<Round, "number"> = {
  durationMs,
  blobBytes: quick ? [1e6, 10e6] : [1e6, 100e6, 1e9],
  maxPushBytes: quick ? 100e6 : 1e9,
  requests: quick ? 50 : 300,
  tags: quick ? 500 : 10_000,
};

async function measureServers(loads: readonly Load[]): Promise<readonly Sample[]> {
  const folder = await mkdtemp(join(tmpdir(), "entrepot-bench-oci-"));
  const started: OciServer[] = [];
  const servers: (OciServer & { readonly fixture: Fixture })[] = [];
  try {
    for (const name of options.servers) {
      const server = await startServer(name, folder);
      started.push(server);
      const fixture = await seed(server, loads.includes(pullLoad) ? round.blobBytes : []);
      servers.push({ ...server, fixture });
      say(`${name} has its fixtures`);
    }
    return await runRounds(loads, servers, rounds, (load, server, number) =>
      load.run(server, server.fixture, { ...round, number }),
    );
  } finally {
    await Promise.all(started.map((server) => server.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}

const before = machine();
say(describeMachine(before));
const loads = LOADS.filter(({ name }) => isChosen(options, name));
const samples = loads.length === 0 ? [] : await measureServers(loads);
const operations = isChosen(options, OPERATIONS) ? await measureOperations(quick ? 10 : 50) : [];
const peers = SERVER_NAMES.filter((name) => name !== "entrepot");
await reportResult("oci-", { round, rounds, before, after: machine(), samples, operations }, [
  samplesTable(samples, SERVER_NAMES, peers),
  samples.length === 0 ? "" : figuresTable(samples, round.blobBytes),
  operationsTable(operations),
]);
