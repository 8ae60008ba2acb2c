import { readFileSync } from "node:fs";
import { Template } from "aws-cdk-lib/assertions";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { METRICS_NAMESPACE, REQUEST_METRICS } from "../../functions/lambda/metric-names.ts";
import { ALARM_METRICS, idleCost } from "../../bench/scale/idle.ts";
import { OBJECTIVES } from "../../infra/observability/objectives.ts";
import { RUNBOOK_SECTIONS, runbookLink } from "../../infra/observability/runbook.ts";
import { createTestStacks, normalisedTemplate, resourcesOf } from "./support.ts";

const alarmSchema = z.looseObject({
  AlarmName: z.string(),
  AlarmDescription: z.string(),
  AlarmActions: z.array(z.unknown()).optional(),
  Threshold: z.number(),
  TreatMissingData: z.string(),
});

const { operations } = createTestStacks({
  edge: {},
  ingest: {},
  storage: { replicaRegion: "eu-west-1" },
  observability: { alarmEmail: "ops@example.com" },
});
const stack = operations.observability;
const alarms = new Map(
  [...resourcesOf(stack, "AWS::CloudWatch::Alarm").values()].map(({ Properties }) => {
    const alarm = alarmSchema.parse(Properties);
    return [alarm.AlarmName.replace("entrepot-", ""), alarm];
  }),
);
const composites = [...resourcesOf(stack, "AWS::CloudWatch::CompositeAlarm").values()].map(
  ({ Properties }) =>
    z.looseObject({ AlarmName: z.string(), AlarmDescription: z.string() }).parse(Properties),
);
const thresholdOf = (id: string): number | undefined => alarms.get(id)?.Threshold;

describe("the observability stack", () => {
  test("is as it was", () => {
    expect(normalisedTemplate(stack)).toMatchSnapshot();
  });

  test("has the targets that the objectives name", () => {
    expect(OBJECTIVES).toEqual({
      publish: { success: 0.999, p95Ms: 5000 },
      pull: { success: 0.9995, p95Ms: 200 },
      authFailures: 0.001,
    });
    expect(thresholdOf("publish-success")).toBeCloseTo(0.001);
    expect(thresholdOf("pull-success")).toBeCloseTo(0.0005);
    expect(thresholdOf("publish-p95")).toBe(5000);
    expect(thresholdOf("pull-p95")).toBe(200);
    expect(thresholdOf("auth-failures")).toBe(0.001);
  });

  test("pages when the budget burns in a long and a short window at once", () => {
    expect(composites.map(({ AlarmName }) => AlarmName).sort()).toEqual([
      "entrepot-publish-burn-fast",
      "entrepot-publish-burn-slow",
      "entrepot-pull-burn-fast",
      "entrepot-pull-burn-slow",
    ]);
    expect(thresholdOf("publish-burn-fast-60m")).toBeCloseTo(0.0144);
    expect(thresholdOf("publish-burn-fast-5m")).toBeCloseTo(0.0144);
    expect(thresholdOf("pull-burn-slow-360m")).toBeCloseTo(0.003);
    expect(thresholdOf("pull-burn-slow-30m")).toBeCloseTo(0.003);
    for (const [id, { AlarmActions = [] }] of alarms) {
      expect(AlarmActions, id).toHaveLength(/-burn-.*m$/.test(id) ? 0 : 1);
    }
  });

  test("names a section of the runbook in every alarm, and every section exists and is used or linked", () => {
    const headings = new Set(
      readFileSync("docs/runbook.md", "utf8")
        .split("\n")
        .filter((line) => line.startsWith("## "))
        .map((line) => line.slice(3)),
    );
    for (const section of RUNBOOK_SECTIONS) expect(headings).toContain(section);
    const links = new Set(RUNBOOK_SECTIONS.map(runbookLink));
    for (const { AlarmName, AlarmDescription } of [...alarms.values(), ...composites]) {
      const [link = ""] = /docs\/runbook\.md#\S+$/.exec(AlarmDescription) ?? [];
      expect(links, AlarmName).toContain(link);
    }
  });

  test("names every alarm in the runbook", () => {
    const runbook = readFileSync("docs/runbook.md", "utf8");
    for (const id of [...alarms.keys(), ...composites.map(({ AlarmName }) => AlarmName)]) {
      const name = id.replace("entrepot-", "").replace(/^dead-letters-(?!index)/, "-");
      if (!/-burn-.*m$/.test(id)) expect(runbook, id).toContain(name);
    }
  });

  test("looks at metrics that the functions write", () => {
    const text = JSON.stringify(Template.fromStack(stack).toJSON());
    const names = [...text.matchAll(/"Namespace":"Entrepot"|MetricName\\?":\\?"(\w+)/g)];
    expect(names.length).toBeGreaterThan(10);
    expect(text).toContain(`"Namespace":"${METRICS_NAMESPACE}"`);
    for (const metric of [
      REQUEST_METRICS.requests,
      REQUEST_METRICS.faults,
      REQUEST_METRICS.latency,
    ]) {
      expect(text).toContain(`"MetricName":"${metric}"`);
    }
    expect(text).toContain(
      '"Dimensions":[{"Name":"operation","Value":"publish"},{"Name":"service","Value":"entrepot"}]',
    );
  });

  test("has three dashboards, and a topic with one subscriber that takes messages over TLS only", () => {
    const template = Template.fromStack(stack);
    template.resourceCountIs("AWS::CloudWatch::Dashboard", 3);
    template.hasResourceProperties("AWS::SNS::Subscription", {
      Protocol: "email",
      Endpoint: "ops@example.com",
    });
    const policies = JSON.stringify(template.findResources("AWS::SNS::TopicPolicy"));
    expect(policies).toContain('"aws:SecureTransport":"false"');
  });

  test("has as many alarm metrics as docs/cost.md counts", () => {
    const { operations: plain } = createTestStacks();
    const found = resourcesOf(plain.observability, "AWS::CloudWatch::Alarm").values();
    const count = JSON.stringify([...found]).match(/"MetricName"/g)?.length;
    expect(count).toBe(ALARM_METRICS);
    const sum = idleCost().reduce((total, { usd }) => total + usd, 0);
    expect(readFileSync("docs/cost.md", "utf8")).toContain(`| **${sum.toFixed(2)}** |`);
  });

  test("can do without alarms and dashboards", () => {
    const { operations: quiet } = createTestStacks({
      observability: { alarms: false, dashboards: false },
    });
    const template = Template.fromStack(quiet.observability);
    template.resourceCountIs("AWS::CloudWatch::Alarm", 0);
    template.resourceCountIs("AWS::CloudWatch::Dashboard", 0);
  });
});
