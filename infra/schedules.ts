/** When a task of the `maintenance` function runs. */
export interface MaintenanceSchedule {
  readonly task: string;
  /** At least 5. */
  readonly everyMinutes: number;
}

/**
 * The tasks of `functions/workers/maintenance`. Rates are lower than an embedded server's, since each run is an
 * invocation and some reads whether there is something to do or not; nothing waits for any of them.
 */
export const MAINTENANCE_SCHEDULES: readonly MaintenanceSchedule[] = [
  { task: "events", everyMinutes: 15 },
  { task: "uploads", everyMinutes: 60 },
  { task: "upload-sessions", everyMinutes: 60 },
  { task: "blob-links", everyMinutes: 360 },
  { task: "versions", everyMinutes: 360 },
  { task: "registries", everyMinutes: 360 },
  { task: "garbage", everyMinutes: 1440 },
  { task: "leftovers", everyMinutes: 1440 },
];
