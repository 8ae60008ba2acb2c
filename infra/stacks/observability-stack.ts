import { Stack, type StackProps } from "aws-cdk-lib";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import type { Construct } from "constructs";
import type { ObservabilityConfig } from "../config/observability.ts";
import { AlarmBoard } from "../observability/alarm-board.ts";
import { addAlarms } from "../observability/alarms.ts";
import { addDashboards } from "../observability/dashboards.ts";
import type { Watched } from "../observability/watched.ts";

export interface ObservabilityStackProps extends StackProps {
  readonly config: ObservabilityConfig;
  /** Begins the names of alarms and dashboards. */
  readonly name: string;
  readonly watched: Watched;
}

/** Dashboards, alarms, and the topic that tells of them. */
export class ObservabilityStack extends Stack {
  readonly topic: Topic;

  constructor(scope: Construct, id: string, props: ObservabilityStackProps) {
    super(scope, id, props);
    const { config, name, watched } = props;
    this.topic = new Topic(this, "Alarms", {
      displayName: `${name} alarms`,
      // Not encrypted by a key: CloudWatch could not use AWS' own, and alarms hold no names of packages or people.
      enforceSSL: true,
    });
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal("cloudwatch.amazonaws.com")],
        actions: ["sns:Publish"],
        resources: [this.topic.topicArn],
        conditions: { StringEquals: { "aws:SourceAccount": this.account } },
      }),
    );
    if (config.alarmEmail !== undefined) {
      this.topic.addSubscription(new EmailSubscription(config.alarmEmail));
    }
    const board = new AlarmBoard(this, name, new SnsAction(this.topic));
    if (config.alarms) addAlarms(board, watched);
    if (config.dashboards) addDashboards(this, name, watched, board.alarms);
  }
}
