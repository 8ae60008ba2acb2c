import type { LmdbTable } from "../../shared/adapters/lmdb/lmdb-table.ts";
import type { Services } from "../../shared/services/services.ts";
import { BACKGROUND_TASKS } from "../../shared/services/tasks.ts";

const SECOND_MS = 1000;

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
  #stopped = false;

  constructor(services: Services, table: LmdbTable) {
    const { events, downloads } = services;
    this.#services = services;
    this.#tasks = [
      { name: "events", everyMs: SECOND_MS / 2, run: () => events.deliver() },
      { name: "downloads", everyMs: 10 * SECOND_MS, run: () => downloads.flush() },
      { name: "expired-rows", everyMs: 60 * SECOND_MS, run: () => table.removeExpired(1000) },
      ...BACKGROUND_TASKS.map(({ name, everyMs, run }) => ({
        name,
        everyMs,
        run: () => run(services),
      })),
    ];
  }

  start(): void {
    for (const task of this.#tasks) this.#schedule(task);
  }

  /** No task starts any more; resolves when those under way have ended and the download counts are written. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all(this.#running);
    await this.#services.downloads.flush();
  }

  #schedule(task: Task): void {
    if (this.#stopped) return;
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
