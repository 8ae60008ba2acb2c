import * as z from "zod";

/** Dashboards and alarms, and who is told of them. */
export const observabilitySchema = z.strictObject({
  /** Gets a message to confirm first. Absent: the topic has no subscriber. */
  alarmEmail: z.email().optional(),
  /** Three dashboards; the account's first three are free, each further one costs 3 USD a month. */
  dashboards: z.boolean().default(true),
  /** Alarms cost 0.10 USD a month for each metric that they look at (docs/cost.md). */
  alarms: z.boolean().default(true),
  /** Bytes in the bucket above which somebody is told. */
  storageAlarmGigabytes: z.int().min(1).max(10_000_000).default(1000),
});

/** Observability's options with every default filled in. */
export type ObservabilityConfig = z.output<typeof observabilitySchema>;
