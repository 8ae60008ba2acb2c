import type { JsonObject } from "../../domain/json.ts";
import type { Package, PackageFile, Version } from "../../domain/package.ts";
import { ANONYMOUS, type Caller } from "../../domain/principal.ts";
import type { Registry } from "../../domain/registry.ts";
import type { Upstream } from "../../domain/upstream.ts";
import type { ByteStream } from "../../ports/blobs.ts";
import { claimBlobOp } from "../../records/blob-references.ts";
import { fileKey, toFile } from "../../records/files.ts";
import {
  addToVersionOp,
  createVersionOp,
  sequenceOp,
  toVersion,
  versionKey,
} from "../../records/versions.ts";
import { RegistryGrant } from "../access.ts";
import type { AvailableFile } from "../catalogue.ts";
import type { Collector } from "../collector.ts";
import { fileOps, type NewFile, replaceOps } from "../new-version.ts";
import type { CurrentPackage, PackageChange, PackageChanges } from "../package-changes.ts";
import type { Stores } from "../stores.ts";
import type { ListedFile } from "../views/listing.ts";

/** What is known of bytes once they are stored. */
export type Kept = Pick<NewFile, "sizeBytes" | "digests">;

/** What is here of a file already. */
interface Known {
  readonly version: Version | undefined;
  readonly file: PackageFile | undefined;
}

/** A file that an upstream has, and what is known of its version. */
export interface FileQuestion {
  readonly registry: Registry;
  readonly upstream: Upstream;
  readonly packageName: string;
  readonly version: string;
  /** Unix milliseconds; 0: not known, and the time of the file's last change is taken. */
  readonly publishedAtMs: number;
  readonly metadata: JsonObject;
  /** What the package says of itself. */
  readonly description: string;
  readonly file: ListedFile;
}

/** Files of upstreams as files of the proxy registry: the rows of those that are stored. */
export class KeptFiles {
  readonly #stores: Stores;
  readonly #changes: PackageChanges;
  readonly #collector: Collector;

  constructor(stores: Stores, changes: PackageChanges, collector: Collector) {
    this.#stores = stores;
    this.#changes = changes;
    this.#collector = collector;
  }

  /** A file of which only what its upstream said is known yet. */
  arriving(
    question: FileQuestion,
    publishedAtMs: number,
    sizeBytes: number,
    arriving: ByteStream,
  ): AvailableFile {
    const { registry, packageName, version, file } = question;
    const digests = { md5: "", sha1: "", sha256: "", sha512: "", ...file.expected };
    return {
      file: {
        registryId: registry.id,
        packageName,
        version,
        ...announced(file),
        sizeBytes,
        digests,
        createdAtMs: this.#stores.now(),
      },
      version: () => this.#version(question, 1, publishedAtMs, sizeBytes),
      arriving,
    };
  }

  /** Makes it a file of the proxy: one transaction, and no other change of the version that others have made. */
  async record(question: FileQuestion, kept: Kept, publishedAtMs: number): Promise<void> {
    const file = { ...announced(question.file), ...kept };
    const { registry, packageName } = question;
    const grant = new RegistryGrant(registry, PROXY);
    await this.#changes.apply(grant, packageName, async (current) => {
      await this.#collector.awaitUsable([file.digests.sha256]);
      const { table } = this.#stores;
      const [versionItem, fileItem] = await table.getMany([
        versionKey(registry.id, packageName, question.version),
        fileKey(registry.id, packageName, question.version, file.path),
      ]);
      const old = fileItem === undefined ? undefined : toFile(fileItem);
      const isSame = old?.digests.sha256 === file.digests.sha256;
      if (old !== undefined && (isSame || question.file.changes !== true)) return undefined;
      const known = versionItem === undefined ? undefined : toVersion(versionItem);
      return this.#change(question, current, { version: known, file: old }, file, publishedAtMs);
    });
  }

  #change(
    question: FileQuestion,
    current: CurrentPackage,
    { version: known, file: old }: Known,
    file: NewFile,
    publishedAtMs: number,
  ): PackageChange {
    const nowMs = this.#stores.now();
    const addedBytes = file.sizeBytes - (old?.sizeBytes ?? 0);
    const sequence = (current.package?.revision ?? 0) + 1;
    const version = known ?? this.#version(question, sequence, publishedAtMs, file.sizeBytes);
    return {
      package: this.#package(question, current.package, known === undefined),
      tags: current.tags,
      ops: [
        ...(known === undefined
          ? [createVersionOp(version), sequenceOp(version)]
          : [addToVersionOp(version, old === undefined ? 1 : 0, addedBytes)]),
        ...(old === undefined
          ? fileOps(version, file, nowMs)
          : replaceOps(version, file, old, nowMs)),
        claimBlobOp(file.digests.sha256),
      ],
      documents: { kind: "keep" },
      audit: [],
    };
  }

  #version(
    { registry, packageName, upstream, version, metadata }: FileQuestion,
    sequence: number,
    publishedAtMs: number,
    sizeBytes: number,
  ): Version {
    return {
      registryId: registry.id,
      packageName,
      version,
      state: "published",
      deprecation: "",
      sequence,
      publishedAtMs,
      publishedBy: upstream.key,
      publishRun: "",
      sizeBytes,
      fileCount: 1,
      metadata,
      deletedAtMs: 0,
      restoreUntilMs: 0,
    };
  }

  #package(question: FileQuestion, before: Package | undefined, isNew: boolean): Package {
    const nowMs = this.#stores.now();
    return {
      registryId: question.registry.id,
      name: question.packageName,
      state: "active",
      revision: 0,
      description: question.description.slice(0, 1000).toWellFormed(),
      keywords: [],
      // Of what is cached; what there is, the documents say.
      latestVersion: isNew ? question.version : (before?.latestVersion ?? question.version),
      versionCount: (before?.versionCount ?? 0) + (isNew ? 1 : 0),
      createdAtMs: before?.createdAtMs ?? nowMs,
      updatedAtMs: nowMs,
    };
  }
}

/** What a file's row takes over from its upstream's document. */
const announced = ({
  path,
  contentType,
  publishedAtMs,
}: ListedFile): Pick<NewFile, "path" | "contentType" | "publishedAtMs"> => ({
  path,
  contentType,
  ...(publishedAtMs === undefined ? {} : { publishedAtMs }),
});

/** Nobody in particular: whoever asked first did not publish it. */
export const PROXY: Caller = { principal: ANONYMOUS, address: "", requestId: "", baseUrl: "" };
