import { property } from "../../shared/domain/json.ts";
import { isAvailable, type Package, type Version } from "../../shared/domain/package.ts";
import { actorName } from "../../shared/domain/principal.ts";
import type { WriteOp } from "../../shared/ports/table.ts";
import { claimBlobOp } from "../../shared/records/blob-references.ts";
import { createVersionOp, sequenceOp, updateMetadataOp } from "../../shared/records/versions.ts";
import type { RegistryGrant } from "../../shared/services/access.ts";
import { latestOf } from "../../shared/services/ecosystem.ts";
import { fileOps, type NewFile, replaceOps } from "../../shared/services/new-version.ts";
import type { CurrentPackage, PackageChange } from "../../shared/services/package-changes.ts";
import type { FileOutcome } from "../../shared/services/publish.ts";
import type { Services } from "../../shared/services/services.ts";
import { putArchetypeOp } from "./index-rows.ts";
import { findPlace, type Stored } from "./place.ts";
import type { PomFacts } from "./pom.ts";
import { parseArtifactName } from "./snapshots.ts";
import { factsOf, type VersionFacts, withFile } from "./version-facts.ts";

/** A file whose bytes are stored, and where it belongs. */
export interface Deployed {
  readonly packageName: string;
  readonly version: string;
  readonly file: NewFile;
  /** When the file is the version's POM. */
  readonly pom: PomFacts | undefined;
}

export interface DeployOutcome {
  readonly outcome: FileOutcome;
  /** Where the file is: of builds of one second, the later ones get the next numbers. */
  readonly path: string;
}

/**
 * Adds one file of a deploy in one transaction: the file, its version with what is now known of it, and the package
 * with maven-metadata.xml as soon as the version can be used.
 *
 * @throws {VersionExistsError} for other bytes at the path of a complete release, or of a unique snapshot that was not
 *   deployed just now.
 */
export async function deployFile(
  services: Services,
  grant: RegistryGrant,
  deployed: Deployed,
): Promise<DeployOutcome> {
  const { packageName, file } = deployed;
  grant.require("packages:write", packageName);
  let result: DeployOutcome = { outcome: "unchanged", path: file.path };
  await services.changes.apply(grant, packageName, async (current) => {
    await services.collector.awaitUsable([file.digests.sha256]);
    const wanted = { ...deployed, path: file.path, sha256: file.digests.sha256 };
    const { path, stored } = await findPlace(services, grant, wanted);
    if (stored.file?.digests.sha256 === file.digests.sha256) {
      result = { outcome: "unchanged", path };
      return undefined;
    }
    result = { outcome: stored.file === undefined ? "created" : "replaced", path };
    const placed = { ...deployed, file: { ...file, path } };
    return changeFor(services, grant, placed, current, stored);
  });
  return result;
}

function changeFor(
  services: Services,
  grant: RegistryGrant,
  deployed: Deployed,
  current: CurrentPackage,
  stored: Stored,
): PackageChange {
  const { packageName, version, file, pom } = deployed;
  const nowMs = services.stores.now();
  const name = parseArtifactName(packageName, version, file.path);
  const before = factsOf(stored.version?.metadata);
  const facts = withFile(before, file.path, name, pom, nowMs);
  const row = stored.version ?? newVersion(grant, deployed, current, nowMs);
  const changed: Version = { ...row, metadata: { ...facts } };
  const isNew = stored.version === undefined;
  const revived = current.package?.state === "deleted";
  const listed = facts.deploy === "complete" && (before.deploy !== "complete" || revived);
  return {
    package: packageAfter(services, grant, deployed, current, facts, isNew, nowMs),
    tags: current.tags,
    ops: [
      ...(isNew ? newRows(changed, file, nowMs) : changedRows(changed, file, stored, nowMs)),
      claimBlobOp(file.digests.sha256),
      ...(listed && facts.packaging === "maven-archetype"
        ? [putArchetypeOp(row.registryId, { packageName, version, description: describe(facts) })]
        : []),
    ],
    documents: listed ? listing(changed, revived) : { kind: "keep" },
    audit: [
      {
        action: isNew ? "version.publish" : stored.file ? "file.replace" : "file.publish",
        version,
        detail: isNew ? "" : file.path,
      },
    ],
  };
}

