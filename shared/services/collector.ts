import { UnavailableError } from "../errors.ts";
import { isDefined } from "../domain/defined.ts";
import { ConditionFailedError } from "../ports/table.ts";
import { number } from "../records/attributes.ts";
import {
  blobKey,
  markCollectingOp,
  referencesQuery,
  removeBlobRowOp,
  takeOverMarkOp,
  unmarkCollectingOp,
} from "../records/blob-references.ts";
import type { Stores } from "./stores.ts";

/** A collector that has not finished with a blob after this long has died. */
const ABANDONED_MARK_MS = 10 * 60_000;
const WAIT_STEP_MS = 50;
const WAIT_STEPS = 40;

export interface Collected {
  readonly blobs: number;
  readonly bytes: number;
}

/**
 * Removes blobs that nothing points at. A publish stores its bytes first and refers to them later, so a
 * blob is left alone until it has been there, unreferenced, for a grace period longer than any publish.
 *
 * The race with a publish of the same bytes: the collector first marks the blob row, after which no
 * transaction can add a reference; then looks for references and at the time of the last upload again; and
 * only then removes the bytes. A publisher that finds the mark waits for it to go, and if the bytes went
 * with it, asks its client to send them again.
 */
export class Collector {
  readonly #stores: Stores;

  constructor(stores: Stores) {
    this.#stores = stores;
  }

  /**
   * Waits until none of the blobs is being removed.
   *
   * @throws {UnavailableError} when a blob's bytes have gone: a retry of the upload heals it.
   */
  async awaitUsable(sha256s: readonly string[]): Promise<void> {
    const { table, blobs } = this.#stores;
    let met = false;
    for (let step = 0; step < WAIT_STEPS; step++) {
      const rows = await table.getMany(sha256s.map(blobKey));
      if (!rows.filter(isDefined).some((row) => "collectingSinceMs" in row.attributes)) {
        if (!met) return;
        const stats = await Promise.all(sha256s.map((sha256) => blobs.stat(sha256)));
        if (stats.every(isDefined)) return;
        break;
      }
      met = true;
      await new Promise((resolve) => setTimeout(resolve, WAIT_STEP_MS));
    }
    throw new UnavailableError(
      "The bytes were being cleaned up while they were published; send them again.",
    );
  }

  /** One pass over every blob. `graceMs`: how long a blob may be without a reference. */
  async collect(graceMs: number): Promise<Collected> {
    let collected: Collected = { blobs: 0, bytes: 0 };
    let cursor: string | undefined;
    do {
      const page = await this.#stores.blobs.list(
        cursor === undefined ? { limit: 1000 } : { limit: 1000, cursor },
      );
      for (const blob of page.blobs) {
        if (await this.#collectOne(blob.sha256, graceMs)) {
          collected = { blobs: collected.blobs + 1, bytes: collected.bytes + blob.sizeBytes };
        }
      }
      cursor = page.cursor;
    } while (cursor !== undefined);
    return collected;
  }

  async #collectOne(sha256: string, graceMs: number): Promise<boolean> {
    if (!(await this.#isGarbage(sha256, graceMs)) || !(await this.#mark(sha256))) return false;
    const { table, blobs } = this.#stores;
    if (!(await this.#isGarbage(sha256, graceMs))) {
      await table.write([unmarkCollectingOp(sha256)]);
      return false;
    }
    await blobs.remove(sha256);
    await table.write([removeBlobRowOp(sha256)]);
    return true;
  }

  async #isGarbage(sha256: string, graceMs: number): Promise<boolean> {
    const stat = await this.#stores.blobs.stat(sha256);
    if (stat === undefined || stat.storedAtMs > this.#stores.now() - graceMs) return false;
    const references = await this.#stores.table.query(referencesQuery(sha256, 1));
    return references.items.length === 0;
  }

  async #mark(sha256: string): Promise<boolean> {
    const { table, now } = this.#stores;
    try {
      await table.write([markCollectingOp(sha256, now())]);
      return true;
    } catch (error) {
      if (!(error instanceof ConditionFailedError)) throw error;
    }
    const row = await table.get(blobKey(sha256));
    if (row === undefined || !("collectingSinceMs" in row.attributes)) return false;
    const markedAtMs = number(row, "collectingSinceMs");
    if (markedAtMs > now() - ABANDONED_MARK_MS) return false;
    try {
      await table.write([takeOverMarkOp(sha256, markedAtMs, now())]);
      return true;
    } catch (error) {
      if (error instanceof ConditionFailedError) return false;
      throw error;
    }
  }
}
