import { UnavailableError, UnsupportedError } from "../errors.ts";
import { isDefined } from "../domain/defined.ts";
import { ConditionFailedError } from "../ports/table.ts";
import type { BlobPage } from "../ports/blobs.ts";
import { number, text } from "../records/attributes.ts";
import {
  blobKey,
  COLLECTOR_KEY,
  collectorCursorOp,
  markCollectingOp,
  referencesQuery,
  removeBlobRowOp,
  takeOverMarkOp,
  unmarkCollectingOp,
} from "../records/blob-references.ts";
import { tryWrite } from "./conditional-write.ts";
import type { Stores } from "./stores.ts";

/** A collector that has not finished with a blob after this long has died. */
const ABANDONED_MARK_MS = 10 * 60_000;
const WAIT_STEP_MS = 50;
const WAIT_STEPS = 40;

const PAGE = 1000;
const PARALLEL_QUERIES = 32;

interface Pass {
  readonly graceMs: number;
  readonly endsAtMs: number;
  readonly pageSize: number;
  /** Where to begin; at the beginning when absent. */
  readonly from?: string | undefined;
}

interface Passed {
  readonly collected: Collected;
  /** Where to go on; absent when every blob was looked at. */
  readonly cursor: string | undefined;
}

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
  readonly #mayRemove: boolean;

  /** `mayRemove`: false where the process has no right to remove bytes, as functions that answer requests on AWS. */
  constructor(stores: Stores, { mayRemove = true }: { readonly mayRemove?: boolean } = {}) {
    this.#stores = stores;
    this.#mayRemove = mayRemove;
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

  /**
   * One pass over every blob. `graceMs`: how long a blob may be without a reference.
   *
   * @throws {UnsupportedError} where bytes cannot be removed, before any blob is marked.
   */
  async collect(graceMs: number): Promise<Collected> {
    if (!this.#mayRemove) {
      throw new UnsupportedError(
        'On AWS only the maintenance function may remove bytes, and does so by itself. To have it done now, invoke that function with {"task":"garbage"}.',
      );
    }
    return (await this.#pass({ graceMs, endsAtMs: Number.POSITIVE_INFINITY, pageSize: PAGE }))
      .collected;
  }

  /**
   * A pass over so many blobs as there is time for, from where the last one ended: of ten million blobs nobody looks at
   * all in the quarter of an hour that a function has.
   */
  async collectFurther(
    graceMs: number,
    { budgetMs, pageSize = PAGE }: { readonly budgetMs: number; readonly pageSize?: number },
  ): Promise<Collected> {
    const { table, now } = this.#stores;
    const row = await table.get(COLLECTOR_KEY);
    const from = row === undefined ? undefined : text(row, "cursor");
    const endsAtMs = now() + budgetMs;
    const { collected, cursor } = await this.#pass({ graceMs, endsAtMs, from, pageSize });
    await table.write([collectorCursorOp(cursor)]);
    return collected;
  }

  async #pass({ graceMs, endsAtMs, from, pageSize: limit }: Pass): Promise<Passed> {
    let collected: Collected = { blobs: 0, bytes: 0 };
    let cursor = from;
    do {
      const page = await this.#stores.blobs.list(
        cursor === undefined ? { limit } : { limit, cursor },
      );
      for (const blob of await this.#candidates(page.blobs, graceMs)) {
        if (await this.#collectOne(blob.sha256, graceMs)) {
          collected = { blobs: collected.blobs + 1, bytes: collected.bytes + blob.sizeBytes };
        }
      }
      cursor = page.cursor;
    } while (cursor !== undefined && this.#stores.now() < endsAtMs);
    return { collected, cursor };
  }

  /** Blobs that are old enough and had no reference a moment ago: nearly none, so that only they are looked at closely. */
  async #candidates(blobs: BlobPage["blobs"], graceMs: number): Promise<BlobPage["blobs"]> {
    const old = blobs.filter(({ storedAtMs }) => storedAtMs <= this.#stores.now() - graceMs);
    const found: (typeof old)[number][] = [];
    for (let start = 0; start < old.length; start += PARALLEL_QUERIES) {
      const some = old.slice(start, start + PARALLEL_QUERIES);
      const pages = await Promise.all(
        some.map(({ sha256 }) => this.#stores.table.query(referencesQuery(sha256, 1))),
      );
      found.push(...some.filter((_, position) => pages[position]?.items.length === 0));
    }
    return found;
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
    return tryWrite(table, [takeOverMarkOp(sha256, markedAtMs, now())]);
  }
}
