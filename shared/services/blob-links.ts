import { ConflictError, UnavailableError, UnsupportedError } from "../errors.ts";
import { property } from "../domain/json.ts";
import { isAvailable, type Version } from "../domain/package.ts";
import { ConditionFailedError, type WriteOp } from "../ports/table.ts";
import { text } from "../records/attributes.ts";
import { claimBlobOp, referencesQuery } from "../records/blob-references.ts";
import {
  type BlobLink,
  blobLinkKey,
  claimBlobLinkOp,
  hideBlobLinkOp,
  keepBlobLinkOp,
  putBlobLinkOps,
  removeBlobLinkOps,
  reviewBlobLinkOp,
  toBlobLink,
  unusedBlobLinksQuery,
} from "../records/blob-links.ts";
import { listVersionsQuery, toVersion } from "../records/versions.ts";
import type { RegistryGrant } from "./access.ts";
import { type Happening, recordOps } from "./audit.ts";
import { tryWrite } from "./conditional-write.ts";
import type { Collector } from "./collector.ts";
import { eachItem } from "./queries.ts";
import type { Stores } from "./stores.ts";

/** How long a link may wait for the version that uses it, and how long it outlives the last one. */
export const LINK_GRACE_MS = 24 * 3_600_000;
const SHA256 = /^sha256:([0-9a-f]{64})$/;
/** Keys of one read, and with room for others, operations of one transaction. */
const BATCH = 90;
const MAX_TRIES = 5;
/** Copies inside the store that one request waits for at once. */
const PARALLEL_TAKES = 8;

/** A package of a registry. */
export interface PackageRef {
  readonly registryId: string;
  readonly packageName: string;
}

/** Bytes in blob storage, by the digest that clients use and by the store's own. */
export interface LinkedBlob {
  readonly digest: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/**
 * Which blobs a package may serve. A version names the links that it uses in the `blobs` of its metadata (a list
 * of digests); a link that no version uses goes after {@link LINK_GRACE_MS}.
 *
 * The race of the sweeper with a publish is decided by the table: a publish claims its links (their `usedAtMs`
 * changes, or it fails because a link is gone), and the sweeper removes a link only as it read it.
 */
export class BlobLinks {
  readonly #stores: Stores;
  readonly #collector: Collector;

  constructor(stores: Stores, collector: Collector) {
    this.#stores = stores;
    this.#collector = collector;
  }

  /** `undefined` when the package does not link such a blob. */
  async find(
    { registryId, packageName }: PackageRef,
    digest: string,
  ): Promise<BlobLink | undefined> {
    const item = await this.#stores.table.get(blobLinkKey(registryId, packageName, digest));
    const link = item === undefined ? undefined : toBlobLink(item);
    return link?.hidden === true && !(await this.#isUsed(link, isAvailable)) ? undefined : link;
  }

  /** Packages that refer to a stored blob, in no promised order. */
  async listOwners(sha256: string, limit: number): Promise<readonly PackageRef[]> {
    const { items } = await this.#stores.table.query(referencesQuery(sha256, limit));
    return items.map((item) => ({
      registryId: text(item, "registryId"),
      packageName: text(item, "packageName"),
    }));
  }

  /** Those of `digests` that the package does not link, each once. */
  async findMissing(
    { registryId, packageName }: PackageRef,
    digests: readonly string[],
  ): Promise<readonly string[]> {
    const missing: string[] = [];
    for (const some of batches([...new Set(digests)])) {
      const keys = some.map((digest) => blobLinkKey(registryId, packageName, digest));
      const items = await this.#stores.table.getMany(keys);
      const links = items.map((item) => (item === undefined ? undefined : toBlobLink(item)));
      missing.push(...some.filter((_, position) => links[position]?.hidden !== false));
    }
    return missing;
  }

  /**
   * Lets a package serve a blob whose bytes are stored. `beside` goes into the same transaction.
   *
   * @returns false when a condition of `beside` failed; nothing was changed then.
   * @throws {UnavailableError} when the bytes were being collected: a retry of the upload heals it.
   */
  async link(
    { registryId, packageName }: PackageRef,
    blob: LinkedBlob,
    beside: readonly WriteOp[] = [],
  ): Promise<boolean> {
    const nowMs = this.#stores.now();
    const { digest, sha256, sizeBytes } = blob;
    const link: BlobLink = {
      registryId,
      packageName,
      digest,
      sha256,
      sizeBytes,
      linkedAtMs: nowMs,
      usedAtMs: nowMs,
      hidden: false,
    };
    const ops = [claimBlobOp(sha256), ...putBlobLinkOps(link, nowMs + LINK_GRACE_MS), ...beside];
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      await this.#collector.awaitUsable([sha256]);
      try {
        await this.#stores.table.write(ops);
        return true;
      } catch (error) {
        if (!(error instanceof ConditionFailedError)) throw error;
        // The first operation fails only while the collector has its mark on the blob.
        if (!error.failedOps.includes(0)) return false;
      }
    }
    throw new UnavailableError("The bytes were being cleaned up meanwhile; send them again.");
  }

