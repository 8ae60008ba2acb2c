import { FUNCTIONS, type FunctionSpec, type WorkerName } from "../functions.ts";

/** What a right is about; `resources.ts` says which ARN that is in a deployment. */
export type ResourceName =
  | "table"
  | "table-index"
  | "table-stream"
  | "any-stream"
  | "bucket"
  | "blobs"
  | "staging"
  | "signing-key"
  | "mac-key"
  | "data-key"
  | "index-queue"
  | "webhook-queue"
  | "fetch-queue"
  | "stream-failures"
  | "upstream-roles"
  | "ecr-tokens"
  | "codeartifact-domains"
  | "codeartifact-bearers"
  | "logs"
  | "traces";

/** Actions that a function may do on one resource. */
export interface Right {
  readonly resource: ResourceName;
  readonly actions: readonly string[];
}

/** Which optional parts a deployment has, as far as rights depend on them. */
export interface AccessOptions {
  /** The data is encrypted with a key of the customer's. */
  readonly customerKey: boolean;
  readonly tracing: boolean;
  /** Blobs are locked when they are written. */
  readonly objectLock: boolean;
  /** Upstreams may be asked under other roles. */
  readonly upstreamRoles: boolean;
  /** Upstreams may be registries of ECR, asked under the functions' own roles. */
  readonly ecr: boolean;
  /** As {@link AccessOptions.ecr}, domains of CodeArtifact. */
  readonly codeArtifact: boolean;
}

/** A deployment without any of the optional parts. */
export const NO_OPTIONS: AccessOptions = {
  customerKey: false,
  tracing: false,
  objectLock: false,
  upstreamRoles: false,
  ecr: false,
  codeArtifact: false,
};

