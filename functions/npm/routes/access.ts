import type { Context } from "hono";
import {
  ForbiddenError,
  InvalidInputError,
  NotFoundError,
  UnauthenticatedError,
} from "../../../shared/errors.ts";
import type { AppEnv } from "../../../shared/http/app.ts";
import { readJson } from "../../../shared/http/json-body.ts";
import type { RegistryGrant } from "../../../shared/services/access.ts";
import type { Services } from "../../../shared/services/services.ts";
import { ok } from "../errors.ts";
import { parsePackageName } from "../names.ts";
import { accessSchema, parseWith } from "../schema.ts";
import { openPackage, openRegistry, param } from "../target.ts";

const BODY_LIMITS = { maxBytes: 4096, maxDepth: 4 } as const;
const MAX_LISTED = 1000;
const PAGE_PACKAGES = 100;
/** Publishers of the newest versions count as collaborators. */
const MAX_VERSIONS = 100;

/** `GET /-/package/<package>/visibility` and `/access`: that of the registry, which all of its packages share. */
export async function getVisibility(c: Context<AppEnv>, services: Services): Promise<Response> {
  const { grant, packageName } = await openPackage(c, services, "packages:read");
  const pkg = await services.catalogue.findPackage(grant, packageName);
  if (pkg === undefined) throw new NotFoundError("package", packageName);
  const isPublic = grant.registry.visibility === "public";
  return c.json({ public: isPublic, access: isPublic ? "public" : "restricted" });
}

/** `POST /-/package/<package>/access`, for `npm access set`. */
export async function setAccess(c: Context<AppEnv>, services: Services): Promise<Response> {
  const { grant } = await openPackage(c, services, "packages:write");
  const body = parseWith(accessSchema, await readJson(c.req.raw, BODY_LIMITS), "The access");
  if (body.publish_requires_tfa === false) return ok(c);
  if (body.publish_requires_tfa === true) {
    throw new ForbiddenError(
      "Second factors are not asked for here: publishing takes a token; limit tokens to packages and give them an expiry.",
    );
  }
  const { visibility, slug } = grant.registry;
  if (body.access === undefined || body.access === null) {
    throw new InvalidInputError('Say "access": "public" or "restricted".');
  }
  if ((body.access === "public") === (visibility === "public")) return ok(c);
  throw new ForbiddenError(
    `Packages are as visible as their registry, and "${slug}" is ${visibility}. An administrator can change that for all of its packages.`,
  );
}

/** `GET /-/package/<package>/collaborators`: everybody who published one of the newest versions. */
export async function listCollaborators(c: Context<AppEnv>, services: Services): Promise<Response> {
  const { grant, packageName } = await openPackage(c, services, "packages:read");
  const pkg = await services.catalogue.findPackage(grant, packageName);
  if (pkg === undefined) throw new NotFoundError("package", packageName);
  const { items } = await services.catalogue.listVersions(grant, packageName, {
    limit: MAX_VERSIONS,
  });
  return c.json(Object.fromEntries(items.map(({ publishedBy }) => [publishedBy, "write"])));
}

/** `GET /-/org/<scope>/package`: packages of a scope. npm asks for a user's packages when this is 404. */
export async function listScopePackages(c: Context<AppEnv>, services: Services): Promise<Response> {
  const grant = await openRegistry(c, services, "packages:read");
  const scope = param(c, "scope");
  parsePackageName(`@${scope}/x`);
  const packages = await permissions(services, grant, `@${scope}/`);
  if (Object.keys(packages).length === 0) throw new NotFoundError("page", scope.slice(0, 100));
  return c.json(packages);
}

/** `GET /-/user/<user>/package`: what the caller may read and write; of others nothing is told. */
export async function listUserPackages(c: Context<AppEnv>, services: Services): Promise<Response> {
  const { principal } = c.get("caller");
  if (principal.kind === "anonymous") throw new UnauthenticatedError();
  const grant = await openRegistry(c, services, "packages:read");
  if (param(c, "user") !== principal.owner) {
    throw new ForbiddenError(`You can list your own packages only: you are "${principal.owner}".`);
  }
  return c.json(await permissions(services, grant, ""));
}

async function permissions(
  services: Services,
  grant: RegistryGrant,
  prefix: string,
): Promise<Readonly<Record<string, "read" | "write">>> {
  const entries: (readonly [string, "read" | "write"])[] = [];
  let cursor: string | undefined;
  do {
    const page = await services.catalogue.listPackages(grant, {
      prefix,
      limit: PAGE_PACKAGES,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const { name } of page.items) {
      entries.push([name, grant.may("packages:write", name) ? "write" : "read"]);
    }
    cursor = page.cursor;
  } while (cursor !== undefined && entries.length < MAX_LISTED);
  return Object.fromEntries(entries);
}
