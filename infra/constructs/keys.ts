import { Stack, type RemovalPolicy } from "aws-cdk-lib";
import { Effect, PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Key, KeySpec, KeyUsage } from "aws-cdk-lib/aws-kms";
import type { Construct } from "constructs";
import type { Config } from "../config/schema.ts";

interface KeyOptions {
  readonly config: Config;
  readonly removalPolicy: RemovalPolicy;
}

/**
 * Signs published versions. A key for signing cannot be rotated in place: a new one is added beside it, and clients
 * are shown both (https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html).
 */
export function createSigningKey(scope: Construct, { config, removalPolicy }: KeyOptions): Key {
  return new Key(scope, "SigningKey", {
    description: `${config.name}: signs published versions`,
    keySpec: KeySpec.ECC_NIST_P256,
    keyUsage: KeyUsage.SIGN_VERIFY,
    // A second region needs the same key, and this cannot be chosen later.
    multiRegion: true,
    removalPolicy,
  });
}

/** The secret behind upload tickets and short tokens. */
export function createMacKey(scope: Construct, { config, removalPolicy }: KeyOptions): Key {
  return new Key(scope, "MacKey", {
    description: `${config.name}: tickets and short tokens`,
    keySpec: KeySpec.HMAC_256,
    keyUsage: KeyUsage.GENERATE_VERIFY_MAC,
    multiRegion: true,
    removalPolicy,
  });
}

/** Encrypts what is stored, where the account wants its own key and policy; rotated every year. */
export function createDataKey(scope: Construct, { config, removalPolicy }: KeyOptions): Key {
  const key = new Key(scope, "DataKey", {
    description: `${config.name}: encrypts table, bucket, queues and logs`,
    enableKeyRotation: true,
    removalPolicy,
  });
  const { region, account, partition } = Stack.of(scope);
  // CloudWatch Logs asks in its own name, for groups of this account only:
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
  key.addToResourcePolicy(
    new PolicyStatement({
      effect: Effect.ALLOW,
      principals: [new ServicePrincipal(`logs.${region}.amazonaws.com`)],
      actions: [
        "kms:Encrypt",
        "kms:Decrypt",
        "kms:ReEncrypt*",
        "kms:GenerateDataKey*",
        "kms:DescribeKey",
      ],
      resources: ["*"],
      conditions: {
        ArnLike: {
          "kms:EncryptionContext:aws:logs:arn": `arn:${partition}:logs:${region}:${account}:*`,
        },
      },
    }),
  );
  return key;
}
