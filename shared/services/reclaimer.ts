import { ConditionFailedError, type WriteOp } from "../ports/table.ts";
import type { Version } from "../domain/package.ts";
import { property } from "../domain/json.ts";
import { listFilesQuery } from "../records/files.ts";
import {
  listingCountKey,
  listPackagesQuery,
  packageKey,
  packagePartition,
  toPackage,
  unlistPackageOp,
} from "../records/packages.ts";
import { forgetRegistryOp, reclaimableRegistriesQuery, toRegistry } from "../records/registries.ts";
import { removeReferrerOp } from "../records/referrers.ts";
import {
  RECLAIM_SHARDS,
  reclaimableQuery,
  replaceVersionOp,
  toVersion,
} from "../records/versions.ts";
import { deleteUploadOp, expiredUploadsQuery, toUpload } from "../records/uploads.ts";
import { recordOps } from "./audit.ts";
import type { BlobLinks } from "./blob-links.ts";
import { eachItem } from "./queries.ts";
import { referenceRemovals } from "./row-references.ts";
import { termOps } from "./search.ts";
import type { Stores } from "./stores.ts";
import { WORKER } from "./tokens.ts";

/** How long a call may go on. */
interface Budget {
  readonly budgetMs?: number;
}

/** Rows handled at a time; each costs up to two operations of a transaction's hundred. */
const BATCH = 40;

/**
 * Ends what is over: the restore window of deleted versions and registries, and uploads that were abandoned.
 * Every step can be repeated, so a crash costs nothing but the repetition.
 */
export class Reclaimer {
  readonly #stores: Stores;
  readonly #links: BlobLinks;

  constructor(stores: Stores, links: BlobLinks) {
    this.#stores = stores;
    this.#links = links;
  }

  /**
   * Gives the number of versions whose bytes are free for the collector now. Ends after `budgetMs`; the next call goes
   * on.
   */
  async reclaimVersions({ budgetMs = Number.POSITIVE_INFINITY }: Budget = {}): Promise<number> {
    const endsAtMs = this.#stores.now() + budgetMs;
    let count = 0;
    for (let shard = 0; shard < RECLAIM_SHARDS; shard++) {
      for (;;) {
        const page = await this.#stores.table.query(
          reclaimableQuery(shard, this.#stores.now(), BATCH),
        );
        let progress = 0;
        for (const item of page.items) {
          if (this.#stores.now() >= endsAtMs) return count + progress;
          progress += await this.#reclaimVersion(toVersion(item));
        }
        count += progress;
        if (progress === 0) break;
      }
    }
    return count;
  }

  async #reclaimVersion(version: Version): Promise<number> {
    const { table, now } = this.#stores;
    const { registryId, packageName } = version;
    const tombstone: Version = { ...version, state: "reclaimed" };
    const happening = {
      action: "version.reclaim" as const,
      registry: "",
      package: packageName,
      version: version.version,
      detail: "",
    };
    try {
      // The tombstone comes first: from here on the version cannot be restored, so its files may go.
      await table.write([
        replaceVersionOp(tombstone, version),
        ...(version.state === "deleted" ? recordOps(WORKER, happening, registryId, now()) : []),
      ]);
      await this.#dropRows((page) =>
        listFilesQuery(registryId, packageName, version.version, page),
      );
      await this.#links.release(version);
      const subject = property(version.metadata, "subject");
      await table.write([
        replaceVersionOp({ ...tombstone, metadata: {}, fileCount: 0 }, tombstone),
        ...(typeof subject === "string"
          ? [removeReferrerOp(registryId, packageName, subject, version.version)]
          : []),
      ]);
    } catch (error) {
      // Restored, or taken by another worker, meanwhile.
      if (error instanceof ConditionFailedError) return 0;
      throw error;
    }
    return 1;
  }

  /** Removes everything of deleted registries; gives the number of packages. As {@link Reclaimer.reclaimVersions}. */
  async reclaimRegistries({ budgetMs = Number.POSITIVE_INFINITY }: Budget = {}): Promise<number> {
    const { table, now } = this.#stores;
    const endsAtMs = now() + budgetMs;
    const page = await table.query(reclaimableRegistriesQuery(now(), BATCH));
    let count = 0;
    for (const item of page.items) {
      const registry = toRegistry(item);
      for await (const row of eachItem(table, (options) =>
        listPackagesQuery(registry.id, options),
      )) {
        if (now() >= endsAtMs) return count;
        await this.#reclaimPackage(registry.id, row.key.sk);
        count++;
      }
      await table.write([
        forgetRegistryOp(registry.id),
        { op: "delete", key: listingCountKey(registry.id) },
      ]);
    }
    return count;
  }

  async #reclaimPackage(registryId: string, name: string): Promise<void> {
    const { table } = this.#stores;
    const item = await table.get(packageKey(registryId, name));
    if (item !== undefined) {
      const pkg = toPackage(item);
      await table.write([...termOps(registryId, pkg, { ...pkg, state: "deleted" })]);
    }
    await this.#dropRows((options) => ({ pk: packagePartition(registryId, name), ...options }));
    await table.write([unlistPackageOp(registryId, name)]);
  }

  /** Deletes rows, and the references of those that keep a blob. */
  async #dropRows(queryFor: Parameters<typeof eachItem>[1]): Promise<void> {
    let ops: WriteOp[] = [];
    for await (const item of eachItem(this.#stores.table, queryFor)) {
      ops.push({ op: "delete", key: item.key }, ...referenceRemovals(item));
      if (ops.length >= BATCH * 2) {
        await this.#stores.table.write(ops);
        ops = [];
      }
    }
    if (ops.length > 0) await this.#stores.table.write(ops);
  }

  /** Aborts uploads that were not completed in time; gives their number. As {@link Reclaimer.reclaimVersions}. */
  async sweepUploads({ budgetMs = Number.POSITIVE_INFINITY }: Budget = {}): Promise<number> {
    const { table, blobs, now } = this.#stores;
    const endsAtMs = now() + budgetMs;
    const page = await table.query(expiredUploadsQuery(now(), 1000));
    for (const [position, item] of page.items.entries()) {
      if (now() >= endsAtMs) return position;
      const upload = toUpload(item);
      await blobs.abortMultipart(upload.multipartId);
      await table.write([deleteUploadOp(upload.id)]);
    }
    return page.items.length;
  }
}
