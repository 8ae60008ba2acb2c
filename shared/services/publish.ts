import { ConflictError, PreconditionFailedError, VersionExistsError } from "../errors.ts";
import type { Package, Tag, Version } from "../domain/package.ts";
import { actorName } from "../domain/principal.ts";
import { ConditionFailedError, type WriteOp } from "../ports/table.ts";
import { claimBlobOp, putReferenceOp, removeReferenceOp } from "../records/blob-references.ts";
import { createFileOp, fileKey, replaceFileOp, toFile } from "../records/files.ts";
import { putTagOp } from "../records/tags.ts";
import {
  addToVersionOp,
  createVersionOp,
  sequenceOp,
  toVersion,
  versionKey,
} from "../records/versions.ts";
import type { RegistryGrant } from "./access.ts";
import { recordOps } from "./audit.ts";
import type { Collector } from "./collector.ts";
import { latestOf } from "./ecosystem.ts";
import {
  type CurrentPackage,
  type PackageChange,
  type PackageChanges,
  requireUploadable,
} from "./package-changes.ts";
import {
  distinctBlobs,
  fileOps,
  type NewFile,
  type NewVersion,
  toPackageFile,
} from "./new-version.ts";
import type { Ecosystems, Stores } from "./stores.ts";

export type FileOutcome = "created" | "unchanged" | "replaced";

/** Publication, the same for every ecosystem. Bytes are stored first; the transaction is the publish. */
export class Publisher {
  readonly #stores: Stores;
  readonly #ecosystems: Ecosystems;
  readonly #changes: PackageChanges;
  readonly #collector: Collector;

  constructor(
    stores: Stores,
    ecosystems: Ecosystems,
    changes: PackageChanges,
    collector: Collector,
  ) {
    this.#stores = stores;
    this.#ecosystems = ecosystems;
    this.#changes = changes;
    this.#collector = collector;
  }

