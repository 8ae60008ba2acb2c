import type { Context } from "hono";
import type { AppEnv } from "../../../shared/http/app.ts";
import { readJson } from "../../../shared/http/json-body.ts";
import type { Services } from "../../../shared/services/services.ts";
import { auditSchema, bulkAuditSchema, parseWith } from "../schema.ts";
import { openRegistry } from "../target.ts";

/** A lock file of some ten thousand packages. */
const BODY_LIMITS = { maxBytes: 16 * 1024 * 1024, maxDepth: 256 } as const;

/**
 * `POST /-/npm/v1/security/advisories/bulk`: advisories by package name (npm 7 and later, pnpm, yarn 4, bun).
 * Nothing is scanned yet, so none are known.
 */
export async function auditBulk(c: Context<AppEnv>, services: Services): Promise<Response> {
  await openRegistry(c, services, "packages:read");
  parseWith(bulkAuditSchema, await readJson(c.req.raw, BODY_LIMITS), "The audit request");
  return c.json({});
}

/** `POST /-/npm/v1/security/audits` and `/audits/quick`: the report that npm 6, yarn 1 and pnpm read. */
export async function auditTree(c: Context<AppEnv>, services: Services): Promise<Response> {
  await openRegistry(c, services, "packages:read");
  const tree = parseWith(auditSchema, await readJson(c.req.raw, BODY_LIMITS), "The audit request");
  const dependencies = Object.keys(tree.dependencies ?? {}).length;
  return c.json({
    actions: [],
    advisories: {},
    muted: [],
    metadata: {
      vulnerabilities: { info: 0, low: 0, moderate: 0, high: 0, critical: 0 },
      dependencies,
      devDependencies: 0,
      optionalDependencies: 0,
      totalDependencies: dependencies,
    },
  });
}
