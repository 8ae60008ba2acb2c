/** What the registry promises, measured over what it answers; issue and runbook name the same figures. */
export const OBJECTIVES = {
  publish: { success: 0.999, p95Ms: 5000 },
  pull: { success: 0.9995, p95Ms: 200 },
  /** Most of all requests that may be refused although they carry credentials. */
  authFailures: 0.001,
} as const;

/** What has both a success and a latency to keep. */
export type Objective = "publish" | "pull";

/**
 * Windows of the error budget: how many times faster than allowed it burns when somebody is woken. 14.4 times for an
 * hour is 2 % of a month's budget, 6 times for six hours 5 %. The short window ends the alarm soon after the trouble.
 * https://sre.google/workbook/alerting-on-slos/
 */
export const BURN_RATES = [
  { name: "fast", rate: 14.4, longMinutes: 60, shortMinutes: 5 },
  { name: "slow", rate: 6, longMinutes: 360, shortMinutes: 30 },
] as const;

/** Fewer failures than this in a window are nobody's night: one failed request of seven is 14 %. */
export const LEAST_FAILURES = 3;