/** As the POM has it, which may have come with an earlier file. */
function describe({ pom }: VersionFacts): string {
  const description = property(pom, "description");
  return typeof description === "string" ? description : "";
}

const listing = (version: Version, revived: boolean): PackageChange["documents"] =>
  revived ? { kind: "rebuild", changed: [version] } : { kind: "append", version };

function newRows(version: Version, file: NewFile, nowMs: number): readonly WriteOp[] {
  const counted = { ...version, fileCount: 1, sizeBytes: file.sizeBytes };
  return [createVersionOp(counted), sequenceOp(counted), ...fileOps(counted, file, nowMs)];
}

function changedRows(
  version: Version,
  file: NewFile,
  { file: old }: Stored,
  nowMs: number,
): readonly WriteOp[] {
  if (old === undefined) {
    return [updateMetadataOp(version, 1, file.sizeBytes), ...fileOps(version, file, nowMs)];
  }
  return [
    updateMetadataOp(version, 0, file.sizeBytes - old.sizeBytes),
    ...replaceOps(version, file, old, nowMs),
  ];
}

function newVersion(
  grant: RegistryGrant,
  { packageName, version }: Deployed,
  current: CurrentPackage,
  nowMs: number,
): Version {
  return {
    registryId: grant.registry.id,
    packageName,
    version,
    state: "published",
    deprecation: "",
    sequence: (current.package?.revision ?? 0) + 1,
    publishedAtMs: nowMs,
    publishedBy: actorName(grant.caller.principal),
    publishRun: "",
    sizeBytes: 0,
    fileCount: 0,
    metadata: {},
    deletedAtMs: 0,
    restoreUntilMs: 0,
  };
}

function packageAfter(
  services: Services,
  grant: RegistryGrant,
  { packageName, version, pom }: Deployed,
  current: CurrentPackage,
  facts: VersionFacts,
  isNew: boolean,
  nowMs: number,
): Package {
  const before = current.package;
  const active = before?.state === "active" ? before : undefined;
  const known = active?.latestVersion ?? "";
  const usable = facts.deploy === "complete" || known === "";
  const latestVersion = usable ? latestOf(services.ecosystems.maven, known, version) : known;
  const describes = pom !== undefined && latestVersion === version;
  return {
    registryId: grant.registry.id,
    name: packageName,
    state: "active",
    revision: 0,
    description: describes ? pom.description : (active?.description ?? ""),
    keywords: active?.keywords ?? [],
    latestVersion,
    versionCount: (active?.versionCount ?? 0) + (isNew ? 1 : 0),
    createdAtMs: before?.createdAtMs ?? nowMs,
    updatedAtMs: nowMs,
  };
}

/**
 * Ends the deploy of a version, most often because its client sends the maven-metadata.xml that lists it, last of all.
 * Does nothing for a version that is not there, or is complete.
 */
export async function completeVersion(
  services: Services,
  grant: RegistryGrant,
  packageName: string,
  version: string,
): Promise<void> {
  grant.require("packages:write", packageName);
  await services.changes.apply(grant, packageName, async (current) => {
    const stored = await services.catalogue.findAnyVersion(grant, packageName, version);
    if (stored === undefined || current.package === undefined || !isAvailable(stored))
      return undefined;
    const facts = factsOf(stored.metadata);
    if (facts.deploy !== "open") return undefined;
    const changed: Version = { ...stored, metadata: { ...facts, deploy: "complete" } };
    const latest = current.package.latestVersion;
    return {
      package: {
        ...current.package,
        latestVersion: latestOf(services.ecosystems.maven, latest, version),
        updatedAtMs: services.stores.now(),
      },
      tags: current.tags,
      ops: [updateMetadataOp(changed, 0, 0)],
      documents: listing(changed, false),
      audit: [],
    };
  });
}