// A transaction needs the right to each kind of operation in it, and no right of its own:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
const READ_TABLE: readonly Right[] = [
  { resource: "table", actions: ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"] },
  { resource: "table-index", actions: ["dynamodb:Query"] },
];

const WRITE_TABLE: readonly Right[] = [
  {
    resource: "table",
    actions: [
      "dynamodb:PutItem",
      "dynamodb:UpdateItem",
      "dynamodb:DeleteItem",
      "dynamodb:ConditionCheckItem",
    ],
  },
];

/** Without `s3:ListBucket`, S3 answers 403 for an object that is absent. */
const SEE_BUCKET: readonly Right[] = [{ resource: "bucket", actions: ["s3:ListBucket"] }];

/**
 * Bytes come and go through these, by presigned URL as well: such a URL can do what its signer may.
 * Nobody who answers requests may delete an object.
 */
const STORE_BYTES: readonly Right[] = [
  { resource: "blobs", actions: ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"] },
  {
    resource: "staging",
    actions: [
      "s3:GetObject",
      "s3:PutObject",
      "s3:AbortMultipartUpload",
      "s3:ListMultipartUploadParts",
    ],
  },
];

/** What every protocol function has; a new protocol starts with this. */
const PROTOCOL_RIGHTS: readonly Right[] = [
  ...READ_TABLE,
  ...WRITE_TABLE,
  ...SEE_BUCKET,
  ...STORE_BYTES,
  // Secrets of upstreams are sealed under a key that is derived with it; tickets and short tokens are signed so.
  { resource: "mac-key", actions: ["kms:GenerateMac"] },
  // Large files of upstreams are left to the worker.
  { resource: "fetch-queue", actions: ["sqs:SendMessage"] },
];

/** What a protocol has beyond that, and nobody else. */
const PROTOCOL_EXTRAS: Readonly<Record<string, readonly Right[]>> = {
  /** Completes uploads, of npm packages too. */
  api: [{ resource: "signing-key", actions: ["kms:Sign", "kms:GetPublicKey"] }],
  /** Signs versions, and shows the public key. */
  npm: [{ resource: "signing-key", actions: ["kms:Sign", "kms:GetPublicKey"] }],
};

/** Whose tokens functions make for upstreams, with the options that allow it. */
const AWS_UPSTREAMS: Readonly<Record<string, readonly ("ecr" | "codeArtifact")[]>> = {
  api: ["ecr", "codeArtifact"],
  generic: ["codeArtifact"],
  maven: ["codeArtifact"],
  npm: ["codeArtifact"],
  oci: ["ecr"],
  pypi: ["codeArtifact"],
  fetches: ["ecr", "codeArtifact"],
};

const TOKEN_RIGHTS: Readonly<Record<"ecr" | "codeArtifact", readonly Right[]>> = {
  ecr: [{ resource: "ecr-tokens", actions: ["ecr:GetAuthorizationToken"] }],
  // https://docs.aws.amazon.com/codeartifact/latest/ug/auth-and-access-control-permissions-reference.html
  codeArtifact: [
    { resource: "codeartifact-domains", actions: ["codeartifact:GetAuthorizationToken"] },
    { resource: "codeartifact-bearers", actions: ["sts:GetServiceBearerToken"] },
  ],
};

const TAKE_MESSAGES = [
  "sqs:ReceiveMessage",
  "sqs:DeleteMessage",
  "sqs:ChangeMessageVisibility",
  "sqs:GetQueueAttributes",
] as const;

const WORKER_RIGHTS: Readonly<Record<WorkerName, readonly Right[]>> = {
  stream: [
    {
      resource: "table-stream",
      actions: ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
    },
    { resource: "any-stream", actions: ["dynamodb:ListStreams"] },
    { resource: "table", actions: ["dynamodb:DeleteItem"] },
    { resource: "index-queue", actions: ["sqs:SendMessage"] },
    { resource: "webhook-queue", actions: ["sqs:SendMessage"] },
    { resource: "stream-failures", actions: ["sqs:SendMessage"] },
  ],
  index: [...READ_TABLE, ...WRITE_TABLE, { resource: "index-queue", actions: TAKE_MESSAGES }],
  webhooks: [
    ...READ_TABLE,
    ...WRITE_TABLE,
    { resource: "webhook-queue", actions: TAKE_MESSAGES },
    { resource: "mac-key", actions: ["kms:GenerateMac"] },
  ],
  fetches: [
    ...READ_TABLE,
    ...WRITE_TABLE,
    ...SEE_BUCKET,
    ...STORE_BYTES,
    { resource: "mac-key", actions: ["kms:GenerateMac"] },
    { resource: "fetch-queue", actions: TAKE_MESSAGES },
  ],
  maintenance: [
    ...READ_TABLE,
    ...WRITE_TABLE,
    { resource: "bucket", actions: ["s3:ListBucket", "s3:ListBucketMultipartUploads"] },
    {
      resource: "blobs",
      actions: ["s3:GetObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
    },
    {
      resource: "staging",
      actions: [
        "s3:GetObject",
        "s3:DeleteObject",
        "s3:AbortMultipartUpload",
        "s3:ListMultipartUploadParts",
      ],
    },
    { resource: "index-queue", actions: ["sqs:SendMessage"] },
    { resource: "webhook-queue", actions: ["sqs:SendMessage"] },
    { resource: "mac-key", actions: ["kms:GenerateMac"] },
  ],
};

/**
 * Everything that a function's role may do, one entry for a resource: the roles of the stacks and the table in
 * `docs/security.md` are both made from it.
 */
export function rightsOf(spec: FunctionSpec, options: AccessOptions): readonly Right[] {
  const own =
    spec.kind === "worker"
      ? WORKER_RIGHTS[spec.name]
      : [...PROTOCOL_RIGHTS, ...(PROTOCOL_EXTRAS[spec.name] ?? [])];
  return merged([...own, ...awsUpstreamRights(spec.name, options), ...surroundings(own, options)]);
}

function awsUpstreamRights(name: string, options: AccessOptions): readonly Right[] {
  const services = AWS_UPSTREAMS[name];
  if (services === undefined) return [];
  return [
    ...(options.upstreamRoles
      ? [{ resource: "upstream-roles", actions: ["sts:AssumeRole"] } as const]
      : []),
    ...services.filter((service) => options[service]).flatMap((service) => TOKEN_RIGHTS[service]),
  ];
}

/** {@link rightsOf} every function, by its name. */
export function accessMatrix(options: AccessOptions): ReadonlyMap<string, readonly Right[]> {
  return new Map(FUNCTIONS.map((spec) => [spec.name, rightsOf(spec, options)]));
}

function surroundings(own: readonly Right[], options: AccessOptions): readonly Right[] {
  const writesBlobs = own.some(
    ({ resource, actions }) => resource === "blobs" && actions.includes("s3:PutObject"),
  );
  const touchesData = own.some(({ resource }) => resource !== "any-stream");
  return [
    ...(options.objectLock && writesBlobs
      ? [{ resource: "blobs", actions: ["s3:PutObjectRetention"] } as const]
      : []),
    { resource: "logs", actions: ["logs:CreateLogStream", "logs:PutLogEvents"] },
    ...(options.tracing
      ? [
          {
            resource: "traces",
            actions: ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
          } as const,
        ]
      : []),
    ...(options.customerKey && touchesData
      ? [{ resource: "data-key", actions: ["kms:Decrypt", "kms:GenerateDataKey"] } as const]
      : []),
  ];
}

function merged(rights: readonly Right[]): readonly Right[] {
  const byResource = new Map<ResourceName, string[]>();
  for (const { resource, actions } of rights) {
    byResource.set(resource, [...(byResource.get(resource) ?? []), ...actions]);
  }
  return Array.from(byResource, ([resource, actions]) => ({
    resource,
    actions: [...new Set(actions)],
  }));
}
