import { property } from "../../shared/domain/json.ts";
import { isAvailable, type Version } from "../../shared/domain/package.ts";
import {
  ConflictError,
  ForbiddenError,
  InvalidInputError,
  NotFoundError,
  UnsupportedError,
} from "../../shared/errors.ts";
import type { RegistryGrant } from "../../shared/services/access.ts";
import type { Services } from "../../shared/services/services.ts";
import { isVersion, parseTag } from "./names.ts";
import type { PackageBody } from "./schema.ts";

const MAX_DEPRECATION_LENGTH = 4096;

/**
 * `PUT /<package>` of a packument that was read and sent back: `npm deprecate` sets or empties `deprecated` of
 * versions in it. Versions that are missing stay; taking them away needs the revision in the path.
 *
 * @throws {ConflictError} when something is to change and the packument was changed by another meanwhile.
 */
export async function editPackument(
  services: Services,
  grant: RegistryGrant,
  packageName: string,
  body: PackageBody,
): Promise<void> {
  if (body.versions === undefined) refuseOther(body);
  const wanted = deprecations(body);
  const current = await availableVersions(services, grant, packageName);
  const changed = new Map(
    current.versions
      .map(({ version, deprecation }) => ({ version, deprecation, to: wanted.get(version) }))
      .filter(({ deprecation, to }) => to !== undefined && to !== deprecation)
      .map(({ version, to }) => [version, to ?? ""]),
  );
  // Asked again after an answer that was lost, there is nothing left to do and the old revision does not matter.
  if (changed.size === 0) return;
  if (body.revision !== undefined) requireRevision(body.revision, current.revision, packageName);
  await services.deprecations.deprecate(grant, packageName, changed);
}

/**
 * `PUT /<package>/-rev/<rev>`: `npm unpublish` of one version sends the packument without it (libnpmpublish
 * lib/unpublish.js). What was published after the revision that the client had read is never deleted.
 *
 * @throws {ConflictError} for a revision that is not the current one.
 */
export async function removeMissingVersions(
  services: Services,
  grant: RegistryGrant,
  packageName: string,
  revision: string,
  body: PackageBody,
): Promise<void> {
  if (body.versions === undefined) refuseOther(body);
  const kept = new Set(Object.keys(body.versions ?? {}));
  const current = await availableVersions(services, grant, packageName);
  const missing = current.versions.filter(({ version }) => !kept.has(version));
  const tags = tagChanges(body, current.versions, kept);
  if (missing.length === 0 && tags.length === 0) return;
  requireRevision(revision, current.revision, packageName);
  const doomed = missing.filter(({ sequence }) => sequence <= current.revision);
  if (doomed.length === current.versions.length) {
    return services.lifecycle.deletePackage(grant, packageName);
  }
  for (const { version } of doomed) {
    await services.lifecycle.deleteVersion(grant, packageName, version);
  }
  const before = new Map(
    (await services.catalogue.listTags(grant, packageName)).map((tag) => [tag.name, tag.version]),
  );
  for (const [name, version] of tags) {
    if (before.get(name) !== version) await services.tags.set(grant, packageName, name, version);
  }
}

/** @throws {ConflictError} | {NotFoundError} */
export async function deletePackument(
  services: Services,
  grant: RegistryGrant,
  packageName: string,
  revision: string,
): Promise<void> {
  const pkg = await services.catalogue.findPackage(grant, packageName);
  if (pkg === undefined) throw new NotFoundError("package", packageName);
  requireRevision(revision, pkg.revision, packageName);
  await services.lifecycle.deletePackage(grant, packageName);
}

interface AvailableVersions {
  readonly revision: number;
  readonly versions: readonly Version[];
}

/** The revision is read first, so that a version of a later one is known as such by its sequence. */
async function availableVersions(
  services: Services,
  grant: RegistryGrant,
  packageName: string,
): Promise<AvailableVersions> {
  const pkg = await services.catalogue.findPackage(grant, packageName);
  if (pkg === undefined) throw new NotFoundError("package", packageName);
  const versions: Version[] = [];
  let cursor: string | undefined;
  do {
    const page = await services.catalogue.listVersions(grant, packageName, {
      limit: 500,
      prefix: "",
      ...(cursor === undefined ? {} : { cursor }),
    });
    versions.push(...page.items.filter(isAvailable));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return { revision: pkg.revision, versions };
}

/** Words by version; a version without the field is left as it is. */
function deprecations(body: PackageBody): ReadonlyMap<string, string> {
  const entries = Object.entries(body.versions ?? {}).flatMap(([version, manifest]) => {
    const value = property(manifest, "deprecated");
    return value === undefined ? [] : [[version, deprecationText(version, value)] as const];
  });
  return new Map(entries);
}

/** Old clients sent `true` without words, and `false` or `null` to take it back. */
function deprecationText(version: string, value: unknown): string {
  if (value === false || value === null) return "";
  if (value === true) return "This version is deprecated.";
  if (typeof value === "string" && value.length <= MAX_DEPRECATION_LENGTH) return value;
  throw new InvalidInputError(
    `The deprecation message must be text of at most ${MAX_DEPRECATION_LENGTH} characters.`,
    [{ at: `/versions/${version.slice(0, 80)}/deprecated`, problem: "not a short text" }],
  );
}

/** Tags of the body that point at versions which stay. */
function tagChanges(
  body: PackageBody,
  versions: readonly Version[],
  kept: ReadonlySet<string>,
): readonly (readonly [string, string])[] {
  const known = new Set(versions.map(({ version }) => version));
  return Object.entries(body.distTags)
    .filter(([, version]) => isVersion(version) && known.has(version) && kept.has(version))
    .map(([name, version]) => [parseTag(name), version] as const);
}

function requireRevision(sent: string, revision: number, packageName: string): void {
  if (sent === `${revision}-0`) return;
  throw new ConflictError(
    `Document update conflict: ${packageName} was changed after you read it (you have ${sent.slice(0, 40)}, it is at ${revision}-0). Try again.`,
  );
}

/** Edits of other fields than versions: `npm owner` and `npm star`. */
function refuseOther(body: PackageBody): never {
  if (body.maintainers !== undefined) {
    throw new ForbiddenError(
      "Owners of single packages are not kept here: who may publish is decided by the scopes and package patterns of tokens. Ask an administrator for a token that covers this package.",
    );
  }
  if (body.users !== undefined) throw new UnsupportedError("Stars are not kept in this registry.");
  throw new InvalidInputError(
    'The package document has neither "versions" nor a tarball in "_attachments"; there is nothing to publish or change.',
  );
}
