import { readFile } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";

const PROJECT = resolve(import.meta.dirname, "..");

/** The account and region of emulators; both of the emulators named in compose.yaml begin with them. */
export const LOCAL_ACCOUNT = "000000000000";
export const LOCAL_REGION = "us-east-1";

/** Where the AWS API is. */
export interface Endpoint {
  /** Without a slash at the end. */
  readonly url: string;
  /** File of the certificate (PEM) that it shows, where no authority vouches for it. */
  readonly certificate?: string | undefined;
}

/** The variables that name authorities to trust, for Node and for what is written in Go, C and Python. */
const AUTHORITIES = [
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
  "CURL_CA_BUNDLE",
  "REQUESTS_CA_BUNDLE",
];

/**
 * Our environment without what speaks of AWS or of certificates, and with the project's own programs first in PATH:
 * `node` is Node 24 there, whatever the machine has. The credentials, profile and region of the person at the keyboard
 * are never passed on, so that nothing of theirs can be reached by mistake.
 */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith("AWS_") && !AUTHORITIES.includes(name),
  );
  const programs = join(PROJECT, "node_modules", ".bin");
  const path = [programs, process.env["PATH"] ?? ""].join(delimiter);
  return { ...Object.fromEntries(kept), PATH: path, AWS_EC2_METADATA_DISABLED: "true" };
}

/** The environment for programs that speak to `endpoint` as if it were AWS. */
export function endpointEnvironment(endpoint: Endpoint): NodeJS.ProcessEnv {
  return {
    ...cleanEnvironment(),
    ...trust(endpoint),
    AWS_ENDPOINT_URL: endpoint.url,
    // Root of the account; neither emulator gives it other credentials.
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_REGION: LOCAL_REGION,
    AWS_DEFAULT_REGION: LOCAL_REGION,
    CDK_DEFAULT_ACCOUNT: LOCAL_ACCOUNT,
    CDK_DEFAULT_REGION: LOCAL_REGION,
    CDK_DISABLE_CLI_TELEMETRY: "true",
  };
}

/** Variables with which a program trusts the endpoint's certificate. */
export function trust({ certificate }: Endpoint): Readonly<Record<string, string>> {
  if (certificate === undefined) return {};
  return Object.fromEntries(AUTHORITIES.map((name) => [name, certificate]));
}

/** Resolves once the endpoint answers. @throws when it has not within `limitMs`. */
export async function waitForEndpoint(endpoint: Endpoint, limitMs: number): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!(await isHealthy(endpoint))) {
    if (Date.now() > deadline) throw new Error(`nothing answers at ${endpoint.url}`);
    await sleep(200);
  }
}

async function isHealthy(endpoint: Endpoint): Promise<boolean> {
  try {
    await trustHere(endpoint);
    return (await fetch(`${endpoint.url}/_localstack/health`)).ok;
  } catch {
    return false;
  }
}

/** From now on this process speaks to `endpoint` as if it were AWS: `fetch`, the AWS SDK, and what it starts. */
export async function useEndpoint(endpoint: Endpoint): Promise<void> {
  for (const name of Object.keys(process.env)) {
    if (name.startsWith("AWS_")) Reflect.deleteProperty(process.env, name);
  }
  Object.assign(process.env, endpointEnvironment(endpoint));
  await trustHere(endpoint);
}

async function trustHere({ certificate }: Endpoint): Promise<void> {
  if (certificate === undefined) return;
  const own = await readFile(certificate, "utf8");
  setDefaultCACertificates([...getCACertificates("default"), own]);
}
