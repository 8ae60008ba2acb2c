import { Duration, Validations } from "aws-cdk-lib";
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type LifecycleRule,
  ObjectOwnership,
  StorageClass,
} from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";
import { BLOB_PREFIX, STAGING_PREFIX } from "../../shared/adapters/s3/s3-keys.ts";
import type { Config } from "../config/schema.ts";
import type { DataOptions } from "./table.ts";

/** Longer than an upload may take to complete (a day), so that only what was given up is swept. */
const STAGING_DAYS = 3;

/** The one bucket: `blobs/` for what is stored, `staging/` for what is unfinished. */
export function createBucket(scope: Construct, options: DataOptions): Bucket {
  const { config, dataKey, removalPolicy } = options;
  const lock = config.storage.objectLock;
  const bucket = new Bucket(scope, "Bucket", {
    versioned: true,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    ...(dataKey === undefined
      ? { encryption: BucketEncryption.S3_MANAGED }
      : // One key for a while instead of one request to KMS for each object.
        { encryption: BucketEncryption.KMS, encryptionKey: dataKey, bucketKeyEnabled: true }),
    lifecycleRules: [...lifecycleRules(config.storage)],
    removalPolicy,
    ...(lock === undefined
      ? {}
      : {
          // Who writes a blob locks it: shared/adapters/s3/retention.ts says why no default of the bucket does.
          objectLockEnabled: true,
        }),
  });
  // No CORS: no page of another origin sends to or reads from this bucket; command-line clients need none.
  Validations.of(bucket).acknowledge({
    id: "AwsSolutions-S1",
    reason:
      "Every ticket to the bucket is given by a function that logs it, and changes are in the audit log; server access logs would need a second bucket that grows with every pull. Turn on CloudTrail's data events where each GET must be on record.",
  });
  return bucket;
}

/** What S3 does by itself, by prefix. */
export function lifecycleRules(storage: Config["storage"]): readonly LifecycleRule[] {
  const transition = TRANSITIONS[storage.class];
  return [
    {
      id: "abort-unfinished-uploads",
      abortIncompleteMultipartUploadAfter: Duration.days(STAGING_DAYS),
    },
    { id: "expire-staging", prefix: STAGING_PREFIX, expiration: Duration.days(STAGING_DAYS) },
    {
      id: "forget-old-staging",
      prefix: STAGING_PREFIX,
      noncurrentVersionExpiration: Duration.days(1),
      expiredObjectDeleteMarker: true,
    },
    {
      id: "forget-deleted-blobs",
      prefix: BLOB_PREFIX,
      noncurrentVersionExpiration: Duration.days(storage.restoreWindowDays),
      expiredObjectDeleteMarker: true,
    },
    ...(transition === undefined
      ? []
      : [{ id: "storage-class", prefix: BLOB_PREFIX, transitions: [transition] }]),
  ];
}

/**
 * Into Intelligent-Tiering at once, where it costs nothing to move later. Glacier Instant Retrieval is paid for
 * 90 days and by read, so that only what is a month old goes there
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html).
 */
const TRANSITIONS = {
  standard: undefined,
  "intelligent-tiering": {
    storageClass: StorageClass.INTELLIGENT_TIERING,
    transitionAfter: Duration.days(0),
  },
  "glacier-instant-retrieval": {
    storageClass: StorageClass.GLACIER_INSTANT_RETRIEVAL,
    transitionAfter: Duration.days(30),
  },
} as const;
