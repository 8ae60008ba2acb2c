import type { Services } from "../../../shared/services/services.ts";
import { BACKGROUND_TASKS } from "../../../shared/services/tasks.ts";
import type { EventCarrier } from "../event-carrier.ts";

/** What tasks work with. */
export interface TaskParts {
  readonly services: Services;
  readonly carrier: EventCarrier;
}

/** A task of the `maintenance` function, started by an event `{"task": "<name>"}` of a schedule. */
export interface ScheduledTask {
  readonly name: string;
  readonly everyMs: number;
  /** Somebody waits for what it does: it is not put off to save runs. */
  readonly isAwaited?: boolean;
  readonly run: (parts: TaskParts) => Promise<unknown>;
}

/** First tries are the webhooks function's; these are for receivers that did not answer then. */
const RETRIES_MS = 60_000;

/** Everything that is scheduled on AWS. The stack makes a schedule of each, so that a new task is one line. */
export const SCHEDULED_TASKS: readonly ScheduledTask[] = [
  ...BACKGROUND_TASKS.map(({ name, everyMs, run }) => ({
    name,
    everyMs,
    run: async ({ services }: TaskParts) => run(services),
  })),
  {
    name: "webhooks",
    everyMs: 60_000,
    isAwaited: true,
    run: async ({ services }) =>
      services.webhookDeliverer.deliverDue(AbortSignal.timeout(RETRIES_MS)),
  },
  { name: "outbox", everyMs: 300_000, run: ({ carrier }) => carrier.carryMissed() },
];

/**
 * Nothing waits for most tasks, and each run is an invocation and some reads whether there is something to do or not: so
 * they run less often than in an embedded server.
 */
const MIN_MINUTES = 15;

/** How often a task is started on AWS. */
export const scheduleMinutes = ({ everyMs, isAwaited = false }: ScheduledTask): number =>
  Math.max(isAwaited ? 1 : MIN_MINUTES, Math.ceil(everyMs / 60_000));
