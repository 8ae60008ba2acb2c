import { afterAll } from "vitest";
import { createTable } from "../../shared/adapters/dynamodb/create-table.ts";
import { DynamoTable } from "../../shared/adapters/dynamodb/dynamo-table.ts";
import { type DynamoEndpoint, dynamoSource, openDynamo } from "../support/dynoxide.ts";
import { describeWhen } from "../support/programs.ts";
import { describeTableContract } from "./table.contract.ts";

describeWhen(dynamoSource(), "dynoxide or AWS_ENDPOINT_URL_DYNAMODB", "DynamoDB", (source) => {
  let endpoint: DynamoEndpoint | undefined;
  afterAll(() => endpoint?.[Symbol.asyncDispose]());

  describeTableContract("DynamoTable", async () => {
    endpoint = await openDynamo(source);
    const tableName = `entrepot-test-${Date.now()}`;
    const client = endpoint.client();
    await createTable(client, tableName);
    return { table: new DynamoTable({ client, tableName }) };
  });
});
