import { Duration } from "aws-cdk-lib";
import {
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IAlarm,
  type IMetric,
  MathExpression,
  Metric,
  SingleValueWidget,
  TextWidget,
} from "aws-cdk-lib/aws-cloudwatch";
import type { Construct } from "constructs";
import { OPERATIONS } from "../../functions/lambda/metric-names.ts";
import {
  authFailureShare,
  byOperation,
  byProtocol,
  byWorker,
  ofUpstreams,
  successPercent,
  upstreamFailureShare,
} from "./metrics.ts";
import { OBJECTIVES, type Objective } from "./objectives.ts";
import type { Watched } from "./watched.ts";

const WIDE = 24;
const HALF = 12;
const THIRD = 8;
const DAYS_AHEAD = 30;

/** The three dashboards: for who pays, for who is on call, and for who looks for the cause. */
export function addDashboards(
  scope: Construct,
  name: string,
  watched: Watched,
  alarms: readonly IAlarm[],
): void {
  addExecutive(scope, name, watched);
  addOnCall(scope, name, watched, alarms);
  addDebug(scope, name, watched);
}

function addExecutive(scope: Construct, name: string, watched: Watched): void {
  new Dashboard(scope, "Executive", {
    dashboardName: `${name}-executive`,
    defaultInterval: Duration.days(30),
    widgets: [
      [
        text(
          `Publishing must succeed ${percent(OBJECTIVES.publish.success)}, pulling ${percent(OBJECTIVES.pull.success)}. Publish p95 below ${OBJECTIVES.publish.p95Ms} ms, pull p95 below ${OBJECTIVES.pull.p95Ms} ms.`,
        ),
      ],
      (["publish", "pull"] as const).map((operation) => success(operation, 1440, HALF)),
      [
        graph(
          "Requests a day",
          HALF,
          OPERATIONS.map((operation) =>
            byOperation("requests", operation, { minutes: 1440, label: operation }),
          ),
        ),
        graph("Estimated charges of the account, USD", HALF, [charges()]),
      ],
      storage(watched),
    ],
  });
}

function addOnCall(
  scope: Construct,
  name: string,
  watched: Watched,
  alarms: readonly IAlarm[],
): void {
  new Dashboard(scope, "OnCall", {
    dashboardName: `${name}-on-call`,
    defaultInterval: Duration.hours(3),
    widgets: [
      ...(alarms.length === 0
        ? []
        : [[new AlarmStatusWidget({ title: "Alarms", width: WIDE, alarms: [...alarms] })]]),
      (["publish", "pull"] as const).map((operation) => success(operation, 5, HALF)),
      (["publish", "pull"] as const).map((operation) => latency(operation)),
      [
        graph(
          "Faults by protocol",
          THIRD,
          watched.protocols.map((protocol) =>
            byProtocol("faults", protocol, { minutes: 5, label: protocol }),
          ),
        ),
        graph(
          "Throttled (429, 503) by protocol",
          THIRD,
          watched.protocols.map((protocol) =>
            byProtocol("throttled", protocol, { minutes: 5, label: protocol }),
          ),
        ),
        graph("Refused credentials, share of requests", THIRD, [authFailureShare(5)]),
      ],
      [
        graph(
          "Dead-letter queues",
          THIRD,
          Object.entries(watched.deadLetters).map(([label, queue]) =>
            queue.metricApproximateNumberOfMessagesVisible({ label, statistic: "Maximum" }),
          ),
        ),
        graph("Unfinished uploads", THIRD, [
          byWorker("unfinishedUploads", "maintenance", { minutes: 60, statistic: "Maximum" }),
        ]),
        graph(
          "Table throttling",
          THIRD,
          ["ReadThrottleEvents", "WriteThrottleEvents"].map((metric) =>
            watched.tableMetric(metric, 5),
          ),
        ),
      ],
      [
        graph("Upstreams: unanswered, share of questions", THIRD, [upstreamFailureShare(5)]),
        graph("Upstreams: reads", THIRD, [
          ofUpstreams("requests", { minutes: 5, label: "asked" }),
          ofUpstreams("cached", { minutes: 5, label: "cached" }),
          ofUpstreams("stale", { minutes: 5, label: "stale copies" }),
        ]),
        graph("Upstreams: bytes fetched", THIRD, [ofUpstreams("bytes", { minutes: 5 })]),
      ],
    ],
  });
}

