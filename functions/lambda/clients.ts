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
 * How a client repeats what failed, always with jitter
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html).
 *
 * - `request`: somebody waits for the answer: three attempts, which pause less than a second in all.
 * - `background`: the SDK also measures what the service bears and holds requests back. Not where somebody waits: after
 *   a few answers of SlowDown it lets one request through every two seconds, and a publish took 25 seconds.
 */
export type Pace = "request" | "background";

const RETRIES = {
  request: { retryMode: "standard", maxAttempts: 3 },
  background: { retryMode: "adaptive", maxAttempts: 5 },
} as const satisfies Record<Pace, object>;

/** DynamoDB's; repeats nothing by itself, because the adapter knows what may be repeated. */
export function tableClient(): DynamoDBClient {
  return dynamoClient({ requestHandler: QUICK });
}

/** Of S3's client. At an endpoint that is not AWS's own, buckets are paths and not host names. */
export function blobClientConfig(variables: NodeJS.ProcessEnv, pace: Pace): S3ClientConfig {
  const endpoint = variables["AWS_ENDPOINT_URL_S3"] ?? variables["AWS_ENDPOINT_URL"];
  return {
    ...RETRIES[pace],
    requestHandler: PATIENT,
    forcePathStyle: endpoint !== undefined && endpoint !== "",
  };
}

/** KMS's. */
export function keysClient(pace: Pace): KMSClient {
  return new KMSClient({ ...RETRIES[pace], requestHandler: QUICK });
}

/** The queues'. */
export function queueClient(pace: Pace): SQSClient {
  return new SQSClient({ ...RETRIES[pace], requestHandler: QUICK });
}
