import { isAvailable, type PackageFile, type Version } from "../../shared/domain/package.ts";
import type { Registry } from "../../shared/domain/registry.ts";
import type { WriteOp } from "../../shared/ports/table.ts";
import { removeReferenceOp } from "../../shared/records/blob-references.ts";
import { fileKey, listFilesQuery, toFile } from "../../shared/records/files.ts";
import { listPackagesQuery } from "../../shared/records/packages.ts";
import { listRegistriesQuery, toRegistry } from "../../shared/records/registries.ts";
import { updateMetadataOp, versionKey } from "../../shared/records/versions.ts";
import { RegistryGrant } from "../../shared/services/access.ts";
import { eachItem, queryAll, readVersions } from "../../shared/services/queries.ts";
import type { Services } from "../../shared/services/services.ts";
import { WORKER } from "../../shared/services/tokens.ts";
import { completeVersion } from "./deploy.ts";
import { parseArtifactName } from "./snapshots.ts";
import { factsOf } from "./version-facts.ts";
import { isSnapshot } from "./versions.ts";

const DAY_MS = 86_400_000;
/** Two operations each, within a transaction's hundred. */
const FILES_A_TRANSACTION = 40;

/**
 * Removes builds of a snapshot that the policies of its registry keep no longer: never the newest, and never a file
 * that the snapshot's metadata names.
 */
export async function pruneSnapshot(
  services: Services,
  grant: RegistryGrant,
  packageName: string,
  version: string,
): Promise<void> {
  const { snapshotBuilds, snapshotDays } = grant.registry.policies;
  if (snapshotBuilds === 0 && snapshotDays === 0) return;
  for (;;) {
    const applied = await services.changes.apply(
      grant,
      packageName,
      async ({ package: pkg, tags }) => {
        const stored = await services.catalogue.findAnyVersion(grant, packageName, version);
        if (stored === undefined || pkg === undefined || !isAvailable(stored)) return undefined;
        const doomed = (await expiredFiles(services, grant.registry, stored)).slice(
          0,
          FILES_A_TRANSACTION,
        );
        if (doomed.length === 0) return undefined;
        return {
          package: pkg,
          tags,
          ops: removalOps(stored, doomed),
          documents: { kind: "keep" },
          audit: [
            { action: "file.delete", version, detail: `${doomed.length} files of old builds` },
          ],
        };
      },
    );
    if (applied === undefined) return;
  }
}

const removalOps = (version: Version, files: readonly PackageFile[]): readonly WriteOp[] => [
  updateMetadataOp(
    version,
    -files.length,
    -files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  ),
  ...files.flatMap((file): WriteOp[] => [
    { op: "delete", key: fileKey(file.registryId, file.packageName, file.version, file.path) },
    removeReferenceOp(file.digests.sha256, file),
  ]),
];

/** Whole builds, by the names of their files. */
async function expiredFiles(
  { stores }: Services,
  { id, policies }: Registry,
  { packageName, version, metadata }: Version,
): Promise<readonly PackageFile[]> {
  const items = await queryAll(stores.table, (page) =>
    listFilesQuery(id, packageName, version, page),
  );
  const named = new Set(factsOf(metadata).snapshot.map(({ value }) => value));
  const builds = new Map<string, { readonly order: string; readonly files: PackageFile[] }>();
  for (const file of items.map(toFile)) {
    const name = parseArtifactName(packageName, version, file.path);
    if (name?.build === undefined) continue;
    const order = `${String(name.build.number).padStart(10, "0")} ${name.build.timestamp}`;
    const build = builds.get(name.value) ?? { order, files: [] };
    build.files.push(file);
    builds.set(name.value, build);
  }
  const oldestMs = stores.now() - policies.snapshotDays * DAY_MS;
  return [...builds]
    .toSorted(([, a], [, b]) => (a.order < b.order ? 1 : -1))
    .flatMap(([value, { files }], position) => {
      const tooMany = policies.snapshotBuilds > 0 && position >= policies.snapshotBuilds;
      const tooOld =
        policies.snapshotDays > 0 && files.every(({ createdAtMs }) => createdAtMs < oldestMs);
      return position > 0 && (tooMany || tooOld) && !named.has(value) ? files : [];
    });
}

