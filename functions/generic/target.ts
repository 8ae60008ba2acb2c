import type { Context } from "hono";
import { InvalidInputError, NotFoundError } from "../../shared/errors.ts";
import type { AppEnv } from "../../shared/http/app.ts";
import { decodeSegments } from "../../shared/http/raw-path.ts";
import type { RegistryGrant } from "../../shared/services/access.ts";
import type { Services } from "../../shared/services/services.ts";
import { latestOfAll } from "./latest-of-all.ts";
import { LATEST, parsePackageName, parsePath, parseVersion } from "./names.ts";

/** What the path of a request names; names that no thing can have are refused here. */
export interface Target {
  readonly registry: string;
  readonly packageName: string;
  /** May be `latest` where {@link parseTarget} was told so. */
  readonly version: string;
  /** Canonical; empty when the path ends with the version. */
  readonly path: string;
  /** The path ends with a slash. */
  readonly isFolder: boolean;
}

/**
 * Reads `/generic/<registry>/<package>/<version>/<path>`; missing parts are empty.
 *
 * @throws {InvalidInputError}
 */
export function parseTarget(c: Context<AppEnv>, options: { readonly latest: boolean }): Target {
  const [, registry = "", packageName = "", version = "", ...rest] = decodeSegments(c.req.path);
  const isFolder = rest.at(-1) === "";
  const segments = isFolder ? rest.slice(0, -1) : rest;
  return {
    registry,
    packageName: packageName === "" ? "" : parsePackageName(packageName),
    version:
      version === "" || (options.latest && version === LATEST) ? version : parseVersion(version),
    path: segments.length === 0 ? "" : parsePath(segments),
    isFolder,
  };
}

/** A target that is to be written or removed: exactly one file. @throws {InvalidInputError} */
export function parseFileTarget(c: Context<AppEnv>): Target {
  const target = parseTarget(c, { latest: false });
  if (!target.isFolder) return target;
  throw new InvalidInputError("The path ends with a slash, so it names a folder; name one file.", [
    { at: "path", problem: "not a file" },
  ]);
}

/**
 * The version that a read means: `latest` is the package's highest release, or pre-release where there is
 * nothing else.
 *
 * @throws {NotFoundError} when the package has no version.
 */
export async function resolveVersion(
  services: Services,
  grant: RegistryGrant,
  target: Target,
): Promise<string> {
  if (target.version !== LATEST) return target.version;
  if (grant.registry.kind !== "source") return latestOfAll(services, grant, target.packageName);
  const pkg = await services.catalogue.findPackage(grant, target.packageName);
  if (pkg === undefined) throw new NotFoundError("package", target.packageName);
  return pkg.latestVersion;
}
