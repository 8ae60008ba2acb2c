import { ConflictError, NotFoundError } from "../errors.ts";
import { isAvailable, type Package, type Tag, type Version } from "../domain/package.ts";
import { deleteTagOp, putTagOp } from "../records/tags.ts";
import { replaceVersionOp } from "../records/versions.ts";
import type { RegistryGrant } from "./access.ts";
import { latestOfAll } from "./ecosystem.ts";
import {
  type CurrentPackage,
  type PackageChange,
  type PackageChanges,
  requireActive,
  requireKnown,
} from "./package-changes.ts";
import { readVersions } from "./queries.ts";
import type { Ecosystems, Stores } from "./stores.ts";
import { requireMutableTag } from "./tags.ts";

const DAY_MS = 86_400_000;
/** Versions changed in one transaction; the rest of its 100 operations belongs to the package. */
const VERSIONS_A_TRANSACTION = 40;

/** Tags that point at what goes must go with it, in every ecosystem. */
const ALL_TAGS = { withTags: true };

/** What becomes of versions after they were published. */
export class Lifecycle {
  readonly #stores: Stores;
  readonly #ecosystems: Ecosystems;
  readonly #changes: PackageChanges;

  constructor(stores: Stores, ecosystems: Ecosystems, changes: PackageChanges) {
    this.#stores = stores;
    this.#ecosystems = ecosystems;
    this.#changes = changes;
  }

