import * as z from "zod";

/** Who is told of alarms. */
export const observabilitySchema = z.strictObject({
  /** Gets a message to confirm first. Absent: the topic has no subscriber. */
  alarmEmail: z.email().optional(),
});