function addDebug(scope: Construct, name: string, watched: Watched): void {
  const each = <Of>(of: (one: Watched["functions"][number]) => Of): Of[] =>
    watched.functions.map(of);
  const minutes = 5;
  new Dashboard(scope, "Debug", {
    dashboardName: `${name}-debug`,
    defaultInterval: Duration.hours(12),
    widgets: [
      ["p50", "p95", "p99"].map((statistic) =>
        graph(
          `Latency ${statistic} by protocol, ms`,
          THIRD,
          watched.protocols.map((protocol) =>
            byProtocol("latency", protocol, { minutes, statistic, label: protocol }),
          ),
        ),
      ),
      [
        graph(
          "Requests by protocol",
          THIRD,
          watched.protocols.map((protocol) =>
            byProtocol("requests", protocol, { minutes, label: protocol }),
          ),
        ),
        graph(
          "Function errors",
          THIRD,
          each((one) => one.metricErrors()),
        ),
        graph(
          "Function throttles",
          THIRD,
          each((one) => one.metricThrottles()),
        ),
      ],
      [
        graph(
          "Concurrent executions",
          THIRD,
          each((one) => one.metric("ConcurrentExecutions", { statistic: "Maximum" })),
        ),
        graph(
          "Function duration p99, ms",
          THIRD,
          each((one) => one.metricDuration({ statistic: "p99" })),
        ),
        graph("Stream behind, ms", THIRD, [
          watched.stream.metric("IteratorAge", { statistic: "Maximum" }),
        ]),
      ],
      [
        graph(
          "Table capacity used",
          HALF,
          ["ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"].map((metric) =>
            watched.tableMetric(metric, minutes),
          ),
        ),
        graph(
          "Events",
          HALF,
          ["index", "webhooks", "fetches", "stream"].flatMap((worker) => [
            byWorker("events", worker, { minutes, label: `${worker} done` }),
            byWorker("failedEvents", worker, { minutes, label: `${worker} failed` }),
          ]),
        ),
      ],
      ...(watched.ingest === undefined
        ? []
        : [
            [
              graph("Ingest", WIDE, [
                watched.ingest.requests,
                watched.ingest.refused,
                watched.ingest.unhealthy,
              ]),
            ],
          ]),
    ],
  });
}

function success(operation: Objective, minutes: number, width: number): GraphWidget {
  return new GraphWidget({
    title: `${operation}: success %`,
    width,
    left: [successPercent(operation, minutes)],
    leftAnnotations: [{ value: OBJECTIVES[operation].success * 100, label: "objective" }],
    leftYAxis: { max: 100 },
  });
}

function latency(operation: Objective): GraphWidget {
  return new GraphWidget({
    title: `${operation}: latency, ms`,
    width: HALF,
    left: ["p50", "p95", "p99"].map((statistic) =>
      byOperation("latency", operation, { minutes: 5, statistic, label: statistic }),
    ),
    leftAnnotations: [{ value: OBJECTIVES[operation].p95Ms, label: "objective of p95" }],
  });
}

/** What is stored, and what it will be if it goes on growing as in the last two weeks. */
function storage({ bucketMetric }: Watched): (GraphWidget | SingleValueWidget)[] {
  const size = bucketMetric("BucketSizeBytes");
  const forecast = new MathExpression({
    expression: `size + ${DAYS_AHEAD * 86_400} * AVG(RATE(size))`,
    usingMetrics: { size },
    period: Duration.days(1),
    label: `in ${DAYS_AHEAD} days`,
  });
  return [
    graph("Stored bytes, and forecast", HALF, [size, forecast]),
    new SingleValueWidget({
      title: "Objects, bytes",
      width: HALF,
      metrics: [bucketMetric("NumberOfObjects"), size],
    }),
  ];
}

/** Of the whole account, and only where billing alerts are on; kept in us-east-1 wherever the rest is. */
function charges(): Metric {
  return new Metric({
    namespace: "AWS/Billing",
    metricName: "EstimatedCharges",
    dimensionsMap: { Currency: "USD" },
    statistic: "Maximum",
    period: Duration.hours(6),
    region: "us-east-1",
  });
}

const text = (markdown: string): TextWidget => new TextWidget({ markdown, width: WIDE, height: 2 });

const graph = (title: string, width: number, left: readonly IMetric[]): GraphWidget =>
  new GraphWidget({ title, width, left: [...left] });

const percent = (share: number): string => `${Math.round(share * 1e6) / 1e4} %`;
