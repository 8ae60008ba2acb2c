import { KMSClient } from "@aws-sdk/client-kms";
import type { S3ClientConfig } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { dynamoClient } from "../../shared/adapters/dynamodb/dynamo-client.ts";

/**
 * How long a store may take before it counts as silent. A function has 29 seconds, so that an attempt that hangs must
 * leave time for another one. Without `throwOnRequestTimeout` the SDK only warns.
 */
const QUICK = { connectionTimeout: 1000, requestTimeout: 3000, throwOnRequestTimeout: true };
/** S3 answers the copy or the joining of a large object when it is done. */
const PATIENT = { connectionTimeout: 1000, socketTimeout: 25_000 };

/**
 * The SDK measures what the service bears and waits in between, with jitter; three attempts keep a call within some
 * six seconds (https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html).
 */
const RETRIES = { retryMode: "adaptive", maxAttempts: 3 } as const;

/** DynamoDB's; repeats nothing by itself, because the adapter knows what may be repeated. */
export function tableClient(): DynamoDBClient {
  return dynamoClient({ requestHandler: QUICK });
}

/** Of S3's client. At an endpoint that is not AWS's own, buckets are paths and not host names. */
export function blobClientConfig(variables: NodeJS.ProcessEnv): S3ClientConfig {
  const endpoint = variables["AWS_ENDPOINT_URL_S3"] ?? variables["AWS_ENDPOINT_URL"];
  return {
    ...RETRIES,
    requestHandler: PATIENT,
    forcePathStyle: endpoint !== undefined && endpoint !== "",
  };
}

/** KMS's. */
export function keysClient(): KMSClient {
  return new KMSClient({ ...RETRIES, requestHandler: QUICK });
}

/** The queues'. */
export function queueClient(): SQSClient {
  return new SQSClient({ ...RETRIES, requestHandler: QUICK });
}
