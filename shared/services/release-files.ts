import { NotFoundError, VersionExistsError } from "../errors.ts";
import type { JsonObject } from "../domain/json.ts";
import { isAvailable, type Version } from "../domain/package.ts";
import { claimBlobOp } from "../records/blob-references.ts";
import { fileKey, toFile } from "../records/files.ts";
import { replaceVersionOp, toVersion, versionKey } from "../records/versions.ts";
import type { RegistryGrant } from "./access.ts";
import type { Collector } from "./collector.ts";
import { distinctBlobs, fileOps, type NewVersion } from "./new-version.ts";
import {
  type CurrentPackage,
  type PackageChange,
  type PackageChanges,
  requireKnown,
  requireUploadable,
} from "./package-changes.ts";
import type { Publisher } from "./publish.ts";
import type { Stores } from "./stores.ts";

/** Another transaction came between the look at a version and its change. */
const MAX_TRIES = 10;

/** Files that join a version with what goes with them: a wheel, its metadata and its provenance. */
export interface NewReleaseFiles extends NewVersion {
  /** Entries for these files alone; the documents take it as it is. */
  readonly metadata: JsonObject;
  /** The version's metadata with that of these files. @throws {RegistryError} when they do not fit. */
  readonly merge: (before: JsonObject) => JsonObject;
}

/** Publication where the files of one version arrive one by one, and documents list files. */
export class ReleaseFiles {
  readonly #stores: Stores;
  readonly #changes: PackageChanges;
  readonly #collector: Collector;
  readonly #publisher: Publisher;

  constructor(stores: Stores, changes: PackageChanges, collector: Collector, publisher: Publisher) {
    this.#stores = stores;
    this.#changes = changes;
    this.#collector = collector;
    this.#publisher = publisher;
  }

  /**
   * Adds files to a version in one transaction, publishing the version with its first ones. The first of `files` is the
   * one that counts: when it is there with the same bytes, nothing happens.
   *
   * @throws {VersionExistsError} when its path holds other bytes, or the version was deleted.
   */
  async publish(grant: RegistryGrant, input: NewReleaseFiles): Promise<"created" | "unchanged"> {
    const { packageName, version } = input;
    grant.require("packages:write", packageName);
    for (let tries = 1; ; tries++) {
      const key = versionKey(grant.registry.id, packageName, version);
      if ((await this.#stores.table.get(key)) !== undefined) return this.#add(grant, input);
      try {
        await this.#publisher.publishVersion(grant, input);
        return "created";
      } catch (error) {
        if (!(error instanceof VersionExistsError) || tries >= MAX_TRIES) throw error;
      }
    }
  }

  /**
   * Whether a version has these very bytes at this path.
   *
   * @throws {VersionExistsError} when it has others there, or was deleted.
   */
  async holds(
    grant: RegistryGrant,
    packageName: string,
    version: string,
    file: { readonly path: string; readonly sha256: string },
  ): Promise<boolean> {
    const registryId = grant.registry.id;
    const [versionItem, fileItem] = await this.#stores.table.getMany([
      versionKey(registryId, packageName, version),
      fileKey(registryId, packageName, version, file.path),
    ]);
    if (versionItem !== undefined && !isAvailable(toVersion(versionItem))) {
      throw new VersionExistsError(packageName, version);
    }
    if (fileItem === undefined) return false;
    if (toFile(fileItem).digests.sha256 === file.sha256) return true;
    throw new VersionExistsError(packageName, version, file.path);
  }

  async #add(grant: RegistryGrant, input: NewReleaseFiles): Promise<"created" | "unchanged"> {
    const change = await this.#changes.apply(grant, input.packageName, async (current) => {
      await this.#collector.awaitUsable(distinctBlobs(input.files));
      const [file] = input.files;
      if (file === undefined) return undefined;
      const place = { path: file.path, sha256: file.digests.sha256 };
      if (await this.holds(grant, input.packageName, input.version, place)) return undefined;
      return this.#change(current, await this.#getVersion(grant, input), input);
    });
    return change === undefined ? "unchanged" : "created";
  }

  async #getVersion(grant: RegistryGrant, input: NewReleaseFiles): Promise<Version> {
    const { packageName, version } = input;
    const item = await this.#stores.table.get(versionKey(grant.registry.id, packageName, version));
    if (item === undefined) throw new NotFoundError("version", version);
    return toVersion(item);
  }

  #change(current: CurrentPackage, before: Version, input: NewReleaseFiles): PackageChange {
    const pkg = requireKnown(current, input.packageName);
    requireUploadable(pkg);
    const nowMs = this.#stores.now();
    const after: Version = {
      ...before,
      metadata: input.merge(before.metadata),
      fileCount: before.fileCount + input.files.length,
      sizeBytes: before.sizeBytes + input.files.reduce((sum, file) => sum + file.sizeBytes, 0),
    };
    return {
      package: { ...pkg, updatedAtMs: nowMs },
      tags: current.tags,
      ops: [
        replaceVersionOp(after, before),
        ...input.files.flatMap((file) => fileOps(after, file, nowMs)),
        ...distinctBlobs(input.files).map(claimBlobOp),
      ],
      // Only the new files are entries: those before them stand in the documents already.
      documents: { kind: "append", version: { ...after, metadata: input.metadata } },
      audit: [
        { action: "file.publish", version: before.version, detail: input.files[0]?.path ?? "" },
      ],
    };
  }
}
