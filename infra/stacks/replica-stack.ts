import { RemovalPolicy, Stack, type StackProps, Validations } from "aws-cdk-lib";
import { Key } from "aws-cdk-lib/aws-kms";
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";
import type { Config } from "../config/schema.ts";
import { lifecycleRules } from "../constructs/bucket.ts";
import { replicaBucketName } from "../constructs/replication.ts";

/**
 * What replication needs in the second region before it begins: a bucket and, with a key of the customer's, a key of
 * that region. The table's replica is made by DynamoDB.
 */
export class ReplicaStack extends Stack {
  constructor(
    scope: Construct,
    id: string,
    props: StackProps & { readonly config: Config; readonly region: string },
  ) {
    super(scope, id, { ...props, env: { ...props.env, region: props.region } });
    const { config, region } = props;
    const removalPolicy = config.storage.deletionProtection
      ? RemovalPolicy.RETAIN
      : RemovalPolicy.DESTROY;
    const key =
      config.encryption === "customer"
        ? new Key(this, "DataKey", {
            alias: `${config.name}-replica`,
            description: `${config.name}: encrypts the replicas`,
            enableKeyRotation: true,
            removalPolicy,
          })
        : undefined;
    const bucket = new Bucket(this, "Bucket", {
      bucketName: replicaBucketName(this, config.name, region),
      versioned: true,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      ...(key === undefined
        ? { encryption: BucketEncryption.S3_MANAGED }
        : { encryption: BucketEncryption.KMS, encryptionKey: key, bucketKeyEnabled: true }),
      // S3 does not copy what is locked into a bucket without:
      // https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html#object-lock-managing-replication
      ...(config.storage.objectLock === undefined ? {} : { objectLockEnabled: true }),
      lifecycleRules: [...lifecycleRules(config.storage)],
      removalPolicy,
    });
    Validations.of(bucket).acknowledge({
      id: "AwsSolutions-S1",
      reason: "Nobody but S3's replication writes here, and nobody reads before a fail-over.",
    });
  }
}
