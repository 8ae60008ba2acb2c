import { spawn } from "node:child_process";
import { createServer, type Server } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Aws } from "../../infra/commands/aws-call.ts";
import { emptyBucket } from "../../infra/commands/empty-bucket.ts";
import { makeFirstToken } from "../../infra/commands/first-token.ts";
import { CommandError, readOptions } from "../../infra/commands/options.ts";
import { readStackOutputs } from "../../infra/commands/stack-outputs.ts";

interface Received {
  readonly path: string;
  readonly authorization: string;
  readonly body: string;
}

let server: Server;
let received: Received[];
/** Answers in their order; the last one again and again. */
let answers: { readonly status?: number; readonly body: string }[];
const before = { ...process.env };

beforeEach(async () => {
  received = [];
  answers = [];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { url: path = "", headers } = request;
      const body = Buffer.concat(chunks).toString("utf8");
      received.push({ path, authorization: headers.authorization ?? "", body });
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      response.writeHead(answer?.status ?? 200).end(answer?.body ?? "");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
    AWS_ACCESS_KEY_ID: "AKIAAAAAAAAAAAAAAAAA",
    AWS_SECRET_ACCESS_KEY: "secret",
  });
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  for (const name of Object.keys(process.env)) {
    if (!(name in before)) delete process.env[name];
  }
  Object.assign(process.env, before);
});

const open = () => Aws.open({ region: "eu-central-1" });

describe("the first admin token", () => {
  test("is what the maintenance function answers to a signed invocation", async () => {
    answers = [{ body: JSON.stringify({ task: "bootstrap", token: "ep_at_x", message: "" }) }];
    expect(await makeFirstToken(await open(), "registry-maintenance")).toBe("ep_at_x");
    expect(received).toMatchObject([
      {
        path: "/2015-03-31/functions/registry-maintenance/invocations",
        body: '{"task":"bootstrap"}',
        authorization: expect.stringContaining("/eu-central-1/lambda/aws4_request, "),
      },
    ]);
  });

  test("is none where there was one before", async () => {
    answers = [{ body: '{"task":"bootstrap","token":null,"message":""}' }];
    expect(await makeFirstToken(await open(), "registry-maintenance")).toBeUndefined();
  });

  test("that cannot be made is reported with the function's words, or the service's", async () => {
    answers = [{ body: '{"errorMessage":"the table is gone"}' }];
    await expect(makeFirstToken(await open(), "m")).rejects.toThrow("the table is gone");
    answers = [{ status: 403, body: "AccessDenied" }];
    await expect(makeFirstToken(await open(), "m")).rejects.toThrow(
      "lambda answered 403: AccessDenied",
    );
  });
});

test("outputs of a stack are read by name, in whatever order their parts stand", async () => {
  answers = [
    {
      body: `<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>s</StackName>
<Parameters><member><ParameterKey>P</ParameterKey><ParameterValue>no</ParameterValue></member></Parameters>
<Outputs><member><OutputKey>Url</OutputKey><OutputValue>https://x.example</OutputValue></member>
<member><Description>d</Description><OutputValue>t</OutputValue><OutputKey>TableName</OutputKey></member></Outputs>
</member></Stacks></DescribeStacksResult></DescribeStacksResponse>`,
    },
  ];
  expect(await readStackOutputs(await open(), "entrepot-api")).toEqual(
    new Map([
      ["Url", "https://x.example"],
      ["TableName", "t"],
    ]),
  );
  expect(received[0]?.body).toBe("Action=DescribeStacks&Version=2010-05-15&StackName=entrepot-api");
});

describe("emptying a bucket", () => {
  const list = (versions: string) => ({
    body: `<ListVersionsResult><Name>b</Name>${versions}<IsTruncated>false</IsTruncated></ListVersionsResult>`,
  });
  const VERSION = "<Version><Key>blobs/a</Key><VersionId>v1</VersionId></Version>";
  const MARKER = "<DeleteMarker><Key>blobs/a</Key><VersionId>v2</VersionId></DeleteMarker>";

  test("removes versions and delete markers until nothing is listed", async () => {
    answers = [list(VERSION + MARKER), { body: "<DeleteResult/>" }, list("")];
    await emptyBucket("b", "eu-central-1");
    expect(received.map(({ path }) => /\?(\w+)/.exec(path)?.[1])).toEqual([
      "versions",
      "delete",
      "versions",
    ]);
    expect(received[1]?.body).toContain("<VersionId>v1</VersionId>");
    expect(received[1]?.body).toContain("<VersionId>v2</VersionId>");
  });

  test("stops at a version that a lock holds, and says which", async () => {
    const locked =
      "<DeleteResult><Error><Key>blobs/a</Key><Code>AccessDenied</Code><Message>locked</Message></Error></DeleteResult>";
    answers = [list(VERSION), { body: locked }];
    await expect(emptyBucket("b", "eu-central-1")).rejects.toThrow("blobs/a: locked");
  });
});

describe("npm run destroy", () => {
  test("does not delete data while it is protected, and asks nobody", async () => {
    const { code, stderr } = await runDestroy(["--delete-data", "--confirm", "entrepot"]);
    expect(code).toBe(1);
    expect(stderr).toContain("The data is protected against deletion, and nothing was removed.");
    expect(received).toEqual([]);
  });

  test("refuses a flag that it does not know", async () => {
    await expect(readOptions(["--delete-dta"])).rejects.toThrow("--delete-dta");
    await expect(readOptions(["--config", "missing.ts"])).rejects.toThrow();
    expect(await readOptions(["--yes"])).toMatchObject({ yes: true, deleteData: false });
  });
});

test("without a region, a command says where to set one", async () => {
  Object.assign(process.env, { AWS_CONFIG_FILE: "/nonexistent" });
  delete process.env["AWS_REGION"];
  delete process.env["AWS_DEFAULT_REGION"];
  await expect(Aws.open({})).rejects.toThrow(CommandError);
});

async function runDestroy(args: readonly string[]): Promise<{ code: number; stderr: string }> {
  const child = spawn(process.execPath, ["infra/commands/destroy.ts", ...args]);
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const code = await new Promise<number>((resolve) =>
    child.on("close", (found) => resolve(found ?? -1)),
  );
  return { code, stderr };
}
