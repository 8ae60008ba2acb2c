import { Duration } from "aws-cdk-lib";
import { type IMetric, MathExpression, Metric } from "aws-cdk-lib/aws-cloudwatch";
import type { AlarmBoard } from "./alarm-board.ts";
import {
  authFailureShare,
  byOperation,
  byWorker,
  failureShare,
  upstreamFailureShare,
} from "./metrics.ts";
import { BURN_RATES, LEAST_FAILURES, OBJECTIVES, type Objective } from "./objectives.ts";
import type { RunbookSection } from "./runbook.ts";
import type { Watched } from "./watched.ts";

const DAY_MINUTES = 1440;
const LATENCY_MINUTES = 5;
const LATENCY_PERIODS = 3;

const FAILURES = { publish: "Publish failures", pull: "Pull failures" } as const satisfies Record<
  Objective,
  RunbookSection
>;

/** Every alarm of a deployment. */
export function addAlarms(board: AlarmBoard, watched: Watched): void {
  for (const objective of ["publish", "pull"] as const) {
    addSuccess(board, objective);
    addLatency(board, objective);
  }
  addAuthentication(board);
  addBackground(board, watched);
  addUpstreams(board);
  addStores(board, watched);
  if (watched.ingest !== undefined) addIngest(board, watched.ingest);
}

function addSuccess(board: AlarmBoard, objective: Objective): void {
  const { success } = OBJECTIVES[objective];
  const budget = 1 - success;
  const percent = success * 100;
  const section = FAILURES[objective];
  for (const { name, rate, longMinutes, shortMinutes } of BURN_RATES) {
    board.watchTogether(
      `${objective}-burn-${name}`,
      `Page: ${objective} fails ${rate} times faster than its budget (${percent} % must succeed) over ${longMinutes} minutes, and still does.`,
      [longMinutes, shortMinutes].map((minutes) => ({
        id: `${objective}-burn-${name}-${minutes}m`,
        says: `Part of ${objective}-burn-${name}; tells nobody by itself.`,
        section,
        metric: failureShare(objective, minutes, LEAST_FAILURES),
        above: budget * rate,
      })),
    );
  }
  board.watch({
    id: `${objective}-success`,
    says: `Ticket: less than ${percent} % of a day's ${objective} requests succeeded.`,
    section,
    metric: failureShare(objective, DAY_MINUTES, LEAST_FAILURES),
    above: budget,
  });
}

function addLatency(board: AlarmBoard, objective: Objective): void {
  const { p95Ms } = OBJECTIVES[objective];
  board.watch({
    id: `${objective}-p95`,
    says: `Ticket: 5 % of ${objective} requests took longer than ${p95Ms} ms for ${LATENCY_MINUTES * LATENCY_PERIODS} minutes.`,
    section: "High latency",
    metric: byOperation("latency", objective, { minutes: LATENCY_MINUTES, statistic: "p95" }),
    above: p95Ms,
    periods: LATENCY_PERIODS,
  });
}

function addAuthentication(board: AlarmBoard): void {
  board.watch({
    id: "auth-failures",
    says: `Ticket: more than ${OBJECTIVES.authFailures * 100} % of an hour's requests carried credentials that were refused.`,
    section: "Authentication failures",
    metric: authFailureShare(60, 10),
    above: OBJECTIVES.authFailures,
  });
}

function addBackground(board: AlarmBoard, { deadLetters, stream }: Watched): void {
  const period = Duration.minutes(5);
  for (const [name, queue] of Object.entries(deadLetters)) {
    board.watch({
      id: `dead-letters-${name}`,
      says: `Ticket: what ${name} could not do lies in its dead-letter queue.`,
      section: "Background work",
      metric: queue.metricApproximateNumberOfMessagesVisible({ period, statistic: "Maximum" }),
      above: 0,
    });
  }
  board.watch({
    id: "stream-behind",
    says: "Ticket: events wait longer than 15 minutes for their delivery.",
    section: "Background work",
    metric: stream.metric("IteratorAge", { period, statistic: "Maximum" }),
    above: 15 * 60_000,
    periods: 2,
  });
  board.watch({
    id: "failed-tasks",
    says: "Ticket: several tasks of an hour failed; uploads, deletions or garbage are not cleaned up.",
    section: "Background work",
    metric: byWorker("failedTasks", "maintenance", { minutes: 60 }),
    above: 2,
  });
  board.watch({
    id: "unfinished-uploads",
    says: "Ticket: 500 uploads were begun and not finished for six hours.",
    section: "Unfinished uploads",
    metric: byWorker("unfinishedUploads", "maintenance", { minutes: 360, statistic: "Minimum" }),
    above: 500,
  });
}

const UPSTREAM_MINUTES = 15;
const UPSTREAM_FAILURES = 0.25;

function addUpstreams(board: AlarmBoard): void {
  board.watch({
    id: "upstream-failures",
    says: `Ticket: upstreams left ${UPSTREAM_FAILURES * 100} % of the questions of ${UPSTREAM_MINUTES} minutes unanswered; copies are served where there are some.`,
    section: "Upstream failures",
    metric: upstreamFailureShare(UPSTREAM_MINUTES, 10),
    above: UPSTREAM_FAILURES,
  });
}

function addStores(board: AlarmBoard, watched: Watched): void {
  board.watch({
    id: "throttled-functions",
    says: "Page: Lambda refused invocations; clients get 503 and repeat.",
    section: "Throttling",
    // Of the whole account, whose limit it is, and one metric to pay instead of one for each function.
    metric: new Metric({
      namespace: "AWS/Lambda",
      metricName: "Throttles",
      statistic: "Sum",
      period: Duration.minutes(5),
    }),
    above: 10,
    periods: 2,
  });
  board.watch({
    id: "throttled-table",
    says: "Ticket: DynamoDB throttled for ten minutes; a partition is hot, or the table is.",
    section: "Throttling",
    metric: sumOf(
      ["ReadThrottleEvents", "WriteThrottleEvents"].map((name) => watched.tableMetric(name, 5)),
    ),
    above: 10,
    periods: 2,
  });
  board.watch({
    id: "storage-size",
    says: `Ticket: the bucket holds more than ${watched.storageAlarmGigabytes} GB.`,
    section: "Storage quota",
    metric: watched.bucketMetric("BucketSizeBytes"),
    above: watched.storageAlarmGigabytes * 1e9,
  });
  if (watched.replication === undefined) return;
  board.watch({
    id: "replication-lag",
    says: "Ticket: the second region's table is more than a minute behind.",
    section: "Replication lag",
    metric: watched.replication,
    above: 60_000,
    periods: 3,
  });
}

function addIngest(
  board: AlarmBoard,
  { unhealthy, refused }: NonNullable<Watched["ingest"]>,
): void {
  board.watch({
    id: "ingest-unhealthy",
    says: "Ticket: tasks of ingest do not answer.",
    section: "Ingest",
    metric: unhealthy,
    above: 0,
    periods: 3,
  });
  board.watch({
    id: "ingest-refused",
    says: "Ticket: pushes found no task of ingest for a quarter of an hour; it does not start.",
    section: "Ingest",
    metric: refused,
    above: 0,
    periods: 3,
  });
}

function sumOf(metrics: readonly IMetric[]): MathExpression {
  const named = metrics.map((metric, position): [string, IMetric] => [`m${position}`, metric]);
  return new MathExpression({
    expression: named.map(([name]) => `FILL(${name}, 0)`).join(" + "),
    usingMetrics: Object.fromEntries(named),
    period: Duration.minutes(5),
  });
}
