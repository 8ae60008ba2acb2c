import type { Stack } from "aws-cdk-lib";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { Key } from "aws-cdk-lib/aws-kms";
import type { Bucket } from "aws-cdk-lib/aws-s3";
import { DIRECT_PREFIX } from "../../shared/adapters/s3/s3-keys.ts";

/**
 * Lets distributions of this account put objects where the edge sends uploads, and do nothing else: whoever sent them
 * is known by the ticket that the edge has checked. Said of the account and not of one distribution, because the
 * bucket's stack is there before the distribution's.
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html
 */
export function allowEdgeUploads(
  stack: Stack,
  { bucket, dataKey }: { readonly bucket: Bucket; readonly dataKey: Key | undefined },
): void {
  const conditions = {
    StringEquals: { "aws:SourceAccount": stack.account },
    ArnLike: {
      "aws:SourceArn": `arn:${stack.partition}:cloudfront::${stack.account}:distribution/*`,
    },
  };
  const principals = [new ServicePrincipal("cloudfront.amazonaws.com")];
  bucket.addToResourcePolicy(
    new PolicyStatement({
      sid: "EdgeUploads",
      principals,
      actions: ["s3:PutObject"],
      resources: [bucket.arnForObjects(`${DIRECT_PREFIX}*`)],
      conditions,
    }),
  );
  dataKey?.addToResourcePolicy(
    new PolicyStatement({
      sid: "EdgeUploads",
      principals,
      actions: ["kms:GenerateDataKey*", "kms:Decrypt"],
      resources: ["*"],
      conditions,
    }),
  );
}
