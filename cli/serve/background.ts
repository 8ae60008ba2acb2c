import type { LmdbTable } from "../../shared/adapters/lmdb/lmdb-table.ts";
import type { Services } from "../../shared/services/services.ts";

const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;
/** Longer than any publish may take between its bytes and its record. */
const GARBAGE_GRACE_MS = 24 * HOUR_MS;

interface Task {
  readonly name: string;
  readonly everyMs: number;
  readonly run: () => Promise<unknown>;
}

/**
 * The background plane of an embedded server: what streams and schedules do on AWS. Every task may run in
 * several processes over one data folder at once.
 */
export class Background {
  readonly #services: Services;
  readonly #tasks: readonly Task[];
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #running = new Set<Promise<void>>();
  readonly #stopping = new AbortController();

  constructor(services: Services, table: LmdbTable) {
    const { events, downloads, reclaimer, collector, stores, blobLinks, uploadSessions } = services;
    const { webhookDeliverer } = services;
    this.#services = services;
    this.#tasks = [
      { name: "events", everyMs: SECOND_MS / 2, run: () => events.deliver() },
      {
        name: "webhooks",
        everyMs: SECOND_MS / 2,
        run: () => webhookDeliverer.deliverDue(this.#stopping.signal),
      },
      { name: "downloads", everyMs: 10 * SECOND_MS, run: () => downloads.flush() },
      { name: "expired-rows", everyMs: 60 * SECOND_MS, run: () => table.removeExpired(1000) },
      { name: "uploads", everyMs: 300 * SECOND_MS, run: () => reclaimer.sweepUploads() },
      { name: "upload-sessions", everyMs: 300 * SECOND_MS, run: () => uploadSessions.sweep() },
      { name: "blob-links", everyMs: HOUR_MS, run: () => blobLinks.sweep() },
      { name: "versions", everyMs: 600 * SECOND_MS, run: () => reclaimer.reclaimVersions() },
      { name: "registries", everyMs: 600 * SECOND_MS, run: () => reclaimer.reclaimRegistries() },
      { name: "garbage", everyMs: 6 * HOUR_MS, run: () => collector.collect(GARBAGE_GRACE_MS) },
      {
        name: "leftovers",
        everyMs: HOUR_MS,
        run: () => stores.blobs.sweep(stores.now() - GARBAGE_GRACE_MS),
      },
    ];
  }

  start(): void {
    for (const task of this.#tasks) this.#schedule(task);
  }

  /** No task starts any more; resolves when those under way have ended and the download counts are written. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all(this.#running);
    await this.#services.downloads.flush();
  }

  #schedule(task: Task): void {
    if (this.#stopping.signal.aborted) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      const run = this.#run(task);
      this.#running.add(run);
      void run.finally(() => {
        this.#running.delete(run);
        this.#schedule(task);
      });
    }, task.everyMs);
    this.#timers.add(timer);
  }

  async #run(task: Task): Promise<void> {
    try {
      await task.run();
    } catch (error) {
      this.#services.stores.log.error("background.failed", error, { task: task.name });
    }
  }
}
