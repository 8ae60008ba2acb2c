import { createInterface } from "node:readline/promises";
import { DescribeTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Config } from "../config/schema.ts";
import { Aws } from "./aws-call.ts";
import { emptyBucket } from "./empty-bucket.ts";
import { CommandError, type CommandOptions, runCommand } from "./options.ts";
import { read, run } from "./programs.ts";
import { readStackOutputs } from "./stack-outputs.ts";

/** A bucket and the region that it is in. */
interface Place {
  readonly bucket: string;
  readonly region: string;
}

/**
 * `npm run destroy`: removes what runs, and keeps what is stored; `npm run deploy` brings the registry back. With
 * `--delete-data`, removes that too, for good.
 */
async function destroy(options: CommandOptions): Promise<void> {
  const { config, context, deleteData } = options;
  if (deleteData && config.storage.deletionProtection) throw stillProtected();
  const data = [`${config.name}-storage`, `${config.name}-replica`];
  await run("node", ["infra/bundles/bundle.ts"]);
  const listed = await read("cdk", ["list", ...context]);
  const stacks = listed.split("\n").filter((name) => name.startsWith(`${config.name}-`));
  const places = deleteData ? await placesToEmpty(config) : [];
  await confirm(options);
  await cdkDestroy(
    stacks.filter((stack) => !data.includes(stack)),
    context,
  );
  if (!deleteData) {
    process.stdout.write(`\n  The data is kept in stack ${config.name}-storage.\n\n`);
    return;
  }
  for (const { bucket, region } of places) await emptyBucket(bucket, region);
  await cdkDestroy(
    stacks.filter((stack) => data.includes(stack)),
    context,
  );
}

async function cdkDestroy(stacks: readonly string[], context: readonly string[]): Promise<void> {
  if (stacks.length > 0) await run("cdk", ["destroy", "--force", ...stacks, ...context]);
}

/** The buckets of a deployment whose protection has really been turned off. @throws {CommandError} */
async function placesToEmpty(config: Config): Promise<readonly Place[]> {
  const aws = await Aws.open(config);
  const outputs = await readStackOutputs(aws, `${config.name}-storage`);
  const bucket = outputs.get("BucketName");
  const TableName = outputs.get("TableName");
  if (bucket === undefined || TableName === undefined) {
    throw new CommandError(`Stack ${config.name}-storage does not name its table and bucket.`);
  }
  const client = new DynamoDBClient({ region: aws.region });
  const { Table } = await client.send(new DescribeTableCommand({ TableName }));
  if (Table?.DeletionProtectionEnabled !== false) throw stillProtected();
  const { replicaRegion } = config.storage;
  const replica = replicaRegion === undefined ? undefined : outputs.get("ReplicaBucketName");
  return [
    { bucket, region: aws.region },
    ...(replica === undefined || replicaRegion === undefined
      ? []
      : [{ bucket: replica, region: replicaRegion }]),
  ];
}

const stillProtected = (): CommandError =>
  new CommandError(
    "The data is protected against deletion, and nothing was removed. To delete it: set `storage.deletionProtection` to false in entrepot.config.ts, run npm run deploy, then npm run destroy -- --delete-data.",
  );

/** @throws {CommandError} unless the deployment's name was typed. */
async function confirm({ config, confirm: given, deleteData }: CommandOptions): Promise<void> {
  const what = deleteData
    ? `This deletes the registry "${config.name}" with every package in it, for good.`
    : `This removes the registry "${config.name}" and keeps its data.`;
  const typed = given ?? (await ask(`${what}\nType its name to go on: `));
  if (typed !== config.name) {
    throw new CommandError(`"${typed}" is not "${config.name}": nothing was removed.`);
  }
}

async function ask(question: string): Promise<string> {
  if (!process.stdin.isTTY) throw new CommandError(`${question}--confirm <name> does so here.`);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
}

await runCommand(destroy);
