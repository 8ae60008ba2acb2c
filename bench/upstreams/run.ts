import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpuMs } from "../measure/process-usage.ts";
import { describeMachine, machine, reportResult, say } from "../measure/result.ts";
import { isChosen, parseOptions } from "../options.ts";
import { samplesTable } from "../report.ts";
import type { Sample } from "../samples.ts";
import { type Install, npmInstall, pipDownload } from "./installs.ts";
import {
  direct,
  npmUpstream,
  pypiUpstream,
  SERVER_NAMES,
  type Source,
  startDevpi,
  startEntrepot,
  startVerdaccio,
} from "./servers.ts";

interface Load {
  readonly name: "npm" | "pip";
  readonly label: string;
  readonly install: Install;
  /** Each starts one, in a folder of its own; `undefined`: it is not installed. */
  readonly starts: readonly ((folder: string) => Promise<Source | undefined>)[];
}

/** Installs through a registry of one's own from the public one: the first time, and when everything is cached there. */
const LOADS: readonly Load[] = [
  {
    name: "npm",
    label: "npm install of 570 packages",
    install: npmInstall,
    starts: [
      (folder) => startEntrepot(folder, "npm", npmUpstream()),
      async () => direct(npmUpstream()),
      (folder) => startVerdaccio(folder, npmUpstream()),
    ],
  },
  {
    name: "pip",
    label: "pip download of a scientific stack",
    install: pipDownload,
    starts: [
      (folder) => startEntrepot(folder, "pypi", pypiUpstream()),
      async () => direct(pypiUpstream()),
      (folder) => startDevpi(folder, pypiUpstream()),
    ],
  },
];

async function measure(load: Load, rounds: number): Promise<readonly Sample[]> {
  const folder = await mkdtemp(join(tmpdir(), "entrepot-bench-"));
  const sources: Source[] = [];
  const samples: Sample[] = [];
  try {
    for (const start of load.starts) {
      const source = await start(folder);
      if (source !== undefined) sources.push(source);
    }
    for (const temperature of ["cold", ...Array.from({ length: rounds }, () => "warm")]) {
      for (const source of sources) {
        say(`${load.label}, ${temperature}: ${source.name}`);
        const before = source.pid === 0 ? 0 : cpuMs(source.pid);
        const seconds = await load.install(source);
        const at = { case: `${load.label}, ${temperature}`, server: source.name };
        samples.push({ ...at, metric: "seconds", value: seconds });
        if (source.pid !== 0) {
          samples.push({ ...at, metric: "CPU ms", value: cpuMs(source.pid) - before });
        }
      }
    }
  } finally {
    await Promise.all(sources.map(({ stop }) => stop()));
    await rm(folder, { recursive: true, force: true });
  }
  return samples;
}

const names = LOADS.map(({ name }) => name);
const options = parseOptions(process.argv.slice(2), { loads: names, servers: SERVER_NAMES });
const before = machine();
say(describeMachine(before));
const samples: Sample[] = [];
for (const load of LOADS) {
  if (isChosen(options, load.name)) samples.push(...(await measure(load, options.rounds)));
}
await reportResult("upstreams-", { options, before, after: machine(), samples }, [
  samplesTable(samples, SERVER_NAMES, ["direct", "verdaccio", "devpi"]),
]);
