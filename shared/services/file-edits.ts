import { ConflictError, NotFoundError, UnsupportedError } from "../errors.ts";
import { isDefined } from "../domain/defined.ts";
import type { JsonObject } from "../domain/json.ts";
import { isAvailable, type Version } from "../domain/package.ts";
import { ConditionFailedError, type WriteOp } from "../ports/table.ts";
import { removeReferenceOp } from "../records/blob-references.ts";
import { fileKey, toFile } from "../records/files.ts";
import { addToVersionOp, replaceVersionOp, toVersion, versionKey } from "../records/versions.ts";
import type { RegistryGrant } from "./access.ts";
import { recordOps } from "./audit.ts";
import type { FileRules } from "./ecosystem.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { type PackageChange, type PackageChanges, requireActive } from "./package-changes.ts";
import type { Ecosystems, Stores } from "./stores.ts";

/** A file by its names, which are canonical. */
export interface FilePlace {
  readonly packageName: string;
  readonly version: string;
  readonly path: string;
}

/** What becomes of single files after they were published. */
export class FileEdits {
  readonly #stores: Stores;
  readonly #ecosystems: Ecosystems;
  readonly #changes: PackageChanges;
  readonly #lifecycle: Lifecycle;

  constructor(
    stores: Stores,
    ecosystems: Ecosystems,
    changes: PackageChanges,
    lifecycle: Lifecycle,
  ) {
    this.#stores = stores;
    this.#ecosystems = ecosystems;
    this.#changes = changes;
    this.#lifecycle = lifecycle;
  }

  /**
   * Deletes one file of a version; with its last file the version goes. Only where files may change, or where
   * versions are collections of files that arrive one by one.
   *
   * @throws {ConflictError} where files are immutable and others remain: delete the version instead.
   */
  async deleteFile(grant: RegistryGrant, place: FilePlace): Promise<void> {
    grant.require("packages:delete", place.packageName);
    const { fileRules } = this.#ecosystems[grant.registry.ecosystem];
    return fileRules === undefined
      ? this.#deletePlainFile(grant, place)
      : this.#deleteListedFile(grant, place, fileRules);
  }

  /**
   * Takes back one file of a version in words for those who install it; empty words undo it.
   *
   * @throws {NotFoundError} | {@link UnsupportedError} where clients know only of versions.
   */
  async deprecateFile(grant: RegistryGrant, place: FilePlace, message: string): Promise<void> {
    const { packageName, version, path } = place;
    grant.require("packages:write", packageName);
    const { ecosystem } = grant.registry;
    const { fileRules } = this.#ecosystems[ecosystem];
    if (fileRules === undefined) {
      throw new UnsupportedError(
        `Single files cannot be deprecated in a registry of ${ecosystem}; deprecate the version.`,
      );
    }
    await this.#editVersion(grant, place, (before) => {
      const metadata = fileRules.deprecate(before.metadata, path, message);
      if (metadata === undefined) throw new NotFoundError("file", path);
      return {
        after: { ...before, metadata },
        ops: [],
        audit: {
          action: message === "" ? "version.undeprecate" : "version.deprecate",
          version,
          detail: `${path} ${message}`.trim().slice(0, 200),
        },
      };
    });
  }

  async #deleteListedFile(grant: RegistryGrant, place: FilePlace, rules: FileRules): Promise<void> {
    const { packageName, version, path } = place;
    const keys = rules
      .pathsOf(path)
      .map((each) => fileKey(grant.registry.id, packageName, version, each));
    let isLast = false;
    await this.#editVersion(grant, place, async (before) => {
      const metadata = rules.remove(before.metadata, path);
      if (metadata === undefined) throw new NotFoundError("file", path);
      isLast = metadata === "last";
      if (metadata === "last") return undefined;
      const files = (await this.#stores.table.getMany(keys)).filter(isDefined).map(toFile);
      return {
        after: withoutFiles(before, metadata, files),
        ops: files.flatMap((file): readonly WriteOp[] => [
          {
            op: "delete",
            key: fileKey(file.registryId, file.packageName, file.version, file.path),
          },
          removeReferenceOp(file.digests.sha256, file),
        ]),
        audit: { action: "file.delete", version, detail: path },
      };
    });
    if (isLast) await this.#lifecycle.deleteVersion(grant, packageName, version);
  }

  /** Changes one available version, and the documents with it; `edit` gives `undefined` for no change. */
  async #editVersion(
    grant: RegistryGrant,
    { packageName, version }: FilePlace,
    edit: (before: Version) => VersionEdit | undefined | Promise<VersionEdit | undefined>,
  ): Promise<void> {
    const { table, now } = this.#stores;
    await this.#changes.apply(grant, packageName, async (current) => {
      const pkg = requireActive(current, packageName);
      const item = await table.get(versionKey(grant.registry.id, packageName, version));
      const before = item === undefined ? undefined : toVersion(item);
      if (before === undefined || !isAvailable(before)) throw new NotFoundError("version", version);
      const edited = await edit(before);
      if (edited === undefined) return undefined;
      const { after, ops, audit } = edited;
      return {
        package: { ...pkg, updatedAtMs: now() },
        tags: current.tags,
        ops: [replaceVersionOp(after, before), ...ops],
        documents: { kind: "rebuild", changed: [after] },
        audit: [audit],
      };
    });
  }

  async #deletePlainFile(
    grant: RegistryGrant,
    { packageName, version, path }: FilePlace,
  ): Promise<void> {
    const { table } = this.#stores;
    const key = fileKey(grant.registry.id, packageName, version, path);
    const [item, versionItem] = await table.getMany([
      key,
      versionKey(grant.registry.id, packageName, version),
    ]);
    const versionRow = versionItem === undefined ? undefined : toVersion(versionItem);
    if (item === undefined || versionRow === undefined || !isAvailable(versionRow)) {
      throw new NotFoundError("file", path);
    }
    if (versionRow.fileCount <= 1) {
      return this.#lifecycle.deleteVersion(grant, packageName, version);
    }
    if (!grant.registry.policies.mutableFiles) {
      throw new ConflictError(
        `Files of ${packageName} ${version} cannot be deleted one by one, because versions do not change here. Delete the version, or allow mutable files in the registry's policies.`,
      );
    }
    const file = toFile(item);
    try {
      await table.write([
        {
          op: "delete",
          key,
          conditions: [{ kind: "equals", attribute: "sha256", value: file.digests.sha256 }],
        },
        addToVersionOp(versionRow, -1, -file.sizeBytes),
        removeReferenceOp(file.digests.sha256, file),
        ...recordOps(
          grant.caller,
          {
            action: "file.delete",
            registry: grant.registry.slug,
            package: packageName,
            version,
            detail: path,
          },
          grant.registry.id,
          this.#stores.now(),
        ),
      ]);
    } catch (error) {
      if (!(error instanceof ConditionFailedError)) throw error;
      throw new ConflictError(`${path} changed meanwhile; look again, then repeat.`);
    }
  }
}

interface VersionEdit {
  readonly after: Version;
  readonly ops: readonly WriteOp[];
  readonly audit: PackageChange["audit"][number];
}

function withoutFiles(
  version: Version,
  metadata: JsonObject,
  files: readonly { readonly sizeBytes: number }[],
): Version {
  return {
    ...version,
    metadata,
    fileCount: version.fileCount - files.length,
    sizeBytes: version.sizeBytes - files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  };
}
