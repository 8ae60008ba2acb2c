import type { Context } from "hono";
import { ConflictError, NotFoundError } from "../../../shared/errors.ts";
import { isAvailable } from "../../../shared/domain/package.ts";
import type { AppEnv } from "../../../shared/http/app.ts";
import { readJson } from "../../../shared/http/json-body.ts";
import type { Services } from "../../../shared/services/services.ts";
import { ok } from "../errors.ts";
import { PACKUMENT_LIMITS } from "../intake/package-body.ts";
import { versionOfTarball } from "../names.ts";
import { deletePackument, removeMissingVersions } from "../packument-edits.ts";
import { packageBodySchema, parseWith } from "../schema.ts";
import { openPackage, param } from "../target.ts";

/**
 * `PUT /<package>/-rev/<rev>`: the packument without the versions that are to go. `npm owner` sends its edits
 * here too; whoever reads may be refused those in words, and each deletion asks for its own right.
 */
export async function putRevision(c: Context<AppEnv>, services: Services): Promise<Response> {
  const { grant, packageName } = await openPackage(c, services, "packages:read");
  const document = parseWith(
    packageBodySchema,
    await readJson(c.req.raw, PACKUMENT_LIMITS),
    "The package document",
  );
  await removeMissingVersions(services, grant, packageName, param(c, "rev"), document);
  return ok(c, 201);
}

/** `DELETE /<package>/-rev/<rev>`: the whole package. */
export async function deletePackage(c: Context<AppEnv>, services: Services): Promise<Response> {
  const { grant, packageName } = await openPackage(c, services, "packages:delete");
  await deletePackument(services, grant, packageName, param(c, "rev"));
  return ok(c);
}

/**
 * `DELETE /<package>/-/<file>/-rev/<rev>`: npm removes the tarball after it has removed its version, which took
 * the tarball with it here; so there is nothing left to do.
 *
 * @throws {ConflictError} while the version is there: a version without its tarball cannot be installed.
 */
export async function deleteTarball(c: Context<AppEnv>, services: Services): Promise<Response> {
  const { grant, packageName } = await openPackage(c, services, "packages:delete");
  const version = versionOfTarball(packageName, param(c, "file"));
  if (version === undefined) throw new NotFoundError("file", param(c, "file").slice(0, 200));
  const known = await services.catalogue.findAnyVersion(grant, packageName, version);
  if (known !== undefined && isAvailable(known)) {
    throw new ConflictError(
      `Version ${version} of ${packageName} is still published; unpublish it with "npm unpublish ${packageName}@${version}".`,
    );
  }
  return ok(c);
}