  /**
   * Lets a package serve those of `digests` that clients sent straight to blob storage; the others are left out.
   * `stage` is what the tickets of the package say.
   *
   * @throws {DigestMismatchError} | {BlobTooLargeError} for one that is not what it should be.
   */
  async takeDirect(
    ref: PackageRef,
    digests: readonly string[],
    options: { readonly stage: string; readonly maxSizeBytes: number },
  ): Promise<void> {
    const candidates = digests.flatMap((digest) => {
      const [, sha256] = SHA256.exec(digest) ?? [];
      return sha256 === undefined ? [] : [{ digest, sha256 }];
    });
    for (let start = 0; start < candidates.length; start += PARALLEL_TAKES) {
      const some = candidates.slice(start, start + PARALLEL_TAKES);
      await Promise.all(
        some.map(async ({ digest, sha256 }) => {
          const blob = await this.#stores.blobs.takeDirect({ ...options, sha256 });
          if (blob !== undefined) await this.link(ref, { ...blob, digest });
        }),
      );
    }
  }

  /** Operations that claim links for a version; one transaction holds {@link BATCH} of them at most. */
  claimOps(
    { registryId, packageName }: PackageRef,
    digests: readonly string[],
  ): readonly WriteOp[] {
    const nowMs = this.#stores.now();
    return digests.map((digest) => claimBlobLinkOp(registryId, packageName, digest, nowMs));
  }

  /** Claims links in transactions of their own. @returns false when one of them is gone. */
  async claim(ref: PackageRef, digests: readonly string[]): Promise<boolean> {
    try {
      for (const some of batches(digests)) await this.#stores.table.write(this.claimOps(ref, some));
      return true;
    } catch (error) {
      if (error instanceof ConditionFailedError) return false;
      throw error;
    }
  }

  /**
   * Stops serving a blob, and writes it into the audit log. Its link stays, hidden, while a deleted version that uses
   * it can be restored.
   *
   * @throws {UnsupportedError} while a version that clients may pull uses it (405, which the specification has for
   *   what a registry does not delete), {@link ConflictError} when one is just being published.
   */
  async remove({ registry, caller }: RegistryGrant, link: BlobLink): Promise<void> {
    if (await this.#isUsed(link, isAvailable)) {
      throw new UnsupportedError(
        `${link.digest} is part of what "${link.packageName}" serves; delete that first.`,
      );
    }
    const isRestorable = await this.#isUsed(link, ({ state }) => state === "deleted");
    const happening: Happening = {
      action: "file.delete",
      registry: registry.slug,
      package: link.packageName,
      version: "",
      detail: `blobs/${link.digest}`,
    };
    const done = await tryWrite(this.#stores.table, [
      ...(isRestorable ? [hideBlobLinkOp(link)] : removeBlobLinkOps(link)),
      ...recordOps(caller, happening, registry.id, this.#stores.now()),
    ]);
    if (!done)
      throw new ConflictError(`${link.digest} was used by somebody else meanwhile; look again.`);
  }

  /** Has the sweeper look at the links of a version that is gone for good. */
  async release(version: Version): Promise<void> {
    for (const digest of usedBlobs(version)) {
      const link = await this.find(version, digest);
      if (link !== undefined) {
        await tryWrite(this.#stores.table, [
          reviewBlobLinkOp(link, this.#stores.now() + LINK_GRACE_MS),
        ]);
      }
    }
  }

  /** Removes links whose time is over and that no version uses; gives their number. */
  async sweep(): Promise<number> {
    const { table, now } = this.#stores;
    const { items } = await table.query(unusedBlobLinksQuery(now(), { limit: 1000 }));
    let removed = 0;
    for (const links of byPackage(items.map(toBlobLink)).values()) {
      const [first] = links;
      if (first === undefined) continue;
      const used = await this.#digestsInUse(first, (version) => version.state !== "reclaimed");
      for (const link of links) {
        if (used.has(link.digest)) await tryWrite(this.#stores.table, [keepBlobLinkOp(link)]);
        else if (await tryWrite(this.#stores.table, removeBlobLinkOps(link))) removed++;
      }
    }
    return removed;
  }

  /** Reads every version of the package. */
  async #isUsed(link: BlobLink, by: (version: Version) => boolean): Promise<boolean> {
    return (await this.#digestsInUse(link, by)).has(link.digest);
  }

  async #digestsInUse(
    { registryId, packageName }: PackageRef,
    counts: (version: Version) => boolean,
  ): Promise<ReadonlySet<string>> {
    const used = new Set<string>();
    for await (const item of eachItem(this.#stores.table, (page) =>
      listVersionsQuery(registryId, packageName, page),
    )) {
      const version = toVersion(item);
      if (counts(version)) for (const digest of usedBlobs(version)) used.add(digest);
    }
    return used;
  }
}

/** The links that a version uses. */
export function usedBlobs(version: Pick<Version, "metadata">): readonly string[] {
  const blobs = property(version.metadata, "blobs");
  return Array.isArray(blobs) ? blobs.filter((digest) => typeof digest === "string") : [];
}

function byPackage(links: readonly BlobLink[]): ReadonlyMap<string, readonly BlobLink[]> {
  return Map.groupBy(links, ({ registryId, packageName }) => `${registryId}#${packageName}`);
}

function* batches<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < all.length; start += BATCH) yield all.slice(start, start + BATCH);
}
