import { Match, Template } from "aws-cdk-lib/assertions";
import { describe, expect, test } from "vitest";
import { SCHEDULED_TASKS } from "../../functions/workers/maintenance/tasks.ts";
import { OUTBOX_SHARDS, outboxQuery } from "../../shared/records/outbox.ts";
import { createTestStacks, EVERYTHING, resourcesOf } from "./support.ts";

describe("the workers stack", () => {
  const { workers } = createTestStacks();
  const template = Template.fromStack(workers);
  const mappings = [...resourcesOf(workers, "AWS::Lambda::EventSourceMapping").values()];

  test("reads new events of the outbox from the table's stream, and nothing else", () => {
    const stream = mappings.find(({ Properties }) => "StartingPosition" in Properties);
    expect(stream?.Properties).toMatchObject({
      StartingPosition: "TRIM_HORIZON",
      BisectBatchOnFunctionError: true,
      FunctionResponseTypes: ["ReportBatchItemFailures"],
      MaximumRetryAttempts: 10,
      DestinationConfig: { OnFailure: { Destination: expect.anything() } },
    });
    const { Filters } = Object(stream?.Properties["FilterCriteria"]);
    const pattern = JSON.parse(Filters[0].Pattern);
    expect(pattern).toEqual({
      eventName: ["INSERT"],
      dynamodb: { Keys: { pk: { S: [{ prefix: "OUTBOX#" }] } } },
    });
    const { prefix } = pattern.dynamodb.Keys.pk.S[0];
    for (let shard = 0; shard < OUTBOX_SHARDS; shard++) {
      expect(outboxQuery(shard, 1).pk.startsWith(prefix)).toBe(true);
    }
  });

  test("takes messages from three queues, files of upstreams one by one, and gives back those that failed", () => {
    const queues = mappings.filter(({ Properties }) => !("StartingPosition" in Properties));
    expect(queues.map(({ Properties }) => Properties["BatchSize"])).toEqual([10, 10, 1]);
    for (const { Properties } of queues) {
      expect(Properties["FunctionResponseTypes"]).toEqual(["ReportBatchItemFailures"]);
    }
    expect(queues[2]?.Properties["ScalingConfig"]).toEqual({ MaximumConcurrency: 20 });
  });

  test("sets messages aside after five tries, long after the function's timeout, and takes TLS only", () => {
    const queues = [...resourcesOf(workers, "AWS::SQS::Queue").values()];
    const withDeadLetters = queues.filter(({ Properties }) => "RedrivePolicy" in Properties);
    expect(queues).toHaveLength(7);
    expect(withDeadLetters.map(({ Properties }) => Properties["VisibilityTimeout"])).toEqual([
      720, 360, 5400,
    ]);
    for (const { Properties } of withDeadLetters) {
      expect(Properties["RedrivePolicy"]).toMatchObject({ maxReceiveCount: 5 });
    }
    template.allResourcesProperties("AWS::SQS::Queue", {
      SqsManagedSseEnabled: true,
      MessageRetentionPeriod: 14 * 86_400,
    });
    template.resourceCountIs("AWS::SQS::QueuePolicy", 7);
    template.allResourcesProperties("AWS::SQS::QueuePolicy", {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: "Deny",
            Condition: { Bool: { "aws:SecureTransport": "false" } },
          }),
        ]),
      },
    });
  });

  test("starts every task of maintenance by a schedule", () => {
    const schedules = [...resourcesOf(workers, "AWS::Scheduler::Schedule").values()];
    const tasks = schedules.map(({ Properties }) => {
      const { task } = JSON.parse(Object(Properties["Target"]).Input);
      return `${task} ${String(Properties["ScheduleExpression"])}`;
    });
    expect(tasks.toSorted()).toEqual(
      SCHEDULED_TASKS.map(({ name, everyMs }) =>
        name === "webhooks"
          ? "webhooks rate(1 minute)"
          : `${name} rate(${Math.max(15, everyMs / 60_000)} minutes)`,
      ).toSorted(),
    );
    const waits = schedules.map(({ Properties }) => Object(Properties["FlexibleTimeWindow"]).Mode);
    expect(waits.filter((mode) => mode === "OFF")).toHaveLength(1);
  });

  test("lets schedules of this account start maintenance and no other function", () => {
    template.hasResourceProperties("AWS::IAM::Role", {
      AssumeRolePolicyDocument: {
        Statement: [
          Match.objectLike({
            Principal: { Service: "scheduler.amazonaws.com" },
            Condition: { StringEquals: { "aws:SourceAccount": "111122223333" } },
          }),
        ],
      },
      Policies: [
        Match.objectLike({
          PolicyDocument: Match.objectLike({
            Statement: [
              {
                Effect: "Allow",
                Action: "lambda:InvokeFunction",
                Resource: { "Fn::GetAtt": [Match.stringLikeRegexp("^maintenance"), "Arn"] },
              },
            ],
          }),
        }),
      ],
    });
  });

  test("encrypts its queues with the customer's key where there is one", () => {
    const { workers: encrypted } = createTestStacks(EVERYTHING);
    Template.fromStack(encrypted).allResourcesProperties("AWS::SQS::Queue", {
      KmsMasterKeyId: Match.anyValue(),
    });
  });
});
