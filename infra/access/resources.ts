import type { Stack } from "aws-cdk-lib";
import { INDEX_NAME } from "../../shared/adapters/dynamodb/schema.ts";
import { BLOB_PREFIX, STAGING_PREFIX } from "../../shared/adapters/s3/s3-keys.ts";
import { wildcardFinding } from "./findings.ts";
import type { ResourceName } from "./matrix.ts";

/** The ARNs that a deployment has for the names of the matrix. */
export interface ResourceArns {
  readonly table: string;
  readonly tableStream: string;
  readonly bucket: string;
  readonly signingKey: string;
  readonly macKey: string;
  /** Only with a key of the customer's. */
  readonly dataKey?: string;
  /** Only where the deployment has one. */
  readonly upstreamRole?: string | undefined;
  /** Only where a function with rights to it is made. */
  readonly indexQueue?: string;
  readonly webhookQueue?: string;
  readonly streamFailures?: string;
}

/**
 * The ARN, or pattern of ARNs, that a name of the matrix stands for.
 *
 * @param logGroup The function's own log group, as CloudFormation gives it: with `:*` at the end.
 * @throws when the function's stack does not have such a resource.
 */
export function arnOf(name: ResourceName, arns: ResourceArns, logGroup: string): string {
  const arn = findArn(name, arns, logGroup);
  if (arn === undefined) throw new Error(`This stack has no resource "${name}".`);
  return arn;
}

function findArn(name: ResourceName, arns: ResourceArns, logGroup: string): string | undefined {
  const found: Readonly<Record<ResourceName, string | undefined>> = {
    table: arns.table,
    "table-index": `${arns.table}/index/${INDEX_NAME}`,
    "table-stream": arns.tableStream,
    "any-stream": "*",
    bucket: arns.bucket,
    blobs: `${arns.bucket}/${BLOB_PREFIX}*`,
    staging: `${arns.bucket}/${STAGING_PREFIX}*`,
    "signing-key": arns.signingKey,
    "mac-key": arns.macKey,
    "data-key": arns.dataKey,
    "upstream-role": arns.upstreamRole,
    "index-queue": arns.indexQueue,
    "webhook-queue": arns.webhookQueue,
    "stream-failures": arns.streamFailures,
    logs: logGroup,
    traces: "*",
  };
  return found[name];
}

/** Why rights that name more than one resource do so. */
const REASONS: Partial<Record<ResourceName, string>> = {
  "any-stream": "dynamodb:ListStreams knows no resource, and Lambda's pollers call it.",
  traces: "X-Ray's actions know no resource.",
  blobs: "Blobs are named by their digests, and a function serves all of them below one prefix.",
  staging: "Staged objects have random names below one prefix.",
};

/** A finding of cdk-nag about a right, and why the right is as it is. */
export interface WildcardReason {
  readonly id: string;
  readonly reason: string;
}

/** The acknowledgements that a role with rights to `names` needs, one for each finding. */
export function wildcardReasons(
  stack: Stack,
  names: readonly ResourceName[],
  arnOfName: (name: ResourceName) => string,
): readonly WildcardReason[] {
  const byId = new Map<string, string[]>();
  for (const name of names) {
    const reason = REASONS[name];
    if (reason === undefined) continue;
    const id = wildcardFinding(stack, arnOfName(name));
    byId.set(id, [...(byId.get(id) ?? []), reason]);
  }
  return Array.from(byId, ([id, reasons]) => ({ id, reason: reasons.join(" ") }));
}
