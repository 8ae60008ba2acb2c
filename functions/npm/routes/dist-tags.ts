import type { Context } from "hono";
import { NotFoundError } from "../../../shared/errors.ts";
import type { AppEnv } from "../../../shared/http/app.ts";
import { readJson } from "../../../shared/http/json-body.ts";
import type { Services } from "../../../shared/services/services.ts";
import { ok } from "../errors.ts";
import { parseTag, parseVersion } from "../names.ts";
import { distTags } from "../render.ts";
import { parseWith, tagBodySchema } from "../schema.ts";
import { openPackage, param } from "../target.ts";

const BODY_LIMITS = { maxBytes: 4096, maxDepth: 2 } as const;

/** `GET /-/package/<package>/dist-tags`: versions by tag. */
export async function listDistTags(c: Context<AppEnv>, services: Services): Promise<Response> {
  const { grant, packageName } = await openPackage(c, services, "packages:read");
  const pkg = await services.catalogue.findPackage(grant, packageName);
  if (pkg === undefined) throw new NotFoundError("package", packageName);
  return c.json(distTags({ tags: await services.catalogue.listTags(grant, packageName) }), 200, {
    "cache-control": "private, no-cache",
  });
}

/** `PUT /-/package/<package>/dist-tags/<tag>` with the version as a JSON string. */
export async function putDistTag(c: Context<AppEnv>, services: Services): Promise<Response> {
  const { grant, packageName } = await openPackage(c, services, "packages:write");
  const tag = parseTag(param(c, "tag"));
  const body = parseWith(tagBodySchema, await readJson(c.req.raw, BODY_LIMITS), "The version");
  await services.tags.set(grant, packageName, tag, parseVersion(body));
  return ok(c, 201);
}

/** `DELETE /-/package/<package>/dist-tags/<tag>`. */
export async function deleteDistTag(c: Context<AppEnv>, services: Services): Promise<Response> {
  const { grant, packageName } = await openPackage(c, services, "packages:write");
  await services.tags.remove(grant, packageName, parseTag(param(c, "tag")));
  return ok(c);
}
