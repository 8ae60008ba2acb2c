import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Bundle, buildBundles } from "../../../infra/bundles/build-bundles.ts";
import { findEntryPoints } from "../../../infra/bundles/entry-points.ts";
import { PROTOCOLS } from "../../../functions/protocols.ts";
import { createTable } from "../../../shared/adapters/dynamodb/create-table.ts";
import { DynamoTable } from "../../../shared/adapters/dynamodb/dynamo-table.ts";
import { type DynamoSource, openDynamo } from "../dynoxide.ts";
import { Proxy } from "../proxy.ts";
import { startS3Server } from "../s3-server.ts";
import { MAC_KEY, SIGNING_KEY, startKms } from "./kms-service.ts";
import { type SqsService, startSqs } from "./sqs-service.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const TABLE = "entrepot";

/** Functions as bundles over real stores, with API Gateway's part before them. */
export interface Deployment extends AsyncDisposable {
  /** Origin of the API. */
  readonly url: string;
  /** Text of the first admin token. */
  readonly adminToken: string;
  /** Stand between the functions and their stores. */
  readonly dynamoProxy: Proxy;
  readonly s3Proxy: Proxy;
  readonly sqs: SqsService;
  /** The table, past the proxy. */
  readonly table: DynamoTable;
  /** Lines that the functions have written, parsed. */
  readonly logs: readonly unknown[];
  /** Sends a request with the admin token; `token: null` sends none. */
  request(path: string, init?: RequestInit & { readonly token?: string | null }): Promise<Response>;
  /** Invokes a function with an event. Throws when the invocation fails. */
  invoke(name: string, event: unknown): Promise<unknown>;
  createRegistry(slug: string, ecosystem: string): Promise<void>;
}

/** Builds the bundles and starts everything on free ports of 127.0.0.1. */
export async function openDeployment(source: DynamoSource): Promise<Deployment> {
  await using stack = new AsyncDisposableStack();
  const bundles = await buildBundles(ROOT, findEntryPoints(ROOT));
  const dynamo = stack.use(await openDynamo(source));
  const s3 = await startS3Server();
  stack.defer(() => s3.stop());
  const kms = stack.use(await startKms());
  const sqs = stack.use(await startSqs());
  const dynamoProxy = stack.use(await Proxy.open(dynamo.url));
  const s3Proxy = stack.use(await Proxy.open(s3.endpoint));
  const client = dynamo.client();
  await createTable(client, TABLE);
  const table = new DynamoTable({ client, tableName: TABLE });
  stack.defer(() => table.close());
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, "gateway-program.ts"), JSON.stringify(functionsOf(bundles))],
    {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: process.env["PATH"],
        AWS_REGION: "us-east-1",
        AWS_ACCESS_KEY_ID: s3.clientConfig.credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: s3.clientConfig.credentials.secretAccessKey,
        AWS_ENDPOINT_URL_DYNAMODB: dynamoProxy.url,
        AWS_ENDPOINT_URL_S3: s3Proxy.url,
        AWS_ENDPOINT_URL_KMS: kms.url,
        AWS_ENDPOINT_URL_SQS: sqs.url,
        AWS_LAMBDA_FUNCTION_NAME: "test",
        ENTREPOT_TABLE: TABLE,
        ENTREPOT_BUCKET: s3.bucket,
        ENTREPOT_SIGNING_KEY: SIGNING_KEY,
        ENTREPOT_MAC_KEY: MAC_KEY,
        ENTREPOT_INDEX_QUEUE: `${sqs.url}/1/index`,
        ENTREPOT_WEBHOOK_QUEUE: `${sqs.url}/1/webhooks`,
        ENTREPOT_FETCH_QUEUE: `${sqs.url}/1/fetches`,
      },
    },
  );
  stack.defer(() => stop(child));
  const logs: unknown[] = [];
  const url = `http://127.0.0.1:${await portOf(child, logs)}`;

  const invoke: Deployment["invoke"] = async (name, event) => {
    const body = JSON.stringify(event);
    const response = await fetch(`${url}/_invoke/${name}`, { method: "POST", body });
    if (!response.ok) throw new Error(await response.text());
    return response.json();
  };
  const first = await invoke("maintenance", { task: "bootstrap" });
  const adminToken = isRecord(first) ? String(first["token"]) : "";
  const request: Deployment["request"] = async (path, { token = adminToken, ...init } = {}) => {
    const headers = new Headers(init.headers);
    if (token !== null) headers.set("authorization", `Bearer ${token}`);
    const answer = await fetch(url + path, { redirect: "manual", ...init, headers });
    // Read here, because connections whose answers nobody reads get in the way of others.
    const bytes = await answer.arrayBuffer();
    const { status } = answer;
    return new Response(bytes.byteLength === 0 ? null : bytes, { status, headers: answer.headers });
  };
  const running = stack.move();
  return {
    url,
    adminToken,
    dynamoProxy,
    s3Proxy,
    sqs,
    table,
    logs,
    request,
    invoke,
    createRegistry: async (slug, ecosystem) => {
      const response = await request("/api/v1/registries", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ slug, ecosystem, kind: "source" }),
      });
      if (response.status !== 201) throw new Error(await response.text());
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function functionsOf(bundles: readonly Bundle[]) {
  return Object.fromEntries(
    bundles.map(({ name, file }) => {
      const prefix = PROTOCOLS.find((protocol) => protocol.name === name)?.prefix;
      return [name, { file, ...(prefix === undefined ? {} : { prefix: `${prefix}/` }) }];
    }),
  );
}

async function portOf(child: ChildProcess, logs: unknown[]): Promise<number> {
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error("no output");
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => {
      reject(new Error(`the functions ended with ${code}: ${JSON.stringify(logs)}`));
    });
    const take = (line: string): void => {
      const value: unknown = parsed(line);
      if (isRecord(value) && typeof value["listening"] === "number") resolve(value["listening"]);
      else logs.push(value);
    };
    createInterface({ input: stdout }).on("line", take);
    createInterface({ input: stderr }).on("line", take);
  });
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return line;
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;
