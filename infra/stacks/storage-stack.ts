import { CfnOutput, RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib";
import type { TableV2 } from "aws-cdk-lib/aws-dynamodb";
import type { Key } from "aws-cdk-lib/aws-kms";
import type { Bucket } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";
import type { ResourceArns } from "../access/resources.ts";
import type { Config } from "../config/schema.ts";
import { createBucket } from "../constructs/bucket.ts";
import { createDataKey, createMacKey, createSigningKey } from "../constructs/keys.ts";
import { createTable } from "../constructs/table.ts";
import { replicaBucketName, replicateBucket } from "../constructs/replication.ts";

/** Everything that holds data. It outlives every other stack, and costs next to nothing while nothing is stored. */
export class StorageStack extends Stack {
  readonly table: TableV2;
  /** Changes of the table, for the stream worker. */
  readonly tableStreamArn: string;
  readonly bucket: Bucket;
  /** ECDSA P-256; signs what is published. */
  readonly signingKey: Key;
  /** HMAC-SHA-256; the deployment's secret, from which the key of each purpose is derived. */
  readonly macKey: Key;
  /** Encrypts table, bucket, queues and logs. Absent: AWS' own keys do. */
  readonly dataKey: Key | undefined;
  /** As imports, for the roles of other stacks. Make those stacks depend on this one. */
  readonly arns: Omit<ResourceArns, "indexQueue" | "webhookQueue" | "streamFailures">;

  constructor(scope: Construct, id: string, props: StackProps & { readonly config: Config }) {
    super(scope, id, props);
    const { config } = props;
    const removalPolicy = config.storage.deletionProtection
      ? RemovalPolicy.RETAIN
      : RemovalPolicy.DESTROY;
    this.dataKey =
      config.encryption === "customer" ? createDataKey(this, { config, removalPolicy }) : undefined;
    const options = { config, removalPolicy, dataKey: this.dataKey };
    this.table = createTable(this, options);
    this.tableStreamArn = required(this.table.tableStreamArn);
    this.bucket = createBucket(this, options);
    if (config.storage.replicaRegion !== undefined) {
      const region = config.storage.replicaRegion;
      replicateBucket(this, this.bucket, { ...options, region });
      const value = replicaBucketName(this, config.name, region);
      new CfnOutput(this, "ReplicaBucketName", { value });
    }
    this.signingKey = createSigningKey(this, options);
    this.macKey = createMacKey(this, options);
    this.arns = {
      table: this.exportValue(this.table.tableArn),
      tableStream: this.exportValue(this.tableStreamArn),
      bucket: this.exportValue(this.bucket.bucketArn),
      signingKey: this.exportValue(this.signingKey.keyArn),
      macKey: this.exportValue(this.macKey.keyArn),
      ...(this.dataKey === undefined ? {} : { dataKey: this.exportValue(this.dataKey.keyArn) }),
    };
    new CfnOutput(this, "TableName", { value: this.table.tableName });
    new CfnOutput(this, "BucketName", { value: this.bucket.bucketName });
  }
}

function required(arn: string | undefined): string {
  if (arn === undefined) throw new Error("The table has no stream.");
  return arn;
}
