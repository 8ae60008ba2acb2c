import { DynamoDBClient, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";

/**
 * A client as `DynamoTable` needs it: with the SDK's own retries off, because `DynamoTable` knows which
 * writes may be repeated. Region, endpoint and credentials come from the environment unless given.
 */
export function dynamoClient(config: DynamoDBClientConfig = {}): DynamoDBClient {
  return new DynamoDBClient({ ...config, maxAttempts: 1 });
}
