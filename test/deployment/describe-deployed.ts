import { useEndpoint } from "../../localstack/endpoint.ts";
import { readState } from "../../localstack/state.ts";
import { describeWhen } from "../support/programs.ts";
import { Deployment } from "./deployment.ts";

const state = await readState();
if (state !== undefined) await useEndpoint(state.endpoint);
const found =
  state?.deployment === undefined ? undefined : new Deployment(state.endpoint, state.deployment);

/** Describes tests of the registry that `npm run local:deploy` has deployed; without one, as `describeWith` does. */
export function describeDeployed(title: string, tests: (deployment: Deployment) => void): void {
  describeWhen(found, "npm run local:up and local:deploy", title, tests);
}
