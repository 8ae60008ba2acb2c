import { createTable } from "../../../shared/adapters/dynamodb/create-table.ts";
import { dynamoClient } from "../../../shared/adapters/dynamodb/dynamo-client.ts";
import { DynamoTable } from "../../../shared/adapters/dynamodb/dynamo-table.ts";
import { LocalKeys } from "../../../shared/adapters/filesystem/local-keys.ts";
import { NodeOutboundHttp } from "../../../shared/adapters/http/node-outbound-http.ts";
import { S3Blobs } from "../../../shared/adapters/s3/s3-blobs.ts";
import { SILENT_LOG } from "../../../shared/ports/log.ts";
import { type DynamoSource, openDynamo } from "../dynoxide.ts";
import { Proxy } from "../proxy.ts";
import { startS3Server } from "../s3-server.ts";
import { registryOver, type TestRegistry } from "../services.ts";
import { temporaryFolder } from "../temporary-folder.ts";

/** A store that hangs is given up this soon, so that tests need not wait as long as functions do. */
const TIMEOUT_MS = 300;
const TABLE = "entrepot";

/** The apps over DynamoDB and S3 endpoints, with a proxy that does harm before each. */
export interface AwsRegistry extends TestRegistry {
  readonly dynamo: Proxy;
  readonly s3: Proxy;
}

/** Starts the endpoints; `close` stops them. The function's clients are made as in `functions/lambda`. */
export async function openAwsRegistry(source: DynamoSource): Promise<AwsRegistry> {
  await using stack = new AsyncDisposableStack();
  const endpoint = stack.use(await openDynamo(source));
  const server = await startS3Server();
  stack.defer(() => server.stop());
  const dynamo = stack.use(await Proxy.open(endpoint.url));
  const s3 = stack.use(await Proxy.open(server.endpoint));
  const folder = stack.use(await temporaryFolder("aws-registry"));
  await createTable(endpoint.client(), TABLE);
  const quick = { requestTimeout: TIMEOUT_MS, throwOnRequestTimeout: true };
  const table = new DynamoTable({
    client: dynamoClient({
      endpoint: dynamo.url,
      region: "us-east-1",
      credentials: server.clientConfig.credentials,
      requestHandler: quick,
    }),
    tableName: TABLE,
  });
  stack.defer(() => table.close());
  const blobs = new S3Blobs({
    bucket: server.bucket,
    leftovers: "leave",
    client: {
      ...server.clientConfig,
      endpoint: s3.url,
      retryMode: "standard",
      maxAttempts: 2,
      requestHandler: { ...quick, requestTimeout: 5 * TIMEOUT_MS },
    },
  });
  const keys = await LocalKeys.open(folder.path);
  const outbound = new NodeOutboundHttp();
  stack.defer(() => outbound.close());
  const clock = { aheadMs: 0 };
  const running = stack.move();
  const close = (): Promise<void> => running.disposeAsync();
  const now = (): number => Date.now() + clock.aheadMs;
  const stores = { table, blobs, keys, log: SILENT_LOG, outbound, now };
  return { ...registryOver(stores, { clock, close }), dynamo, s3 };
}
