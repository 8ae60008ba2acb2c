// `npm run local:deploy`: `npm run deploy` to the endpoint that `local:up` left, and a gateway before the API. Again: an
// update.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Aws } from "../infra/commands/aws-call.ts";
import { readStackOutputs } from "../infra/commands/stack-outputs.ts";
import { endpointEnvironment, LOCAL_ACCOUNT, LOCAL_REGION, useEndpoint } from "./endpoint.ts";
import { config } from "./entrepot.config.ts";
import { freePort } from "./ministack.ts";
import { runProgram, startDetached, stopGroup } from "./processes.ts";
import { LOCAL_FOLDER, type LocalState, readState, writeState } from "./state.ts";

const found = await readState();
if (found === undefined) throw new Error("No endpoint is up; run npm run local:up first.");
await useEndpoint(found.endpoint);
const token = (await deployStacks()) ?? found.deployment?.token;
if (token === undefined) {
  throw new Error(
    "The first admin token was given out before; local:down and local:up begin anew.",
  );
}
const outputs = await readOutputs();
const { state, url } = await startGateway(found, new URL(outputs["Url"] ?? ""));
await writeState({ ...state, deployment: { url, token, outputs } });
console.log(`The registry answers at ${url}\nIts admin token: ${token}\nNext: npm run local:test`);

/** @returns the first admin token; `undefined` when there was one before. */
async function deployStacks(): Promise<string | undefined> {
  const options = ["--config", "localstack/entrepot.config.ts", "--yes"];
  const context = ["-c", "config=localstack/entrepot.config.ts"];
  await runProgram(["cdk", "bootstrap", `aws://${LOCAL_ACCOUNT}/${LOCAL_REGION}`, ...context]);
  const printed = await runProgram(["npm", "run", "--silent", "deploy", "--", ...options]);
  return /Admin token\s+(\S+)/.exec(printed)?.[1];
}

/** @returns what the stacks gave out, all in one. */
async function readOutputs(): Promise<Readonly<Record<string, string>>> {
  const aws = await Aws.open({ region: LOCAL_REGION });
  const stacks = ["storage", "api", "workers"].map((name) =>
    readStackOutputs(aws, `${config.name ?? "entrepot"}-${name}`),
  );
  return Object.fromEntries((await Promise.all(stacks)).flatMap((values) => [...values]));
}

/** Puts a new gateway before the API; its port stays, so that what clients have stored still holds. */
async function startGateway(
  state: LocalState,
  apiUrl: URL,
): Promise<{ state: LocalState; url: string }> {
  const { gateway: before, ...others } = state.processes;
  if (before !== undefined) await stopGroup(before);
  const port =
    state.deployment === undefined ? await freePort() : Number(new URL(state.deployment.url).port);
  const apiId = apiUrl.hostname.split(".")[0] ?? "";
  const program = join(import.meta.dirname, "run-gateway.ts");
  const gateway = await startDetached(
    [process.execPath, program, String(port), state.endpoint.url, apiId],
    endpointEnvironment(state.endpoint),
    join(LOCAL_FOLDER, "gateway.log"),
  );
  const next = { ...state, processes: { ...others, gateway } };
  // Before anything can fail, so that local:down finds the process.
  await writeState(next);
  const url = `http://127.0.0.1:${port}`;
  await waitForHealth(url);
  return { state: next, url };
}

async function waitForHealth(url: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const status = await fetch(`${url}/healthz`).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return;
    if (Date.now() > deadline) throw new Error(`${url}/healthz answers ${status}, not 200`);
    await sleep(200);
  }
}
