// `npm run local:up`: an AWS endpoint on this machine. With AWS_ENDPOINT_URL set that one is used, whatever it is;
// otherwise MiniStack is installed from PyPI and started, without Docker.
import { waitForEndpoint } from "./endpoint.ts";
import { installMinistack, startMinistack } from "./ministack.ts";
import { isRunning } from "./processes.ts";
import { readState, writeState } from "./state.ts";

const state = await readState();
const running = Object.values(state?.processes ?? {}).filter(isRunning);
if (state !== undefined && running.length > 0) {
  console.log(`${state.endpoint.url} is up already; npm run local:down ends it.`);
} else {
  const given = process.env["AWS_ENDPOINT_URL"];
  if (given === undefined || given === "") {
    await installMinistack();
    const { endpoint, pid } = await startMinistack();
    await writeState({ endpoint, processes: { ministack: pid } });
    console.log(`MiniStack answers at ${endpoint.url}. Next: npm run local:deploy`);
  } else {
    const endpoint = {
      url: given.replace(/\/+$/, ""),
      certificate: process.env["NODE_EXTRA_CA_CERTS"],
    };
    await waitForEndpoint(endpoint, 10_000);
    await writeState({ endpoint, processes: {} });
    console.log(`Using ${endpoint.url}. Next: npm run local:deploy`);
  }
}
