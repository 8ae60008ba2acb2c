import type { Services } from "../../shared/services/services.ts";
import type { Home, HomeTask } from "./home.ts";
import { BACKGROUND_TASKS } from "../../shared/services/tasks.ts";

const SECOND_MS = 1000;

/**
 * The background plane of an embedded server: what streams and schedules do on AWS. Every task may run in
 * several processes over one data folder at once.
 */
export class Background {
  readonly #services: Services;
  readonly #tasks: readonly HomeTask[];
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #running = new Set<Promise<void>>();
  readonly #stopping = new AbortController();

  constructor(
    services: Services,
    { ownsBackground, tasks }: Pick<Home, "ownsBackground" | "tasks">,
  ) {
    const { events, downloads, webhookDeliverer } = services;
    const owned: readonly HomeTask[] = [
      { name: "events", everyMs: SECOND_MS / 2, run: () => events.deliver() },
      {
        name: "webhooks",
        everyMs: SECOND_MS / 2,
        run: () => webhookDeliverer.deliverDue(this.#stopping.signal),
      },
      ...BACKGROUND_TASKS.map(({ name, everyMs, run }) => ({
        name,
        everyMs,
        run: () => run(services),
      })),
    ];
    this.#services = services;
    this.#tasks = [
      { name: "downloads", everyMs: 10 * SECOND_MS, run: () => downloads.flush() },
      ...tasks,
      ...(ownsBackground ? owned : []),
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

  #schedule(task: HomeTask): void {
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

  async #run(task: HomeTask): Promise<void> {
    try {
      await task.run();
    } catch (error) {
      this.#services.stores.log.error("background.failed", error, { task: task.name });
    }
  }
}
