import * as z from "zod";
import { InvalidInputError } from "../../shared/errors.ts";
import { isJsonObject, type JsonObject } from "../../shared/domain/json.ts";

/** Any JSON object, taken as it is: what is read of it is read by `property()`. */
const jsonObject = z.custom<JsonObject>(isJsonObject, { error: "expected an object" });

const MAX_TAGS = 20;

/**
 * What `PUT /<package>` carries: a publish with `_attachments` (libnpmpublish/lib/publish.js), or without them a
 * packument that was read, edited and sent back (deprecate, unpublish, owner, star).
 */
export const packageBodySchema = z
  .object({
    name: z.string().optional(),
    _id: z.string().optional(),
    _rev: z.string().optional(),
    "dist-tags": z.record(z.string(), z.string()).optional(),
    versions: z.record(z.string(), jsonObject).optional(),
    readme: z.unknown().optional(),
    maintainers: z.unknown().optional(),
    users: z.unknown().optional(),
    _attachments: z
      .record(
        z.string(),
        z.object({
          content_type: z.string().optional(),
          data: z.string().optional(),
          length: z.number().int().nonnegative().optional(),
        }),
      )
      .optional(),
  })
  .transform(
    ({ _id: id, _rev: revision, "dist-tags": distTags, _attachments: attachments, ...rest }) => ({
      ...rest,
      id,
      revision,
      distTags: distTags ?? {},
      attachments: new Map(Object.entries(attachments ?? {})),
    }),
  );
export type PackageBody = z.infer<typeof packageBodySchema>;

const stringMap = z.record(z.string(), z.string());

/** The parts of a version's manifest that clients resolve by: a wrong shape there breaks every install. */
export const manifestSchema = z.looseObject({
  name: z.string(),
  version: z.string(),
  dependencies: stringMap.optional(),
  devDependencies: stringMap.optional(),
  optionalDependencies: stringMap.optional(),
  peerDependencies: stringMap.optional(),
  bin: z.union([z.string(), stringMap]).optional(),
  scripts: z.record(z.string(), z.unknown()).optional(),
});

/** The digests that a client computed of its tarball. */
export const announcedDistSchema = z.object({
  integrity: z.string().max(2000).optional(),
  shasum: z.string().max(200).optional(),
});

/** Tags of a publish. */
export const publishTagsSchema = z
  .record(z.string(), z.string())
  .refine((tags) => Object.keys(tags).length <= MAX_TAGS, {
    error: `more than ${MAX_TAGS} tags`,
  });

/** `PUT /-/package/<package>/dist-tags/<tag>`: a version as a JSON string. */
export const tagBodySchema = z.string().max(300);

/** `PUT /-/user/org.couchdb.user:<name>` (npm-profile/lib/index.js). */
export const loginSchema = z.object({
  name: z.string().max(500).optional(),
  password: z.string().min(1).max(4096),
});

/**
 * `POST /-/npm/v1/tokens`: npm 10 sends `readonly`, npm 11 names, scopes and an expiry in days, and
 * `null` for what it has no value for.
 */
export const newTokenSchema = z.object({
  name: z.string().max(200).nullish(),
  description: z.string().max(500).nullish(),
  readonly: z.boolean().nullish(),
  cidr_whitelist: z.array(z.string()).max(100).nullish(),
  expires: z.number().int().positive().max(36_500).nullish(),
  packages: z.array(z.string().max(300)).max(100).nullish(),
  packages_all: z.boolean().nullish(),
  scopes: z.array(z.string().max(300)).max(100).nullish(),
  orgs: z.array(z.string().max(300)).max(100).nullish(),
  packages_and_scopes_permission: z.enum(["read-only", "read-write", "no-access"]).nullish(),
  orgs_permission: z.enum(["read-only", "read-write", "no-access"]).nullish(),
});
export type NewTokenBody = z.infer<typeof newTokenSchema>;

/** `POST /-/npm/v1/security/advisories/bulk`: versions by package name (arborist/lib/audit-report.js). */
export const bulkAuditSchema = z.record(z.string(), z.array(z.string()));

/** `POST /-/npm/v1/security/audits` and `/audits/quick`: a lock file's tree. */
export const auditSchema = z.looseObject({
  dependencies: z.record(z.string(), z.unknown()).optional(),
});

/** `POST /-/package/<package>/access`. */
export const accessSchema = z.object({
  access: z.enum(["public", "restricted", "private"]).nullable().optional(),
  publish_requires_tfa: z.boolean().optional(),
});

/** A Sigstore bundle as far as it is checked here; clients verify its signatures. */
export const bundleSchema = z.looseObject({
  mediaType: z.string().startsWith("application/vnd.dev.sigstore.bundle"),
  verificationMaterial: jsonObject,
  dsseEnvelope: z.looseObject({
    payload: z.base64(),
    payloadType: z.literal("application/vnd.in-toto+json"),
    signatures: z.array(jsonObject).min(1).max(10),
  }),
});

/** An in-toto statement (https://in-toto.io/Statement/v1). */
export const statementSchema = z.looseObject({
  subject: z
    .array(z.looseObject({ name: z.string(), digest: z.record(z.string(), z.string()) }))
    .length(1),
  predicateType: z.string().max(500),
});

/** Parses with words for the sender. @throws {InvalidInputError} that names `what` and every wrong place. */
export function parseWith<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  what: string,
): z.infer<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.slice(0, 10).map((issue) => ({
    at: `/${issue.path.join("/")}`.slice(0, 200),
    problem: issue.message,
  }));
  const [first] = issues;
  throw new InvalidInputError(
    `${what} is not valid${first === undefined ? "" : `: ${first.at} ${first.problem}`}.`,
    issues,
  );
}