  /**
   * Publishes a version with all of its files in one transaction, visible as a whole or not at all.
   *
   * @throws {VersionExistsError} when it was published before, deleted ones included, unless by the same
   *   client run with the same bytes (a retry), which succeeds.
   */
  async publishVersion(grant: RegistryGrant, input: NewVersion): Promise<void> {
    grant.require("packages:write", input.packageName);
    await this.#changes.apply(grant, input.packageName, async (current) => {
      await this.#collector.awaitUsable(distinctBlobs(input.files));
      const existing = await this.#findVersion(grant, input.packageName, input.version);
      if (existing !== undefined) {
        if (await this.#isRetry(existing, input)) return undefined;
        throw new VersionExistsError(input.packageName, input.version);
      }
      return this.#versionChange(grant, input, current);
    });
  }

  /**
   * Adds one file to a version, publishing the version with its first file. Files of one version may arrive
   * at once; each is a transaction of its own.
   *
   * @param precondition - `absent`: only if there is nothing at the path yet, not even the same bytes.
   * @throws {VersionExistsError} when the path holds other bytes and the registry does not allow replacing
   *   them, or the version was deleted; {@link PreconditionFailedError}.
   */
  async publishFile(
    grant: RegistryGrant,
    packageName: string,
    version: string,
    file: NewFile,
    precondition: "none" | "absent" = "none",
  ): Promise<FileOutcome> {
    grant.require("packages:write", packageName);
    for (let tries = 0; tries < 30; tries++) {
      await this.#collector.awaitUsable([file.digests.sha256]);
      const existing = await this.#findVersion(grant, packageName, version);
      if (existing === undefined) {
        const created = await this.#createWithFile(grant, packageName, version, file);
        if (created) return "created";
        continue;
      }
      if (existing.state !== "published" && existing.state !== "deprecated") {
        throw new VersionExistsError(packageName, version);
      }
      const outcome = await this.#addFile(grant, existing, file, precondition);
      if (outcome !== "lost") return outcome;
    }
    throw new ConflictError(
      `${packageName} ${version} is being changed by others too often; try again.`,
    );
  }

  async #findVersion(
    grant: RegistryGrant,
    packageName: string,
    version: string,
  ): Promise<Version | undefined> {
    const item = await this.#stores.table.get(versionKey(grant.registry.id, packageName, version));
    return item === undefined ? undefined : toVersion(item);
  }

  async #isRetry(existing: Version, input: NewVersion): Promise<boolean> {
    if (input.publishRun === "" || existing.publishRun !== input.publishRun) return false;
    if (existing.state !== "published") return false;
    const items = await this.#stores.table.getMany(
      input.files.map(({ path }) =>
        fileKey(existing.registryId, existing.packageName, existing.version, path),
      ),
    );
    return items.every(
      (item, position) =>
        item !== undefined && toFile(item).digests.sha256 === input.files[position]?.digests.sha256,
    );
  }

  async #versionChange(
    grant: RegistryGrant,
    input: NewVersion,
    current: CurrentPackage,
  ): Promise<PackageChange> {
    requireUploadable(current.package);
    const { registry, caller } = grant;
    const nowMs = this.#stores.now();
    const before = current.package;
    const version: Version = {
      registryId: registry.id,
      packageName: input.packageName,
      version: input.version,
      state: "published",
      deprecation: "",
      // The revision grows with every change, so it orders versions as well as a counter of its own.
      sequence: (before?.revision ?? 0) + 1,
      publishedAtMs: nowMs,
      publishedBy: actorName(caller.principal),
      publishRun: input.publishRun,
      sizeBytes: input.files.reduce((sum, file) => sum + file.sizeBytes, 0),
      fileCount: input.files.length,
      metadata: input.metadata,
      deletedAtMs: 0,
      restoreUntilMs: 0,
    };
    const tags = input.tags.map(
      (name): Tag => ({ name, version: input.version, updatedAtMs: nowMs }),
    );
    const revived = before?.state === "deleted";
    return {
      package: await this.#packageAfter(grant, input, before, nowMs),
      tags: [...current.tags.filter((tag) => !input.tags.includes(tag.name)), ...tags],
      ops: [
        createVersionOp(version),
        sequenceOp(version),
        ...input.files.flatMap((file) => fileOps(version, file, nowMs)),
        ...distinctBlobs(input.files).map(claimBlobOp),
        ...tags.map((tag) => putTagOp(registry.id, input.packageName, tag)),
      ],
      documents: revived ? { kind: "rebuild", changed: [version] } : { kind: "append", version },
      ...(input.readme === undefined ? {} : { readme: input.readme }),
      audit: [
        {
          action: "version.publish",
          version: input.version,
          detail: input.tags.length === 0 ? "" : `tags ${input.tags.join(", ")}`,
        },
      ],
    };
  }

  async #packageAfter(
    grant: RegistryGrant,
    input: NewVersion,
    before: Package | undefined,
    nowMs: number,
  ): Promise<Package> {
    const ecosystem = this.#ecosystems[grant.registry.ecosystem];
    const active = before?.state === "active" ? before : undefined;
    const latestVersion = latestOf(
      ecosystem,
      await this.#latestBefore(grant, active),
      input.version,
    );
    const describes = active === undefined || latestVersion === input.version;
    return {
      registryId: grant.registry.id,
      name: input.packageName,
      state: "active",
      revision: 0,
      description: describes ? input.description : active.description,
      keywords: describes ? input.keywords : active.keywords,
      latestVersion,
      versionCount: (active?.versionCount ?? 0) + 1,
      createdAtMs: before?.createdAtMs ?? nowMs,
      updatedAtMs: nowMs,
      ...(before?.standing === undefined ? {} : { standing: before.standing }),
    };
  }

  /** The latest version so far; empty when there is none, or only ones that the ecosystem avoids. */
  async #latestBefore(grant: RegistryGrant, active: Package | undefined): Promise<string> {
    const latest = active?.latestVersion ?? "";
    const { avoidsDeprecated } = this.#ecosystems[grant.registry.ecosystem];
    if (active === undefined || avoidsDeprecated !== true) return latest;
    const version = await this.#findVersion(grant, active.name, latest);
    return version?.state === "deprecated" ? "" : latest;
  }

  /** False when somebody else created the version first. */
  async #createWithFile(
    grant: RegistryGrant,
    packageName: string,
    version: string,
    file: NewFile,
  ): Promise<boolean> {
    const input: NewVersion = {
      packageName,
      version,
      metadata: {},
      files: [file],
      tags: [],
      description: "",
      keywords: [],
      publishRun: "",
    };
    const change = await this.#changes.apply(grant, packageName, async (current) => {
      const existing = await this.#findVersion(grant, packageName, version);
      return existing === undefined ? this.#versionChange(grant, input, current) : undefined;
    });
    return change !== undefined;
  }

  async #addFile(
    grant: RegistryGrant,
    version: Version,
    file: NewFile,
    precondition: "none" | "absent",
  ): Promise<FileOutcome | "lost"> {
    const { table } = this.#stores;
    const { registry, caller } = grant;
    const nowMs = this.#stores.now();
    const item = await table.get(
      fileKey(version.registryId, version.packageName, version.version, file.path),
    );
    const old = item === undefined ? undefined : toFile(item);
    if (old !== undefined && precondition === "absent") {
      throw new PreconditionFailedError(
        `${file.path} of ${version.packageName} ${version.version} exists already.`,
      );
    }
    if (old !== undefined && old.digests.sha256 === file.digests.sha256) return "unchanged";
    if (old !== undefined && !registry.policies.mutableFiles) {
      throw new VersionExistsError(version.packageName, version.version, file.path);
    }
    const added = toPackageFile(version, file, nowMs);
    const happening = {
      action: old === undefined ? ("file.publish" as const) : ("file.replace" as const),
      registry: registry.slug,
      package: version.packageName,
      version: version.version,
      detail: file.path,
    };
    const ops: WriteOp[] = [
      ...(old === undefined
        ? [createFileOp(added), addToVersionOp(version, 1, file.sizeBytes)]
        : [
            replaceFileOp(added, old.digests.sha256),
            addToVersionOp(version, 0, file.sizeBytes - old.sizeBytes),
            removeReferenceOp(old.digests.sha256, old),
          ]),
      claimBlobOp(file.digests.sha256),
      putReferenceOp(file.digests.sha256, added),
      ...recordOps(caller, happening, registry.id, nowMs),
    ];
    try {
      await table.write(ops);
      return old === undefined ? "created" : "replaced";
    } catch (error) {
      if (error instanceof ConditionFailedError) return "lost";
      throw error;
    }
  }
}
