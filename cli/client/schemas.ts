import * as z from "zod";

// Loose, so that `--json` prints what the server sent, fields that this version does not know included.

/** RFC 9457 problem details, as the API answers failures. Everything may be missing: a proxy may have answered. */
export const problemSchema = z.looseObject({
  type: z.string().optional(),
  title: z.string().optional(),
  detail: z.string().optional(),
  code: z.string().optional(),
  issues: z.array(z.object({ at: z.string(), problem: z.string() })).optional(),
  requestId: z.string().optional(),
});

const packageRuleSchema = z.looseObject({
  pattern: z.string(),
  publish: z.string().optional(),
  internal: z.string().optional(),
  external: z.string().optional(),
});
export type PackageRuleView = z.infer<typeof packageRuleSchema>;

export const registrySchema = z.looseObject({
  slug: z.string(),
  ecosystem: z.string(),
  kind: z.string(),
  visibility: z.string(),
  description: z.string().default(""),
  emoji: z.string().default(""),
  labels: z.array(z.string()).default([]),
  policies: z
    .looseObject({
      mutableFiles: z.boolean(),
      restoreDays: z.number(),
      maxFileBytes: z.number(),
      immutableTags: z.boolean().default(false),
      mutableTags: z.array(z.string()).default([]),
    })
    .optional(),
  packageRules: z.array(packageRuleSchema).default([]),
  /** Proxy: key of its upstream. */
  upstream: z.string().optional(),
  /** Composite: slugs in order. */
  upstreams: z.array(z.string()).optional(),
  officialRegistry: z.string().optional(),
  publishTo: z.string().optional(),
  minimumAgeDays: z.number().optional(),
  minimumAgeExempt: z.array(z.string()).optional(),
  createdAt: z.string(),
  updatedAt: z.string(),
  /** What clients are pointed at, under the URL that the server calls its own. */
  url: z.url().optional(),
});
export type RegistryView = z.infer<typeof registrySchema>;

export const upstreamSchema = z.looseObject({
  key: z.string(),
  ecosystem: z.string(),
  url: z.string(),
  description: z.string().default(""),
  auth: z.looseObject({ kind: z.string() }),
  hasSecret: z.boolean(),
  timeoutMs: z.number(),
  allowPrivate: z.boolean(),
  offline: z.boolean(),
  include: z.array(z.string()),
  exclude: z.array(z.string()),
  documentTtlSeconds: z.number(),
  missingTtlSeconds: z.number(),
  maxFileBytes: z.number(),
  createdAt: z.string(),
  updatedAt: z.string(),
});
export type UpstreamView = z.infer<typeof upstreamSchema>;

export const routesSchema = z.looseObject({
  routes: z.array(
    z.looseObject({
      registry: z.string(),
      kind: z.string(),
      upstream: z.string().optional(),
      asked: z.boolean(),
      reason: z.string().optional(),
    }),
  ),
});

const nameDecisionSchema = z.looseObject({
  publish: z.string(),
  internal: z.string(),
  external: z.string(),
});
export const ruleChangeSchema = z.looseObject({
  package: z.string(),
  before: nameDecisionSchema,
  after: nameDecisionSchema,
});

export const packageSchema = z.looseObject({
  name: z.string(),
  state: z.string().default("active"),
  description: z.string().default(""),
  /** Empty or absent when nothing is published. */
  latestVersion: z.string().nullish(),
  versionCount: z.number(),
  createdAt: z.string(),
  updatedAt: z.string(),
  /** Of Python projects; `active` elsewhere. */
  status: z.string().default("active"),
  statusReason: z.string().default(""),
});

export const versionSchema = z.looseObject({
  version: z.string(),
  state: z.string(),
  deprecation: z.string().nullish(),
  publishedAt: z.string().default(""),
  publishedBy: z.string().default(""),
  sizeBytes: z.number(),
  fileCount: z.number(),
});

export const fileSchema = z.looseObject({
  path: z.string(),
  sizeBytes: z.number(),
  digests: z.looseObject({ sha256: z.string() }),
  downloadUrl: z.url(),
});
export type FileView = z.infer<typeof fileSchema>;

