import { Duration, Stack } from "aws-cdk-lib";
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import { CfnSchedule } from "aws-cdk-lib/aws-scheduler";
import type { Construct } from "constructs";
import type { Config } from "../config/schema.ts";
import { SCHEDULED_TASKS, scheduleMinutes } from "../../functions/workers/maintenance/tasks.ts";

/** The tasks do not start all at once. */
const SPREAD_MINUTES = 15;

/** Starts each task of maintenance at its rate, with `{"task": "<name>"}`. */
export function addSchedules(
  scope: Construct,
  maintenance: LambdaFunction,
  { config }: { readonly config: Config },
): void {
  const { account } = Stack.of(scope);
  const role = new Role(scope, "ScheduleRole", {
    description: `${config.name}: starts maintenance`,
    // Only for schedules of this account:
    // https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
    assumedBy: new ServicePrincipal("scheduler.amazonaws.com", {
      conditions: { StringEquals: { "aws:SourceAccount": account } },
    }),
    inlinePolicies: {
      invoke: new PolicyDocument({
        statements: [
          new PolicyStatement({
            actions: ["lambda:InvokeFunction"],
            resources: [maintenance.functionArn],
          }),
        ],
      }),
    },
  });
  for (const scheduled of SCHEDULED_TASKS) {
    const { name: task, isAwaited = false } = scheduled;
    const everyMinutes = scheduleMinutes(scheduled);
    new CfnSchedule(scope, `Schedule-${task}`, {
      description: `${config.name}: ${task}`,
      scheduleExpression: `rate(${everyMinutes} ${everyMinutes === 1 ? "minute" : "minutes"})`,
      flexibleTimeWindow: isAwaited
        ? { mode: "OFF" }
        : { mode: "FLEXIBLE", maximumWindowInMinutes: SPREAD_MINUTES },
      target: {
        arn: maintenance.functionArn,
        roleArn: role.roleArn,
        input: JSON.stringify({ task }),
        retryPolicy: {
          maximumRetryAttempts: 2,
          maximumEventAgeInSeconds: Duration.minutes(everyMinutes).toSeconds(),
        },
      },
    });
  }
}
