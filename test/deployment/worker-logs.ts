import * as z from "zod";
import type { WorkerName } from "../../infra/functions.ts";
import type { Deployment } from "./deployment.ts";

const groupsSchema = z.object({ logGroups: z.array(z.object({ logGroupName: z.string() })) });
const eventsSchema = z.object({
  events: z.array(z.object({ message: z.string() })),
  nextToken: z.string().optional(),
});
/** A line of metrics that a worker has written: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html */
const countsSchema = z.object({ Events: z.number(), FailedEvents: z.number() });

/** How many events a worker has taken since it was deployed, and how many of these have failed, by its own metrics. */
export async function eventsTaken(
  deployment: Deployment,
  worker: WorkerName,
): Promise<{ events: number; failed: number }> {
  const taken = { events: 0, failed: 0 };
  for (const line of await linesOf(deployment, worker)) {
    if (!line.includes('"FailedEvents":')) continue;
    const { Events, FailedEvents } = countsSchema.parse(JSON.parse(line));
    taken.events += Events;
    taken.failed += FailedEvents;
  }
  return taken;
}

async function linesOf(deployment: Deployment, worker: WorkerName): Promise<readonly string[]> {
  const { logGroups } = groupsSchema.parse(await logs(deployment, "DescribeLogGroups", {}));
  const name = new RegExp(`\\blocal-workers[-/]${worker}Logs`);
  const group = logGroups.find(({ logGroupName }) => name.test(logGroupName));
  if (group === undefined) throw new Error(`there is no log group of ${worker}`);
  const lines: string[] = [];
  let nextToken: string | undefined;
  do {
    const page = eventsSchema.parse(
      await logs(deployment, "FilterLogEvents", { ...group, nextToken }),
    );
    lines.push(...page.events.map(({ message }) => message));
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return lines;
}

function logs(deployment: Deployment, operation: string, body: unknown): Promise<unknown> {
  return deployment.callAws("logs", `Logs_20140328.${operation}`, body);
}
