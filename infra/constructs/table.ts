import type { RemovalPolicy } from "aws-cdk-lib";
import {
  AttributeType,
  Billing,
  StreamViewType,
  TableEncryptionV2,
  TableV2,
} from "aws-cdk-lib/aws-dynamodb";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { Stack } from "aws-cdk-lib";
import type { Construct } from "constructs";
import {
  EXPIRY_ATTRIBUTE,
  INDEX_NAME,
  INDEX_PARTITION_KEY,
  INDEX_SORT_KEY,
  PARTITION_KEY,
  SORT_KEY,
} from "../../shared/adapters/dynamodb/schema.ts";
import type { Config } from "../config/schema.ts";
import { replicaKeyAlias } from "./replication.ts";

/** What the constructs of the storage stack share. */
export interface DataOptions {
  readonly config: Config;
  readonly removalPolicy: RemovalPolicy;
  /** Absent: AWS' own keys encrypt. */
  readonly dataKey: IKey | undefined;
}

/** The one table, in the shape that `shared/adapters/dynamodb` speaks to. */
export function createTable(scope: Construct, options: DataOptions): TableV2 {
  const { storage } = options.config;
  return new TableV2(scope, "Table", {
    partitionKey: { name: PARTITION_KEY, type: AttributeType.STRING },
    sortKey: { name: SORT_KEY, type: AttributeType.STRING },
    globalSecondaryIndexes: [
      {
        indexName: INDEX_NAME,
        partitionKey: { name: INDEX_PARTITION_KEY, type: AttributeType.STRING },
        sortKey: { name: INDEX_SORT_KEY, type: AttributeType.STRING },
      },
    ],
    billing: Billing.onDemand(),
    timeToLiveAttribute: EXPIRY_ATTRIBUTE,
    // Replicas need both images, and the view of a stream cannot be changed while somebody reads it.
    dynamoStream: StreamViewType.NEW_AND_OLD_IMAGES,
    pointInTimeRecoverySpecification: {
      pointInTimeRecoveryEnabled: true,
      // DynamoDB keeps 35 days at most.
      recoveryPeriodInDays: Math.min(storage.restoreWindowDays, 35),
    },
    deletionProtection: storage.deletionProtection,
    removalPolicy: options.removalPolicy,
    encryption: encryptionOf(scope, options),
    ...(storage.replicaRegion === undefined
      ? {}
      : { replicas: [{ region: storage.replicaRegion }] }),
  });
}

function encryptionOf(scope: Construct, { config, dataKey }: DataOptions): TableEncryptionV2 {
  if (dataKey === undefined) return TableEncryptionV2.dynamoOwnedKey();
  const { replicaRegion } = config.storage;
  return TableEncryptionV2.customerManagedKey(
    dataKey,
    replicaRegion === undefined
      ? undefined
      : { [replicaRegion]: replicaKeyAlias(Stack.of(scope), config.name, replicaRegion) },
  );
}
