import type { DigestAlgorithm } from "../../shared/domain/digest.ts";
import { isAvailable, type PackageFile, type Version } from "../../shared/domain/package.ts";
import { VersionExistsError } from "../../shared/errors.ts";
import { fileKey, toFile } from "../../shared/records/files.ts";
import { toVersion, versionKey } from "../../shared/records/versions.ts";
import type { RegistryGrant } from "../../shared/services/access.ts";
import type { Services } from "../../shared/services/services.ts";
import { buildPath, MAX_BUILDS_OF_ONE_NAME, parseArtifactName } from "./snapshots.ts";
import { factsOf } from "./version-facts.ts";
import { isSnapshot } from "./versions.ts";

/**
 * Maven names a build by the second in which it began and by the number after the newest that it saw, so that two jobs
 * that begin together choose one name. The later one gets the next number, as long as the first is as fresh as this.
 */
const SAME_TIME_MS = 3_600_000;

/** What is there before a file comes. */
export interface Stored {
  readonly version: Version | undefined;
  readonly file: PackageFile | undefined;
}

/** A path, and the digest of what is to be there. */
interface Wanted {
  readonly packageName: string;
  readonly version: string;
  readonly path: string;
  readonly sha256: string;
}

/** Where the file may be put, and what is there. @throws {VersionExistsError} */
export async function findPlace(
  services: Services,
  grant: RegistryGrant,
  wanted: Wanted,
): Promise<{ readonly path: string; readonly stored: Stored }> {
  const { packageName, version, sha256 } = wanted;
  for (let by = 0; by < MAX_BUILDS_OF_ONE_NAME; by++) {
    const path = by === 0 ? wanted.path : buildPath(packageName, version, wanted.path, by);
    if (path === undefined) break;
    const stored = await read(services, grant, { ...wanted, path });
    if (stored.version !== undefined && !isAvailable(stored.version)) {
      throw new VersionExistsError(packageName, version);
    }
    const isFree =
      stored.file === undefined ||
      stored.file.digests.sha256 === sha256 ||
      mayReplace(grant, wanted, stored.version);
    if (isFree) return { path, stored };
    if (stored.file.createdAtMs < services.stores.now() - SAME_TIME_MS) break;
  }
  throw new VersionExistsError(packageName, version, wanted.path);
}

/** Whether a digest is that of a build which was given the next number because another had its name. */
export async function isOfNextBuild(
  { catalogue }: Services,
  grant: RegistryGrant,
  { packageName, version, path }: Pick<PackageFile, "packageName" | "version" | "path">,
  [algorithm, digest]: readonly [DigestAlgorithm, string],
): Promise<boolean> {
  for (let by = 1; by < MAX_BUILDS_OF_ONE_NAME; by++) {
    const next = buildPath(packageName, version, path, by);
    const file = next && (await catalogue.findFile(grant, packageName, version, next));
    if (!file) return false;
    if (file.digests[algorithm] === digest) return true;
  }
  return false;
}

async function read(
  { stores }: Services,
  grant: RegistryGrant,
  { packageName, version, path }: Wanted,
): Promise<Stored> {
  const registryId = grant.registry.id;
  const [versionItem, fileItem] = await stores.table.getMany([
    versionKey(registryId, packageName, version),
    fileKey(registryId, packageName, version, path),
  ]);
  return {
    version: versionItem === undefined ? undefined : toVersion(versionItem),
    file: fileItem === undefined ? undefined : toFile(fileItem),
  };
}

/** A deploy that broke off can be repeated, although a build seldom makes the same bytes twice. */
function mayReplace(
  grant: RegistryGrant,
  { packageName, version, path }: Wanted,
  stored: Version | undefined,
): boolean {
  if (grant.registry.policies.mutableFiles) return true;
  const name = parseArtifactName(packageName, version, path);
  // Unique snapshots never change; the others (sbt's, Ivy's) are meant to be replaced.
  if (isSnapshot(version)) return name?.build === undefined;
  return factsOf(stored?.metadata).deploy === "open";
}
