import { RetentionDays } from "aws-cdk-lib/aws-logs";
import type { Config } from "../config/schema.ts";

/** The CDK's name for a number of days. */
export function logRetention(days: Config["logRetentionDays"]): RetentionDays {
  return RETENTION[days];
}

const RETENTION = {
  1: RetentionDays.ONE_DAY,
  3: RetentionDays.THREE_DAYS,
  5: RetentionDays.FIVE_DAYS,
  7: RetentionDays.ONE_WEEK,
  14: RetentionDays.TWO_WEEKS,
  30: RetentionDays.ONE_MONTH,
  60: RetentionDays.TWO_MONTHS,
  90: RetentionDays.THREE_MONTHS,
  180: RetentionDays.SIX_MONTHS,
  365: RetentionDays.ONE_YEAR,
  731: RetentionDays.TWO_YEARS,
  1827: RetentionDays.FIVE_YEARS,
} as const satisfies Record<Config["logRetentionDays"], RetentionDays>;