  /**
   * Takes a version out of sight at once; its bytes stay until the restore window of the registry ends. Tags
   * that pointed at it go, except that `latest` moves to the highest version left.
   *
   * @throws {NotFoundError} when there is no such version, {@link ForbiddenError} when a tag points at it that must
   *   not change.
   */
  async deleteVersion(grant: RegistryGrant, packageName: string, version: string): Promise<void> {
    grant.require("packages:delete", packageName);
    await this.#dropTags(grant, packageName, (pointsAt) => pointsAt === version);
    await this.#changes.apply(
      grant,
      packageName,
      async (current) => {
        const pkg = requireActive(current, packageName);
        const versions = await readVersions(this.#stores.table, grant.registry.id, packageName);
        const before = versions.find((candidate) => candidate.version === version);
        if (before === undefined || isGone(before)) throw new NotFoundError("version", version);
        return this.#visibilityChange(
          grant,
          current,
          pkg,
          versions,
          [[before, this.#deleted(grant, before)]],
          {
            action: "version.delete",
            version,
            detail: "",
          },
        );
      },
      ALL_TAGS,
    );
  }

  /**
   * Brings a deleted version back, bytes and all.
   *
   * @throws {NotFoundError} when it is not deleted, or {@link ConflictError} when its bytes were reclaimed.
   */
  async restoreVersion(grant: RegistryGrant, packageName: string, version: string): Promise<void> {
    grant.require("packages:delete", packageName);
    await this.#changes.apply(
      grant,
      packageName,
      async (current) => {
        const pkg = requireKnown(current, packageName);
        const versions = await readVersions(this.#stores.table, grant.registry.id, packageName);
        const before = versions.find((candidate) => candidate.version === version);
        if (before?.state === "reclaimed") {
          throw new ConflictError(
            `The restore window of ${packageName} ${version} has ended; its bytes are gone.`,
          );
        }
        if (before?.state !== "deleted") throw new NotFoundError("version", `${version} (deleted)`);
        return this.#visibilityChange(grant, current, pkg, versions, [[before, restored(before)]], {
          action: "version.restore",
          version,
          detail: "",
        });
      },
      ALL_TAGS,
    );
  }

  /**
   * Deletes a package with all of its versions, some in each transaction: whoever looks meanwhile sees a
   * package with fewer versions, and a deletion that was interrupted is finished by asking again.
   *
   * @throws {NotFoundError} when there is no such package, {@link ForbiddenError} when it has a tag that must not
   *   change.
   */
  async deletePackage(grant: RegistryGrant, packageName: string): Promise<void> {
    grant.require("packages:delete", packageName);
    await this.#dropTags(grant, packageName, () => true);
    const doomed = (await readVersions(this.#stores.table, grant.registry.id, packageName)).filter(
      (v) => !isGone(v),
    );
    if (doomed.length === 0) throw new NotFoundError("package", packageName);
    const names = new Set(doomed.map(({ version }) => version));
    await this.#inBatches(grant, packageName, "package.delete", (version) =>
      names.has(version.version) && !isGone(version) ? this.#deleted(grant, version) : undefined,
    );
  }

  /** Brings back a package with every version that can still be restored. @throws {NotFoundError} when none can. */
  async restorePackage(grant: RegistryGrant, packageName: string): Promise<void> {
    grant.require("packages:delete", packageName);
    const changes = await this.#inBatches(grant, packageName, "package.restore", (version) =>
      version.state === "deleted" ? restored(version) : undefined,
    );
    if (changes === 0) throw new NotFoundError("package", `${packageName} (deleted)`);
  }

  #deleted(grant: RegistryGrant, version: Version): Version {
    const nowMs = this.#stores.now();
    return {
      ...version,
      state: "deleted",
      deletedAtMs: nowMs,
      restoreUntilMs: nowMs + grant.registry.policies.restoreDays * DAY_MS,
    };
  }

  /**
   * Changes every version for which `change` gives another, each once, and counts them: of a deletion and a restore
   * at the same time, each would find again and again what the other has just done.
   */
  async #inBatches(
    grant: RegistryGrant,
    packageName: string,
    action: "package.delete" | "package.restore",
    change: (version: Version) => Version | undefined,
  ): Promise<number> {
    const done = new Set<string>();
    for (;;) {
      let batch: readonly VersionChange[] = [];
      const applied = await this.#changes.apply(
        grant,
        packageName,
        async (current) => {
          const pkg = requireKnown(current, packageName);
          const versions = await readVersions(this.#stores.table, grant.registry.id, packageName);
          batch = versions
            .flatMap((before): VersionChange[] => {
              const after = done.has(before.version) ? undefined : change(before);
              return after === undefined ? [] : [[before, after]];
            })
            .slice(0, VERSIONS_A_TRANSACTION);
          if (batch.length === 0) return undefined;
          return this.#visibilityChange(grant, current, pkg, versions, batch, {
            action,
            version: "",
            detail: `${batch.length} versions`,
          });
        },
        ALL_TAGS,
      );
      if (applied === undefined) return done.size;
      for (const [{ version }] of batch) done.add(version);
    }
  }

  /** Removes the tags, except `latest`, that point at versions about to go: there may be more than fit one transaction. */
  async #dropTags(
    grant: RegistryGrant,
    packageName: string,
    doomed: (version: string) => boolean,
  ): Promise<void> {
    for (;;) {
      const applied = await this.#changes.apply(
        grant,
        packageName,
        async (current) => {
          const pointing = current.tags.filter((tag) => doomed(tag.version));
          for (const { name } of pointing) requireMutableTag(grant, name);
          const drop = pointing
            .filter(({ name }) => name !== "latest")
            .slice(0, VERSIONS_A_TRANSACTION);
          if (current.package === undefined || drop.length === 0) return undefined;
          return {
            package: current.package,
            tags: current.tags.filter((tag) => !drop.includes(tag)),
            ops: drop.map(({ name }) => deleteTagOp(grant.registry.id, packageName, name)),
            documents: { kind: "closing" },
            audit: [],
          };
        },
        ALL_TAGS,
      );
      if (applied === undefined) return;
    }
  }

  /** Versions appear or disappear: counts, latest version, tags and documents follow. */
  #visibilityChange(
    grant: RegistryGrant,
    current: CurrentPackage,
    pkg: Package,
    versions: readonly Version[],
    changes: readonly VersionChange[],
    audit: PackageChange["audit"][number],
  ): PackageChange {
    const ecosystem = this.#ecosystems[grant.registry.ecosystem];
    const registryId = grant.registry.id;
    const changed = new Map(changes.map(([, after]) => [after.version, after]));
    const available = versions
      .map((version) => changed.get(version.version) ?? version)
      .filter(isAvailable);
    const latestVersion = latestOfAll(ecosystem, available);
    const names = new Set(available.map(({ version }) => version));
    const kept = current.tags.filter((tag) => names.has(tag.version));
    const dropped = current.tags.filter((tag) => !names.has(tag.version));
    // One that was set after the others were dropped.
    for (const { name } of dropped) requireMutableTag(grant, name);
    // npm clients cannot install a package without a `latest`, so it never goes while a version is left.
    const needsLatest =
      ecosystem.needsLatestTag === true &&
      latestVersion !== "" &&
      !kept.some(({ name }) => name === "latest");
    const latest: readonly Tag[] = needsLatest
      ? [{ name: "latest", version: latestVersion, updatedAtMs: this.#stores.now() }]
      : [];
    return {
      package: {
        ...pkg,
        state: available.length === 0 ? "deleted" : "active",
        latestVersion,
        versionCount: available.length,
        updatedAtMs: this.#stores.now(),
      },
      tags: [...kept, ...latest],
      ops: [
        ...changes.map(([before, after]) => replaceVersionOp(after, before)),
        ...dropped
          .filter(({ name }) => !needsLatest || name !== "latest")
          .map(({ name }) => deleteTagOp(registryId, pkg.name, name)),
        ...latest.map((tag) => putTagOp(registryId, pkg.name, tag)),
      ],
      documents:
        available.length === 0
          ? { kind: "remove" }
          : { kind: "rebuild", changed: changes.map(([, after]) => after) },
      audit: [audit],
    };
  }
}

type VersionChange = readonly [before: Version, after: Version];

const isGone = (version: Version): boolean =>
  version.state === "deleted" || version.state === "reclaimed";

const restored = (version: Version): Version => ({
  ...version,
  state: version.deprecation === "" ? "published" : "deprecated",
  deletedAtMs: 0,
  restoreUntilMs: 0,
});
