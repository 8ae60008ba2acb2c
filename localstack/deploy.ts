// `npm run local:deploy`: the storage, API and worker stacks at the endpoint that `local:up` left, a gateway before the
// API, and the first admin token. Again: an update.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { invokeFunction } from "./aws-call.ts";
import { endpointEnvironment, LOCAL_ACCOUNT, LOCAL_REGION, trustHere } from "./endpoint.ts";
import { freePort } from "./ministack.ts";
import { runProgram, startDetached, stopGroup } from "./processes.ts";
import { LOCAL_FOLDER, type LocalState, readState, writeState } from "./state.ts";

const CONFIG = "localstack/entrepot.config.ts";
// The emulator does not know all that the other stacks are made of, such as alarms on expressions.
const STACKS = ["local-storage", "local-api", "local-workers"];
const OUTPUTS = join(LOCAL_FOLDER, "outputs.json");
const outputsSchema = z.record(z.string(), z.record(z.string(), z.string()));
const bootstrapSchema = z.object({ token: z.string().nullable() });

const found = await readState();
if (found === undefined) throw new Error("No endpoint is up; run npm run local:up first.");
await trustHere(found.endpoint);
const outputs = await deployStacks(found);
const { state, url } = await startGateway(found, outputs);
const token = (await bootstrapToken(state, outputs)) ?? found.deployment?.token;
if (token === undefined) {
  throw new Error(
    "The first admin token was given out before; local:down and local:up begin anew.",
  );
}
await writeState({ ...state, deployment: { url, token, outputs } });
console.log(`The registry answers at ${url}\nIts admin token: ${token}\nNext: npm run local:test`);

/** @returns what the stacks gave out, all in one. */
async function deployStacks({ endpoint }: LocalState): Promise<Record<string, string>> {
  const env = endpointEnvironment(endpoint);
  const app = ["--output", join(LOCAL_FOLDER, "cdk.out"), "-c", `config=${CONFIG}`];
  await runProgram(["npm", "run", "--silent", "bundle"], env);
  await runProgram(["cdk", "bootstrap", `aws://${LOCAL_ACCOUNT}/${LOCAL_REGION}`, ...app], env);
  const options = ["--require-approval", "never", "--outputs-file", OUTPUTS];
  await runProgram(["cdk", "deploy", ...STACKS, ...app, ...options], env);
  const stacks = outputsSchema.parse(JSON.parse(await readFile(OUTPUTS, "utf8")));
  return Object.fromEntries(Object.values(stacks).flatMap((values) => Object.entries(values)));
}

/** Puts a new gateway before the API; the port stays, so that what clients have stored still holds. */
async function startGateway(
  state: LocalState,
  outputs: Readonly<Record<string, string>>,
): Promise<{ state: LocalState; url: string }> {
  const { gateway: before, ...others } = state.processes;
  if (before !== undefined) await stopGroup(before);
  const port =
    state.deployment === undefined ? await freePort() : Number(new URL(state.deployment.url).port);
  const apiId = new URL(outputs["Url"] ?? "").hostname.split(".")[0] ?? "";
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

/** @returns the first admin token; `undefined` when there was one before. */
async function bootstrapToken(
  { endpoint }: LocalState,
  outputs: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const name = outputs["MaintenanceFunction"] ?? "";
  const result = await invokeFunction(endpoint, name, { task: "bootstrap" });
  return bootstrapSchema.parse(result).token ?? undefined;
}
