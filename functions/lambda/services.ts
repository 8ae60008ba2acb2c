import { SignedRegistryTokens } from "../../shared/adapters/aws/signed-registry-tokens.ts";
import { PREFERRED_DOCUMENT_BYTES } from "../../shared/adapters/dynamodb/schema.ts";
import { DynamoTable } from "../../shared/adapters/dynamodb/dynamo-table.ts";
import { NodeOutboundHttp } from "../../shared/adapters/http/node-outbound-http.ts";
import { KmsKeys } from "../../shared/adapters/kms/kms-keys.ts";
import { StsIdentities } from "../../shared/adapters/sts/sts-identities.ts";
import { S3Blobs } from "../../shared/adapters/s3/s3-blobs.ts";
import type { RoleAccess } from "../../shared/services/identity-exchange.ts";
import {
  createServices,
  type ListingFormats,
  type Services,
} from "../../shared/services/services.ts";
import type { FetchLimits } from "../../shared/services/upstreams/upstream-fetches.ts";
import { ECOSYSTEM_FACTORIES } from "../ecosystems.ts";
import { blobClientConfig, keysClient, type Pace, queueClient, tableClient } from "./clients.ts";
import type { FunctionEnvironment } from "./environment.ts";
import {
  INLINE_LIMIT_BYTES,
  MAX_UPLOAD_BYTES,
  REQUEST_BUDGET_MS,
  REQUEST_FETCH_BYTES,
  REQUEST_FETCH_MS,
  REQUEST_FETCH_WAIT_MS,
  WORKER_FETCH_MS,
} from "./limits.ts";
import { SqsFetchQueue } from "./queue.ts";
import type { Telemetry } from "./telemetry.ts";

/**
 * The services over DynamoDB, S3 and KMS, whose clients live as long as the process and keep their connections.
 * `mayDelete`: whether the function's role may delete objects; what others leave behind is swept. `listings`: of what it
 * serves.
 */
export function openServices(
  environment: FunctionEnvironment,
  { log, upstreams }: Pick<Telemetry, "log" | "upstreams">,
  {
    mayDelete,
    pace,
    listings = {},
  }: {
    readonly mayDelete: boolean;
    readonly pace: Pace;
    readonly listings?: ListingFormats;
  },
): Services {
  const { ENTREPOT_SIGNING_KEY: signingKeyId, ENTREPOT_MAC_KEY: macKeyId } = environment;
  const client = tableClient();
  const table = new DynamoTable({ client, tableName: environment.ENTREPOT_TABLE });
  const retention = environment.ENTREPOT_OBJECT_LOCK;
  const blobs = new S3Blobs({
    bucket: environment.ENTREPOT_BUCKET,
    client: blobClientConfig(process.env, pace),
    leftovers: mayDelete ? "remove" : "leave",
    ...(retention === undefined ? {} : { retention }),
  });
  const keys = new KmsKeys({
    client: keysClient(pace),
    ...(signingKeyId === undefined ? {} : { signingKeyId }),
    ...(macKeyId === undefined ? {} : { macKeyId }),
  });
  const baseUrl = environment.ENTREPOT_BASE_URL;
  const roleAccess = roleAccessOf(environment);
  const fetchLimits = fetchLimitsOf(environment, pace);
  const maxRowDocumentBytes = PREFERRED_DOCUMENT_BYTES;
  const outbound = new NodeOutboundHttp({
    proxyEnv: process.env,
    closedPorts: runtimePorts(process.env),
  });
  const stores = { table, blobs, keys, log, outbound, now: Date.now, maxRowDocumentBytes };
  return createServices(stores, ECOSYSTEM_FACTORIES, {
    listings,
    requestsPerMinute: environment.ENTREPOT_RATE_LIMIT,
    downloads: "redirect",
    maxAnswerBytes: INLINE_LIMIT_BYTES,
    requestBudgetMs: REQUEST_BUDGET_MS,
    maxUploadBytes: MAX_UPLOAD_BYTES,
    mayRemoveBytes: mayDelete,
    upstreamRead: (read) => upstreams.heard(read),
    awsRegistryTokens: new SignedRegistryTokens({
      credentials: () => client.config.credentials(),
      now: Date.now,
    }),
    // `toRequest` leaves only what CloudFront has said.
    trustProxy: environment.ENTREPOT_EDGE_SECRET !== undefined,
    ...(environment.ENTREPOT_EDGE === undefined
      ? { maxBodyBytes: INLINE_LIMIT_BYTES }
      : { ticketGeneration: environment.ENTREPOT_EDGE }),
    ...(baseUrl === undefined ? {} : { baseUrl }),
    ...(roleAccess === undefined ? {} : { roleAccess }),
    ...(fetchLimits === undefined ? {} : { fetchLimits }),
  });
}

/** Requests leave to the worker what does not fit into one; the worker leaves nothing to anybody. */
function fetchLimitsOf(
  { ENTREPOT_FETCH_QUEUE: url }: FunctionEnvironment,
  pace: Pace,
): FetchLimits | undefined {
  if (pace === "background") return { maxMs: WORKER_FETCH_MS };
  if (url === undefined) return undefined;
  return {
    maxMs: REQUEST_FETCH_MS,
    rest: {
      queue: new SqsFetchQueue(queueClient(pace), url),
      maxBytes: REQUEST_FETCH_BYTES,
      waitMs: REQUEST_FETCH_WAIT_MS,
    },
  };
}

/**
 * The port of the runtime's API on loopback, which gives the next request, with its credentials, to whoever asks:
 * https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
function runtimePorts({ AWS_LAMBDA_RUNTIME_API: api }: NodeJS.ProcessEnv): readonly number[] {
  const port = Number(api?.split(":")[1] ?? Number.NaN);
  return Number.isInteger(port) ? [port] : [];
}

function roleAccessOf(environment: FunctionEnvironment): RoleAccess | undefined {
  const { ENTREPOT_IAM_GRANTS: grants, AWS_REGION: region } = environment;
  if (grants === undefined || region === undefined) return undefined;
  const endpoint = process.env["AWS_ENDPOINT_URL_STS"] ?? process.env["AWS_ENDPOINT_URL"];
  const identities = new StsIdentities({
    region,
    now: Date.now,
    ...(endpoint === undefined ? {} : { endpoint: new URL(endpoint).origin }),
  });
  return { identities, grants };
}
