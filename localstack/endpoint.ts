import { delimiter, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const PROJECT = resolve(import.meta.dirname, "..");

/** The account and region of emulators; both of the emulators named in compose.yaml begin with them. */
export const LOCAL_ACCOUNT = "000000000000";
export const LOCAL_REGION = "us-east-1";

/**
 * The environment for programs that speak to `endpoint` as if it were AWS: never with the credentials, profile or
 * region of the person at the keyboard, so that nothing of theirs can be reached by mistake.
 */
export function endpointEnvironment(endpoint: string): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("AWS_"));
  return {
    ...Object.fromEntries(own),
    PATH: withProjectPrograms(),
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_REGION: LOCAL_REGION,
    AWS_DEFAULT_REGION: LOCAL_REGION,
    AWS_EC2_METADATA_DISABLED: "true",
    CDK_DEFAULT_ACCOUNT: LOCAL_ACCOUNT,
    CDK_DEFAULT_REGION: LOCAL_REGION,
    CDK_DISABLE_CLI_TELEMETRY: "true",
  };
}

/** PATH with the project's own programs first: `node` is Node 24 there, whatever the machine has. */
export function withProjectPrograms(): string {
  return [join(PROJECT, "node_modules", ".bin"), process.env["PATH"] ?? ""].join(delimiter);
}

/** Resolves once the endpoint answers. @throws when it has not within `limitMs`. */
export async function waitForEndpoint(endpoint: string, limitMs: number): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!(await answers(endpoint))) {
    if (Date.now() > deadline) throw new Error(`nothing answers at ${endpoint}`);
    await sleep(200);
  }
}

async function answers(endpoint: string): Promise<boolean> {
  try {
    return (await fetch(`${endpoint}/_localstack/health`)).ok;
  } catch {
    return false;
  }
}
