import { Match, Template } from "aws-cdk-lib/assertions";
import { describe, expect, test } from "vitest";
import { createTestStacks, EVERYTHING, resourcesOf, stackOf } from "./support.ts";

describe("the storage stack without options", () => {
  const { storage } = createTestStacks();
  const template = Template.fromStack(storage);

  test("has one table on demand that survives, expires items and can be restored", () => {
    template.hasResource("AWS::DynamoDB::GlobalTable", {
      DeletionPolicy: "Retain",
      Properties: {
        BillingMode: "PAY_PER_REQUEST",
        TimeToLiveSpecification: { AttributeName: "expiresAtSeconds", Enabled: true },
        StreamSpecification: { StreamViewType: "NEW_AND_OLD_IMAGES" },
        Replicas: [
          Match.objectLike({
            Region: "eu-central-1",
            DeletionProtectionEnabled: true,
            PointInTimeRecoverySpecification: Match.objectLike({
              PointInTimeRecoveryEnabled: true,
              RecoveryPeriodInDays: 30,
            }),
          }),
        ],
      },
    });
  });

  test("has one bucket that is private, versioned, encrypted and kept", () => {
    template.hasResource("AWS::S3::Bucket", {
      DeletionPolicy: "Retain",
      Properties: {
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        VersioningConfiguration: { Status: "Enabled" },
        OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] },
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [
            { ServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" } },
          ],
        },
        CorsConfiguration: Match.absent(),
        ObjectLockEnabled: Match.absent(),
        ReplicationConfiguration: Match.absent(),
      },
    });
  });

  test("refuses requests to the bucket without TLS 1.2", () => {
    const denied = (condition: object) =>
      Match.objectLike({ Effect: "Deny", Action: "s3:*", Condition: condition });
    template.hasResourceProperties("AWS::S3::BucketPolicy", {
      PolicyDocument: {
        Statement: Match.arrayWith([
          denied({ Bool: { "aws:SecureTransport": "false" } }),
          denied({ NumericLessThan: { "s3:TlsVersion": 1.2 } }),
        ]),
      },
    });
  });

  test("forgets what is unfinished after three days, and what was deleted after the restore window", () => {
    template.hasResourceProperties("AWS::S3::Bucket", {
      LifecycleConfiguration: {
        Rules: [
          { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 3 }, Status: "Enabled" },
          { Prefix: "staging/", ExpirationInDays: 3 },
          {
            Prefix: "staging/",
            NoncurrentVersionExpiration: { NoncurrentDays: 1 },
            ExpiredObjectDeleteMarker: true,
          },
          {
            Prefix: "blobs/sha256/",
            NoncurrentVersionExpiration: { NoncurrentDays: 30 },
            ExpiredObjectDeleteMarker: true,
          },
        ].map((rule) => Match.objectLike(rule)),
      },
    });
  });

  test("has keys to sign and to make tickets, which a second region can share, and no other", () => {
    const keys = [...resourcesOf(storage, "AWS::KMS::Key").values()];
    expect(
      new Map(keys.map(({ Properties }) => [Properties["KeySpec"], Properties["KeyUsage"]])),
    ).toEqual(
      new Map([
        ["ECC_NIST_P256", "SIGN_VERIFY"],
        ["HMAC_256", "GENERATE_VERIFY_MAC"],
      ]),
    );
    expect(keys).toHaveLength(2);
    for (const key of keys) {
      expect(key).toMatchObject({ DeletionPolicy: "Retain", Properties: { MultiRegion: true } });
    }
  });

  test("cannot be deleted as a stack", () => {
    expect(storage.terminationProtection).toBe(true);
  });
});

describe("the storage stack with every option", () => {
  const { storage, app } = createTestStacks(EVERYTHING);
  const template = Template.fromStack(storage);

  test("encrypts table and bucket with one rotating key, which CloudWatch Logs may use for this account", () => {
    template.hasResourceProperties("AWS::KMS::Key", {
      EnableKeyRotation: true,
      KeyPolicy: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Principal: { Service: "logs.eu-central-1.amazonaws.com" },
            Condition: { ArnLike: Match.anyValue() },
          }),
        ]),
      },
    });
    template.hasResourceProperties("AWS::S3::Bucket", {
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          Match.objectLike({
            BucketKeyEnabled: true,
            ServerSideEncryptionByDefault: Match.objectLike({ SSEAlgorithm: "aws:kms" }),
          }),
        ],
      },
    });
    template.hasResourceProperties("AWS::DynamoDB::GlobalTable", {
      SSESpecification: { SSEEnabled: true, SSEType: "KMS" },
    });
  });

  test("has replicas of table and bucket in the second region", () => {
    template.hasResourceProperties("AWS::DynamoDB::GlobalTable", {
      Replicas: Match.arrayWith([Match.objectLike({ Region: "eu-west-1" })]),
    });
    template.hasResourceProperties("AWS::S3::Bucket", {
      ReplicationConfiguration: {
        Rules: [
          Match.objectLike({
            Status: "Enabled",
            Filter: { Prefix: "blobs/sha256/" },
            DeleteMarkerReplication: { Status: "Enabled" },
            SourceSelectionCriteria: { SseKmsEncryptedObjects: { Status: "Enabled" } },
          }),
        ],
      },
    });
    const replica = Template.fromStack(stackOf(app, "all-replica"));
    replica.hasResourceProperties("AWS::S3::Bucket", {
      ObjectLockEnabled: true,
      BucketName: "all-replica-111122223333-eu-west-1",
      VersioningConfiguration: { Status: "Enabled" },
      PublicAccessBlockConfiguration: Match.objectLike({ RestrictPublicBuckets: true }),
    });
    replica.hasResourceProperties("AWS::KMS::Alias", { AliasName: "alias/all-replica" });
  });

  test("locks objects and moves them to the chosen class", () => {
    template.hasResourceProperties("AWS::S3::Bucket", {
      ObjectLockEnabled: true,
      ObjectLockConfiguration: Match.absent(),
      LifecycleConfiguration: {
        Rules: Match.arrayWith([
          Match.objectLike({
            Transitions: [{ StorageClass: "INTELLIGENT_TIERING", TransitionInDays: 0 }],
          }),
        ]),
      },
    });
  });

  test("goes with its stack once deletion protection is off", () => {
    for (const type of ["AWS::S3::Bucket", "AWS::DynamoDB::GlobalTable", "AWS::KMS::Key"]) {
      for (const resource of resourcesOf(storage, type).values()) {
        expect(resource.DeletionPolicy, type).toBe("Delete");
      }
    }
    expect(storage.terminationProtection).toBe(false);
  });
});
