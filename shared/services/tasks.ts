import type { Services } from "./services.ts";

const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;
/** Longer than any publish may take between its bytes and its record. */
const GARBAGE_GRACE_MS = 24 * HOUR_MS;
/** A function has 15 minutes. */
const GARBAGE_BUDGET_MS = 600 * SECOND_MS;

/** Something that is done now and then, on AWS by a schedule and when embedded by a timer. */
export interface BackgroundTask {
  readonly name: string;
  readonly everyMs: number;
  /** May run in several processes at once, and may be stopped anywhere: the next run goes on. */
  readonly run: (services: Services) => Promise<unknown>;
}

/** The tasks of every deployment. What a home needs besides (delivering events, expired rows) is its own affair. */
export const BACKGROUND_TASKS: readonly BackgroundTask[] = [
  {
    name: "uploads",
    everyMs: 300 * SECOND_MS,
    run: ({ reclaimer }) => reclaimer.sweepUploads(),
  },
  {
    name: "upload-sessions",
    everyMs: 300 * SECOND_MS,
    run: ({ uploadSessions }) => uploadSessions.sweep(),
  },
  { name: "blob-links", everyMs: HOUR_MS, run: ({ blobLinks }) => blobLinks.sweep() },
  {
    name: "versions",
    everyMs: 600 * SECOND_MS,
    run: ({ reclaimer }) => reclaimer.reclaimVersions(),
  },
  {
    name: "registries",
    everyMs: 600 * SECOND_MS,
    run: ({ reclaimer }) => reclaimer.reclaimRegistries(),
  },
  {
    name: "ecosystems",
    everyMs: HOUR_MS,
    run: async ({ ecosystems }) => {
      for (const ecosystem of Object.values(ecosystems)) await ecosystem.sweep?.();
    },
  },
  {
    name: "garbage",
    everyMs: 6 * HOUR_MS,
    run: ({ collector }) =>
      collector.collectFurther(GARBAGE_GRACE_MS, { budgetMs: GARBAGE_BUDGET_MS }),
  },
  {
    name: "leftovers",
    everyMs: HOUR_MS,
    run: ({ stores }) => stores.blobs.sweep(stores.now() - GARBAGE_GRACE_MS),
  },
];
