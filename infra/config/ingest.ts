import * as z from "zod";

/** The container service for clients that can only stream an upload of unknown length. Absent: none. */
export const ingestSchema = z.strictObject({
  minTasks: z.int().min(0).max(100).default(0),
  maxTasks: z.int().min(1).max(100).default(2),
});
