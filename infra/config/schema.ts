import * as z from "zod";
import { PROTOCOL_FUNCTIONS } from "../functions.ts";
import { edgeSchema } from "./edge.ts";
import { ingestSchema } from "./ingest.ts";
import { observabilitySchema } from "./observability.ts";
import { ARN_PATTERNS, domainNameSchema, regionSchema } from "./values.ts";

/** The days that CloudWatch Logs can keep a log group for, as far as they make sense here. */
const LOG_RETENTION_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 180, 365, 731, 1827] as const;

const domainSchema = z.strictObject({
  /** The host name of the registry, such as `packages.example.com`. */
  name: domainNameSchema,
  /** A certificate of this region for that name. */
  certificateArn: z
    .string()
    .regex(ARN_PATTERNS.certificate, "must be the ARN of an ACM certificate"),
  /** A Route 53 zone in which the name is made. Absent: you point the name at the output `ApiDomainTarget`. */
  hostedZone: z
    .strictObject({ id: z.string().regex(/^Z[A-Z0-9]{1,31}$/), name: domainNameSchema })
    .optional(),
});

const rateSchema = z.strictObject({
  /** Steady requests per second, all callers together. */
  requestsPerSecond: z.int().min(1).max(100_000),
  /** Requests that may come at once. */
  burst: z.int().min(1).max(100_000),
});

const protocolSchema = z
  .string()
  .refine(
    (name) => PROTOCOL_FUNCTIONS.some((protocol) => protocol.name === name),
    `must be one of ${PROTOCOL_FUNCTIONS.map(({ name }) => name).join(", ")}`,
  );

const grantSchema = z.strictObject({
  /** A role of any account; for a role with a path, without the path, as STS reports it. */
  roleArn: z.string().regex(ARN_PATTERNS.role, "must be arn:aws:iam::<account>:role/<name>"),
  /** Slugs, or patterns with `*`. */
  registries: z.array(z.string().min(1).max(100)).min(1).max(50),
  allow: z.enum(["pull", "publish"]),
});

const upstreamsSchema = z.strictObject({
  /** Roles, of any account, under which functions may ask upstreams. */
  assumeRoles: z
    .array(z.string().regex(ARN_PATTERNS.roleInPath, "must be the ARN of a role"))
    .max(20)
    .default([]),
  /** Functions may make tokens for ECR under their own roles. */
  ecr: z.boolean().default(false),
  /** Domains of CodeArtifact that functions may make tokens for under their own roles. */
  codeArtifactDomains: z
    .array(z.string().regex(ARN_PATTERNS.domain, "must be the ARN of a CodeArtifact domain"))
    .max(20)
    .default([]),
});

/** What `entrepot.config.ts` may say; `docs/deploy.md` explains each option. */
export const configSchema = z.strictObject({
  /** Begins the name of every stack; several registries of one account differ in it. */
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,19}$/, "must be 1 to 20 lower-case letters, digits and hyphens")
    .default("entrepot"),
  /** Absent: the account and region of the credentials. */
  account: z
    .string()
    .regex(/^\d{12}$/, "must be the 12 digits of an account")
    .optional(),
  region: regionSchema.optional(),
  /** Absent: the URL that API Gateway gives. */
  domain: domainSchema.optional(),
  /** `aws`: keys that AWS owns or manages, at no cost; `customer`: one key of yours, with your policy. */
  encryption: z.enum(["aws", "customer"]).default("aws"),
  storage: z
    .strictObject({
      class: z
        .enum(["standard", "intelligent-tiering", "glacier-instant-retrieval"])
        .default("standard"),
      /** For so long deleted and overwritten objects can be brought back. */
      restoreWindowDays: z.int().min(1).max(3650).default(30),
      /** Nobody deletes an object's version for so long; can only be chosen when the bucket is made. */
      objectLock: z
        .strictObject({
          mode: z.enum(["governance", "compliance"]),
          days: z.int().min(1).max(36_500),
        })
        .optional(),
      /** A second region with a replica of the table and of the bucket. */
      replicaRegion: regionSchema.optional(),
      deletionProtection: z.boolean().default(true),
    })
    .prefault({}),
  logRetentionDays: z.literal(LOG_RETENTION_DAYS).default(30),
  /** X-Ray traces; the first 100,000 a month are free. */
  tracing: z.boolean().default(true),
  throttle: z
    .strictObject({
      default: rateSchema.default({ requestsPerSecond: 500, burst: 1000 }),
      /** Other rates for single protocols, by name, such as `npm`. */
      protocols: z.record(protocolSchema, rateSchema).default({}),
    })
    .prefault({}),
  /** Requests per minute of one token, or of one address without a token, counted in each process; 0: unlimited. */
  requestsPerMinute: z.int().min(0).max(1_000_000).default(0),
  /** Most copies of one function at once. Absent: the account's limit. */
  reservedConcurrency: z.int().min(1).max(10_000).optional(),
  /** IAM roles that may exchange their identity for a token; `grantPull` and `grantPublish` add to them. */
  grants: z.array(grantSchema).max(50).default([]),
  /** What upstreams with the authentication `aws` may use. */
  upstreams: upstreamsSchema.prefault({}),
  edge: edgeSchema.optional(),
  ingest: ingestSchema.optional(),
  observability: observabilitySchema.prefault({}),
});

/** The options as they are written, defaults left out. */
export type ConfigInput = z.input<typeof configSchema>;
/** The options with every default filled in. */
export type Config = z.output<typeof configSchema>;
/** An IAM role and what a token that it gets may do. */
export type Grant = z.output<typeof grantSchema>;
