import { blobClientConfig, keysClient, tableClient } from "../../functions/lambda/clients.ts";
import { readEnvironment } from "../../functions/lambda/environment.ts";
import { PREFERRED_DOCUMENT_BYTES } from "../../shared/adapters/dynamodb/schema.ts";
import { DynamoTable } from "../../shared/adapters/dynamodb/dynamo-table.ts";
import { KmsKeys } from "../../shared/adapters/kms/kms-keys.ts";
import { S3Blobs } from "../../shared/adapters/s3/s3-blobs.ts";
import { ConfigError } from "./config.ts";
import type { Home } from "./home.ts";

/**
 * The table, the bucket and the keys of a deployment on AWS, whose stream and schedules do the background work. Names
 * come from the variables that functions have; region and credentials from where the SDK looks for them. What uploads
 * leave in staging is the deployment's to remove: a task may not delete objects.
 *
 * @throws {ConfigError} naming each variable that is wrong.
 */
export function openAwsHome(variables: NodeJS.ProcessEnv): Home {
  const environment = parse(variables);
  const { ENTREPOT_SIGNING_KEY: signingKeyId, ENTREPOT_MAC_KEY: macKeyId } = environment;
  const retention = environment.ENTREPOT_OBJECT_LOCK;
  if (macKeyId === undefined) {
    throw new ConfigError("ENTREPOT_MAC_KEY must name the KMS key of the deployment's HMACs.");
  }
  return {
    table: new DynamoTable({ client: tableClient(), tableName: environment.ENTREPOT_TABLE }),
    blobs: new S3Blobs({
      bucket: environment.ENTREPOT_BUCKET,
      client: blobClientConfig(variables, "request"),
      leftovers: "leave",
      ...(retention === undefined ? {} : { retention }),
    }),
    keys: new KmsKeys({
      client: keysClient("request"),
      macKeyId,
      ...(signingKeyId === undefined ? {} : { signingKeyId }),
    }),
    maxRowDocumentBytes: PREFERRED_DOCUMENT_BYTES,
    place: `table ${environment.ENTREPOT_TABLE}, bucket ${environment.ENTREPOT_BUCKET}`,
    ownsBackground: false,
    tasks: [],
    ...(environment.ENTREPOT_EDGE === undefined
      ? {}
      : { ticketGeneration: environment.ENTREPOT_EDGE }),
  };
}

function parse(variables: NodeJS.ProcessEnv): ReturnType<typeof readEnvironment> {
  try {
    return readEnvironment(variables);
  } catch (error) {
    throw new ConfigError(error instanceof Error ? error.message : String(error));
  }
}
