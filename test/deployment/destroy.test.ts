import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { Aws } from "../../infra/commands/aws-call.ts";
import { readStackOutputs } from "../../infra/commands/stack-outputs.ts";
import { LOCAL_REGION } from "../../localstack/endpoint.ts";
import { runProgram } from "../../localstack/processes.ts";
import { dynamoClient } from "../../shared/adapters/dynamodb/dynamo-client.ts";
import { DynamoTable } from "../../shared/adapters/dynamodb/dynamo-table.ts";
import { describeDeployed } from "./describe-deployed.ts";

const LIMIT_MS = 600_000;
const KEY = { pk: "KEPT", sk: "row" };

describeDeployed("npm run destroy", () => {
  test(
    "keeps the data for the next npm run deploy, and removes it when told to",
    async () => {
      await npmRun("deploy");
      const stored = await openData();
      await stored.write();
      await npmRun("destroy", "--confirm", "second");
      await expect(outputs("second-api")).rejects.toThrow("does not exist");
      await expect(outputs("second-workers")).rejects.toThrow("does not exist");
      expect(await stored.read()).toEqual({ row: "kept", object: "kept" });

      await npmRun("deploy");
      expect((await outputs("second-api")).get("Url")).toMatch(/^https?:/);
      expect(await (await openData()).read()).toEqual({ row: "kept", object: "kept" });

      await npmRun("destroy", "--confirm", "second", "--delete-data");
      await expect(outputs("second-storage")).rejects.toThrow("does not exist");
      await expect(stored.readRow()).rejects.toThrow();
      await expect(stored.readObject()).rejects.toThrow();
    },
    LIMIT_MS,
  );
});

function npmRun(script: string, ...more: readonly string[]): Promise<string> {
  const config = ["--config", "localstack/second.config.ts", "--yes"];
  return runProgram(["npm", "run", "--silent", script, "--", ...config, ...more]);
}

async function outputs(stack: string): Promise<ReadonlyMap<string, string>> {
  return readStackOutputs(await Aws.open({ region: LOCAL_REGION }), stack);
}

/** A row and an object of the second registry, past its functions. */
async function openData() {
  const names = await outputs("second-storage");
  const tableName = names.get("TableName") ?? "";
  const object = { Bucket: names.get("BucketName") ?? "", Key: "blobs/kept" };
  const table = new DynamoTable({ client: dynamoClient(), tableName });
  const client = new S3Client({ forcePathStyle: true });
  const readRow = async () => (await table.get(KEY))?.attributes["said"];
  const readObject = async () => {
    const { Body } = await client.send(new GetObjectCommand(object));
    return Body?.transformToString();
  };
  return {
    write: async () => {
      await table.write([{ op: "put", item: { key: KEY, attributes: { said: "kept" } } }]);
      await client.send(new PutObjectCommand({ ...object, Body: "kept" }));
    },
    readRow,
    readObject,
    read: async () => ({ row: await readRow(), object: await readObject() }),
  };
}
