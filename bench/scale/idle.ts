import { SCHEDULED_TASKS, scheduleMinutes } from "../../functions/workers/maintenance/tasks.ts";
import type { CostLine } from "./cost.ts";
import { PRICES, SECONDS_A_MONTH } from "./prices.ts";

/** What a run of a task that finds nothing to do takes of a function of 1 GB, its start included in every tenth. */
const IDLE_RUN_SECONDS = 0.15;
const IDLE_RUN_READS = 4;
/** A line of the log for each run, with metrics, and Lambda's own three. */
const IDLE_RUN_LOG_BYTES = 2500;
/** Tasks that list the bucket. */
const LISTING_TASKS = new Set(["uploads", "leftovers", "garbage"]);
/** Lambda asks a queue with at least 5 pollers, 20 s each: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html */
const QUEUE_POLLS_PER_SECOND = 5 / 20;
const QUEUES = 3;
/** One for signatures, one for HMACs; a third with `encryption: "customer"`. */
const KEYS = 2;
/** Of the alarms without options; test/infra holds the stack to it. */
export const ALARM_METRICS = 39;
const COMPOSITE_ALARMS = 4;
const USD_PER_COMPOSITE_ALARM = 0.5;
/** CloudWatch's free tier, for ever: so many alarm metrics. */
const FREE_ALARM_METRICS = 10;

/** What a deployment that nobody uses costs a month: the defaults, in one region. */
export function idleCost(): readonly CostLine[] {
  const { lambda, dynamo, s3, logs, sqs, kms, metrics } = PRICES;
  const runs = (names?: ReadonlySet<string>): number =>
    SCHEDULED_TASKS.filter(({ name }) => names === undefined || names.has(name)).reduce(
      (sum, task) => sum + SECONDS_A_MONTH / 60 / scheduleMinutes(task),
      0,
    );
  const all = runs();
  const polls = QUEUES * QUEUE_POLLS_PER_SECOND * SECONDS_A_MONTH;
  return [
    { what: `${KEYS} KMS keys`, usd: KEYS * kms.perKeyMonth },
    { what: "Lambda's polls of the queues", usd: (polls / 1e6) * sqs.perMillionRequests },
    {
      what: "Scheduled tasks: Lambda",
      usd:
        (all / 1e6) * lambda.perMillionRequests + all * IDLE_RUN_SECONDS * lambda.perGigabyteSecond,
    },
    {
      what: "Scheduled tasks: table, bucket, logs",
      usd:
        ((all * IDLE_RUN_READS) / 1e6) * dynamo.perMillionReads +
        (runs(LISTING_TASKS) / 1e6) * s3.perMillionPuts +
        ((all * IDLE_RUN_LOG_BYTES) / 1e9) * logs.perGigabyte,
    },
    {
      what: "Alarms (observability.alarms)",
      usd:
        (ALARM_METRICS - FREE_ALARM_METRICS) * metrics.perAlarmMetricMonth +
        COMPOSITE_ALARMS * USD_PER_COMPOSITE_ALARM,
    },
  ];
}
