import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { dynamoClient } from "../../shared/adapters/dynamodb/dynamo-client.ts";
import { freePort } from "./free-port.ts";
import { programPath } from "./programs.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** A DynamoDB endpoint for tests. Disposing stops what was started for it. */
export interface DynamoEndpoint extends AsyncDisposable {
  readonly url: string;
  /** A new client, as `DynamoTable` needs it. */
  client(): DynamoDBClient;
}

/** How to get an endpoint on this machine. */
export type DynamoSource = { readonly url: string } | { readonly program: string };

const START_MILLISECONDS = 10_000;

/** `AWS_ENDPOINT_URL_DYNAMODB` if it is set, else dynoxide; `undefined` when there is neither. */
export function dynamoSource(): DynamoSource | undefined {
  const url = process.env["AWS_ENDPOINT_URL_DYNAMODB"];
  if (url !== undefined && url !== "") return { url };
  const program = programPath("dynoxide");
  return program === undefined ? undefined : { program };
}

/** Connects to the given endpoint, or starts dynoxide on a free port of 127.0.0.1 with a database of its own. */
export async function openDynamo(source: DynamoSource): Promise<DynamoEndpoint> {
  if ("url" in source) return endpoint(source.url, async () => {});
  const folder = await temporaryFolder("dynoxide");
  const port = await freePort();
  const database = `${folder.path}/dynamo.db`;
  const child = spawn(source.program, ["--port", String(port), "--db-path", database], {
    stdio: "ignore",
  });
  const url = `http://127.0.0.1:${port}`;
  await untilAnswering(url, child);
  return endpoint(url, async () => {
    if (child.exitCode === null) {
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    }
    await folder[Symbol.asyncDispose]();
  });
}

function endpoint(url: string, stop: () => Promise<void>): DynamoEndpoint {
  return {
    url,
    client: () =>
      dynamoClient({
        endpoint: url,
        region: process.env["AWS_REGION"] ?? "eu-central-1",
        credentials: {
          accessKeyId: process.env["AWS_ACCESS_KEY_ID"] ?? "test",
          secretAccessKey: process.env["AWS_SECRET_ACCESS_KEY"] ?? "test",
        },
      }),
    [Symbol.asyncDispose]: stop,
  };
}

async function untilAnswering(url: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + START_MILLISECONDS;
  for (;;) {
    try {
      await fetch(url, { method: "POST" });
      return;
    } catch (cause) {
      if (child.exitCode !== null || Date.now() > deadline) {
        throw new Error("dynoxide does not answer", { cause });
      }
      await delay(20);
    }
  }
}
