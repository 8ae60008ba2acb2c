// `npm run local:up`: an AWS endpoint on this machine. With AWS_ENDPOINT_URL set that one is used, whatever it is;
// otherwise MiniStack is installed from PyPI and started, without Docker.
import { type Endpoint, waitForEndpoint } from "./endpoint.ts";
import { installMinistack, START_LIMIT_MS, startMinistack } from "./ministack.ts";
import { isRunning, stopGroup } from "./processes.ts";
import { readState, removeState, writeState } from "./state.ts";

const state = await readState();
const given = process.env["AWS_ENDPOINT_URL"] ?? "";
if (state !== undefined && Object.values(state.processes).some(isRunning)) {
  console.log(`${state.endpoint.url} is up already; npm run local:down ends it.`);
} else {
  const endpoint = given === "" ? await startOurs() : await useGiven(given.replace(/\/+$/, ""));
  console.log(`${endpoint.url} is up. Next: npm run local:deploy`);
}

async function startOurs(): Promise<Endpoint> {
  await installMinistack();
  const { endpoint, pid } = await startMinistack();
  // Before anything can fail, so that local:down finds the process.
  await writeState({ endpoint, processes: { ministack: pid } });
  try {
    await waitForEndpoint(endpoint, START_LIMIT_MS);
  } catch (error) {
    await stopGroup(pid);
    await removeState();
    throw error;
  }
  return endpoint;
}

async function useGiven(url: string): Promise<Endpoint> {
  const endpoint = { url, certificate: process.env["NODE_EXTRA_CA_CERTS"] };
  await waitForEndpoint(endpoint, 10_000);
  await writeState({ endpoint, processes: {} });
  return endpoint;
}