export const tagSchema = z.looseObject({ name: z.string(), version: z.string() });

export const tokenSchema = z.looseObject({
  id: z.string(),
  owner: z.string(),
  description: z.string().default(""),
  scopes: z.array(z.string()),
  registries: z.array(z.string()).default([]),
  packages: z.array(z.string()).default([]),
  createdAt: z.string().nullish(),
  /** Absent or null: never. */
  expiresAt: z.string().nullish(),
});
/** The answer to a creation is the only one that holds the token's text. */
export const createdTokenSchema = tokenSchema.extend({ token: z.string() });

export const whoamiSchema = z.looseObject({
  owner: z.string(),
  scopes: z.array(z.string()).default([]),
  registries: z.array(z.string()).default([]),
  packages: z.array(z.string()).default([]),
  expiresAt: z.string().nullish(),
});

export const auditEntrySchema = z.looseObject({
  at: z.string(),
  action: z.string(),
  actor: z.string(),
  registry: z.string().nullish(),
  package: z.string().nullish(),
  version: z.string().nullish(),
  detail: z.string().nullish(),
});

export const webhookSchema = z.looseObject({
  id: z.string(),
  /** Absent: the whole deployment. */
  registry: z.string().optional(),
  url: z.string(),
  events: z.array(z.string()).default([]),
  packages: z.array(z.string()).default([]),
  description: z.string().default(""),
  enabled: z.boolean(),
  disabledReason: z.string().optional(),
  createdBy: z.string().default(""),
  createdAt: z.string(),
  updatedAt: z.string(),
});
export type WebhookView = z.infer<typeof webhookSchema>;
/** The answers to a creation and a new secret are the only ones that hold it. */
export const webhookWithSecretSchema = webhookSchema.extend({ secret: z.string() });

export const deliverySchema = z.looseObject({
  id: z.string(),
  event: z.string(),
  registry: z.string().default(""),
  package: z.string().default(""),
  version: z.string().default(""),
  state: z.string(),
  attempts: z.number(),
  createdAt: z.string(),
  nextAttemptAt: z.string().optional(),
  lastAttempt: z
    .looseObject({
      at: z.string(),
      durationMs: z.number(),
      status: z.number().optional(),
      error: z.string().optional(),
    })
    .optional(),
});
export type DeliveryView = z.infer<typeof deliverySchema>;

const partTicketSchema = z.looseObject({
  partNumber: z.number().int().positive(),
  method: z.literal("PUT"),
  /** Absolute, or a path on the server. */
  url: z.string(),
  headers: z.record(z.string(), z.string()),
  sizeBytes: z.number().int().nonnegative(),
});
/** Where and how to PUT one part. */
export type PartTicket = z.infer<typeof partTicketSchema>;
export const partTicketsSchema = z.looseObject({ parts: z.array(partTicketSchema) });

export const uploadSchema = z.looseObject({
  id: z.string(),
  partSizeBytes: z.number().int().positive(),
  partCount: z.number().int().positive(),
  parts: z.array(partTicketSchema).default([]),
  arrived: z.array(z.looseObject({ partNumber: z.number(), sizeBytes: z.number() })).default([]),
  expiresAt: z.string(),
});
export type UploadView = z.infer<typeof uploadSchema>;

/** Any JSON object: what is only shown. */
export const objectSchema = z.looseObject({});

export const purgedSchema = z.looseObject({
  packages: z.number(),
  versions: z.number(),
  files: z.number(),
  documents: z.number(),
  sizeBytes: z.number(),
  remaining: z.number().default(0),
  nextCursor: z.string().optional(),
});
export type PurgedView = z.infer<typeof purgedSchema>;

const prefetchedItemSchema = z.looseObject({
  package: z.string(),
  version: z.string(),
  status: z.string(),
  detail: z.string().optional(),
  sizeBytes: z.number(),
  files: z.array(
    z.looseObject({
      path: z.string(),
      sizeBytes: z.number(),
      digests: z.record(z.string(), z.string()),
    }),
  ),
});
export type PrefetchedItem = z.infer<typeof prefetchedItemSchema>;
export const prefetchedSchema = z.looseObject({ items: z.array(prefetchedItemSchema) });
