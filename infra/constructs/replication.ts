import { Stack } from "aws-cdk-lib";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { type Bucket, CfnBucket } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";
import { acknowledgeWildcard } from "../access/findings.ts";
import { BLOB_PREFIX } from "../../shared/adapters/s3/s3-keys.ts";
import type { DataOptions } from "./table.ts";

/** The bucket in the second region; both sides know its name, so that neither stack waits for the other's outputs. */
export function replicaBucketName(stack: Stack, name: string, region: string): string {
  return `${name}-replica-${stack.account}-${region}`;
}

/** An ARN by which services of the second region find the customer's key there. */
export function replicaKeyAlias(stack: Stack, name: string, region: string): string {
  return `arn:${stack.partition}:kms:${region}:${stack.account}:alias/${name}-replica`;
}

/**
 * Has S3 copy every new blob to the replica's bucket, deletions included, so that what was removed does not come
 * back (https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html).
 */
export function replicateBucket(
  scope: Construct,
  bucket: Bucket,
  options: DataOptions & { readonly region: string },
): void {
  const stack = Stack.of(scope);
  const { config, dataKey, region } = options;
  const target = `arn:${stack.partition}:s3:::${replicaBucketName(stack, config.name, region)}`;
  // Its rights are a policy of their own, because bucket and role name each other.
  const role = new Role(scope, "ReplicationRole", {
    assumedBy: new ServicePrincipal("s3.amazonaws.com"),
  });
  for (const statement of statements(bucket, target)) role.addToPrincipalPolicy(statement);
  acknowledgeWildcard(role, `${bucket.bucketArn}/*`, "S3 copies every object of the bucket.");
  acknowledgeWildcard(role, `${target}/*`, "S3 writes every object into the replica's bucket.");
  if (dataKey !== undefined) {
    role.addToPrincipalPolicy(
      new PolicyStatement({ actions: ["kms:Decrypt"], resources: [dataKey.keyArn] }),
    );
    const replicaKeys = `arn:${stack.partition}:kms:${region}:${stack.account}:key/*`;
    role.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ["kms:Encrypt", "kms:GenerateDataKey"],
        resources: [replicaKeys],
        conditions: {
          "ForAnyValue:StringEquals": { "kms:ResourceAliases": [`alias/${config.name}-replica`] },
        },
      }),
    );
    acknowledgeWildcard(
      role,
      replicaKeys,
      "The key is granted by its alias, which a condition names; IAM knows no ARN of an alias here.",
    );
  }
  const resource = bucket.node.defaultChild;
  if (!(resource instanceof CfnBucket)) throw new Error("The bucket has no resource.");
  resource.replicationConfiguration = {
    role: role.roleArn,
    rules: [
      {
        id: "replica",
        priority: 1,
        status: "Enabled",
        filter: { prefix: BLOB_PREFIX },
        deleteMarkerReplication: { status: "Enabled" },
        destination: {
          bucket: target,
          ...(dataKey === undefined
            ? {}
            : {
                encryptionConfiguration: {
                  replicaKmsKeyId: replicaKeyAlias(stack, config.name, region),
                },
              }),
        },
        ...(dataKey === undefined
          ? {}
          : { sourceSelectionCriteria: { sseKmsEncryptedObjects: { status: "Enabled" } } }),
      },
    ],
  };
}

function statements(bucket: Bucket, target: string): PolicyStatement[] {
  return [
    new PolicyStatement({
      actions: ["s3:GetReplicationConfiguration", "s3:ListBucket"],
      resources: [bucket.bucketArn],
    }),
    new PolicyStatement({
      actions: [
        "s3:GetObjectVersionForReplication",
        "s3:GetObjectVersionAcl",
        "s3:GetObjectVersionTagging",
        "s3:GetObjectRetention",
        "s3:GetObjectLegalHold",
      ],
      resources: [`${bucket.bucketArn}/*`],
    }),
    new PolicyStatement({
      actions: ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"],
      resources: [`${target}/*`],
    }),
  ];
}
