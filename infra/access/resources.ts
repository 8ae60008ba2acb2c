import type { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { INDEX_NAME } from "../../shared/adapters/dynamodb/schema.ts";
import { BLOB_PREFIX, STAGING_PREFIX } from "../../shared/adapters/s3/s3-keys.ts";
import { wildcardFinding } from "./findings.ts";
import type { Config } from "../config/schema.ts";
import type { AccessOptions, ResourceName, Right } from "./matrix.ts";

/** The ARNs that a deployment has for the names of the matrix. */
export interface ResourceArns {
  readonly table: string;
  readonly tableStream: string;
  readonly bucket: string;
  readonly signingKey: string;
  readonly macKey: string;
  /** Only with a key of the customer's. */
  readonly dataKey?: string;
  /** Only where a function with rights to it is made. */
  readonly indexQueue?: string;
  readonly webhookQueue?: string;
  readonly fetchQueue?: string;
  readonly streamFailures?: string;
  /** As the options name them. */
  readonly upstreamRoles?: readonly string[];
  readonly codeArtifactDomains?: readonly string[];
}

/**
 * The ARNs, or the pattern of ARNs, that a name of the matrix stands for.
 *
 * @param logGroup The function's own log group, as CloudFormation gives it: with `:*` at the end.
 * @throws when the function's stack does not have such a resource.
 */
export function arnsOf(
  name: ResourceName,
  arns: ResourceArns,
  logGroup: string,
): readonly string[] {
  const found = findArns(name, arns, logGroup);
  if (found === undefined) throw new Error(`This stack has no resource "${name}".`);
  return [found].flat();
}

function findArns(
  name: ResourceName,
  arns: ResourceArns,
  logGroup: string,
): string | readonly string[] | undefined {
  const found: Readonly<Record<ResourceName, string | readonly string[] | undefined>> = {
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
    "index-queue": arns.indexQueue,
    "webhook-queue": arns.webhookQueue,
    "fetch-queue": arns.fetchQueue,
    "stream-failures": arns.streamFailures,
    "upstream-roles": arns.upstreamRoles,
    "ecr-tokens": "*",
    "codeartifact-domains": arns.codeArtifactDomains,
    "codeartifact-bearers": "*",
    logs: logGroup,
    traces: "*",
  };
  return found[name];
}

/** Where the rights to a resource hold, beyond its ARN. */
const CONDITIONS: Partial<Record<ResourceName, Readonly<Record<string, unknown>>>> = {
  // https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
  "codeartifact-bearers": {
    StringEquals: { "sts:AWSServiceName": "codeartifact.amazonaws.com" },
  },
};

/** The statements that grant rights, one for each entry of the matrix. */
export function statementsOf(
  rights: readonly Right[],
  arnsOfName: (name: ResourceName) => readonly string[],
): PolicyStatement[] {
  return rights.map(({ resource, actions }) => {
    const conditions = CONDITIONS[resource];
    return new PolicyStatement({
      actions: [...actions],
      resources: [...arnsOfName(resource)],
      ...(conditions === undefined ? {} : { conditions }),
    });
  });
}

/** The optional parts of a deployment. */
export function accessOptionsOf({
  tracing,
  storage,
  encryption,
  upstreams,
}: Config): AccessOptions {
  return {
    customerKey: encryption === "customer",
    tracing,
    objectLock: storage.objectLock !== undefined,
    upstreamRoles: upstreams.assumeRoles.length > 0,
    ecr: upstreams.ecr,
    codeArtifact: upstreams.codeArtifactDomains.length > 0,
  };
}

/** The ARNs that the options name. */
export const configuredArns = ({
  upstreams,
}: Config): Pick<ResourceArns, "upstreamRoles" | "codeArtifactDomains"> => ({
  upstreamRoles: upstreams.assumeRoles,
  codeArtifactDomains: upstreams.codeArtifactDomains,
});

/** Why rights that name more than one resource do so. */
const REASONS: Partial<Record<ResourceName, string>> = {
  "any-stream": "dynamodb:ListStreams knows no resource, and Lambda's pollers call it.",
  traces: "X-Ray's actions know no resource.",
  "ecr-tokens": "ecr:GetAuthorizationToken knows no resource.",
  "codeartifact-bearers":
    "sts:GetServiceBearerToken knows no resource; a condition names CodeArtifact.",
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
  arnsOfName: (name: ResourceName) => readonly string[],
): readonly WildcardReason[] {
  const byId = new Map<string, string[]>();
  for (const name of names) {
    const reason = REASONS[name];
    if (reason === undefined) continue;
    for (const arn of arnsOfName(name)) {
      const id = wildcardFinding(stack, arn);
      byId.set(id, [...(byId.get(id) ?? []), reason]);
    }
  }
  return Array.from(byId, ([id, reasons]) => ({ id, reason: reasons.join(" ") }));
}