/** Runs now and then: retention by age, and deploys that broke off and were never repeated. */
export async function sweepMaven(services: Services): Promise<void> {
  const { table } = services.stores;
  for await (const item of eachItem(table, listRegistriesQuery)) {
    const registry = toRegistry(item);
    if (registry.ecosystem !== "maven") continue;
    const grant = new RegistryGrant(registry, WORKER);
    for await (const row of eachItem(table, (page) => listPackagesQuery(registry.id, page))) {
      await sweepPackage(services, grant, row.key.sk);
    }
  }
}

async function sweepPackage(
  services: Services,
  grant: RegistryGrant,
  packageName: string,
): Promise<void> {
  const { stores } = services;
  for (const version of await readVersions(stores.table, grant.registry.id, packageName)) {
    if (!isAvailable(version)) continue;
    if (isSnapshot(version.version)) {
      await pruneSnapshot(services, grant, packageName, version.version);
    }
    if (factsOf(version.metadata).deploy === "open") await settle(services, grant, version);
  }
}

/**
 * Ends a deploy to which nothing was added for as long as deleted versions are kept. What describes itself can be used
 * and counts as complete: some publish nothing but classifiers with a POM. Without that, and without the metadata that
 * clients send last, it broke off.
 */
async function settle(services: Services, grant: RegistryGrant, version: Version): Promise<void> {
  const { stores } = services;
  const windowMs = Math.max(1, grant.registry.policies.restoreDays) * DAY_MS;
  const beforeMs = stores.now() - windowMs;
  if (version.publishedAtMs >= beforeMs) return;
  const { packageName, version: number } = version;
  const items = await queryAll(stores.table, (page) =>
    listFilesQuery(version.registryId, packageName, number, page),
  );
  const files = items.map(toFile);
  if (files.some(({ createdAtMs }) => createdAtMs >= beforeMs)) return;
  if (files.some(isDescriptor)) await completeVersion(services, grant, packageName, number);
  else await dropOpenVersion(services, grant, version, beforeMs);
}

/** A POM, or Gradle's module metadata. */
function isDescriptor({ packageName, version, path }: PackageFile): boolean {
  const name = parseArtifactName(packageName, version, path);
  return name?.classifier === "" && (name.extension === "pom" || name.extension === "module");
}

/** Leaves no tombstone: what never was complete may be deployed again with other bytes. */
async function dropOpenVersion(
  services: Services,
  grant: RegistryGrant,
  { packageName, version }: Version,
  beforeMs: number,
): Promise<void> {
  const { table, now } = services.stores;
  const registryId = grant.registry.id;
  for (;;) {
    const applied = await services.changes.apply(
      grant,
      packageName,
      async ({ package: pkg, tags }) => {
        const stored = await services.catalogue.findAnyVersion(grant, packageName, version);
        if (stored === undefined || pkg === undefined) return undefined;
        if (!isAvailable(stored) || factsOf(stored.metadata).deploy !== "open") return undefined;
        const page = await table.query(
          listFilesQuery(registryId, packageName, version, { limit: FILES_A_TRANSACTION }),
        );
        const files = page.items.map(toFile);
        // Somebody goes on with it.
        if (files.some(({ createdAtMs }) => createdAtMs >= beforeMs)) return undefined;
        const isLast = page.cursor === undefined;
        const left = pkg.versionCount - (isLast ? 1 : 0);
        return {
          package: {
            ...pkg,
            state: left > 0 ? "active" : "deleted",
            versionCount: left,
            latestVersion: isLast && pkg.latestVersion === version ? "" : pkg.latestVersion,
            updatedAtMs: now(),
          },
          tags,
          ops: isLast
            ? [
                { op: "delete", key: versionKey(registryId, packageName, version) },
                ...removalOps(stored, files).slice(1),
              ]
            : removalOps(stored, files),
          documents: { kind: "keep" },
          audit: isLast ? [{ action: "version.reclaim", version, detail: "deploy abandoned" }] : [],
        };
      },
    );
    if (applied === undefined) return;
  }
}
