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
  readonly run: (parts: TaskParts) => Promise<unknown>;
}

/** Everything that is scheduled on AWS. The stack makes a schedule of each, so that a new task is one line. */
export const SCHEDULED_TASKS: readonly ScheduledTask[] = [
  ...BACKGROUND_TASKS.map(({ name, everyMs, run }) => ({
    name,
    everyMs,
    run: async ({ services }: TaskParts) => run(services),
  })),
  { name: "outbox", everyMs: 300_000, run: ({ carrier }) => carrier.carryMissed() },
];
