import { Stack, type StackProps } from "aws-cdk-lib";
import { CfnWebACL } from "aws-cdk-lib/aws-wafv2";
import type { Construct } from "constructs";

/** Above what a company's CI behind one address does in five minutes: one npm install asks for thousands. */
const REQUESTS_PER_ADDRESS = 100_000;

/**
 * What guards the edge when `edge.waf` is on. CloudFront takes web ACLs of us-east-1 only
 * (https://docs.aws.amazon.com/waf/latest/developerguide/how-aws-waf-works-resources.html).
 */
export class WebAclStack extends Stack {
  readonly webAclArn: string;

  constructor(scope: Construct, id: string, props: StackProps) {
    super(scope, id, {
      ...props,
      env: { ...props.env, region: "us-east-1" },
      crossRegionReferences: true,
    });
    const acl = new CfnWebACL(this, "WebAcl", {
      scope: "CLOUDFRONT",
      defaultAction: { allow: {} },
      visibilityConfig: visibility("WebAcl"),
      rules: [
        managed("AWSManagedRulesAmazonIpReputationList", 0),
        managed("AWSManagedRulesKnownBadInputsRuleSet", 1),
        {
          name: "RatePerAddress",
          priority: 2,
          action: { block: {} },
          statement: {
            rateBasedStatement: { aggregateKeyType: "IP", limit: REQUESTS_PER_ADDRESS },
          },
          visibilityConfig: visibility("RatePerAddress"),
        },
      ],
    });
    this.webAclArn = acl.attrArn;
  }
}

/** Not the common rule set: it refuses bodies above 8 KB, which is every publish. */
function managed(name: string, priority: number): CfnWebACL.RuleProperty {
  return {
    name,
    priority,
    overrideAction: { none: {} },
    statement: { managedRuleGroupStatement: { vendorName: "AWS", name } },
    visibilityConfig: visibility(name),
  };
}

const visibility = (metricName: string): CfnWebACL.VisibilityConfigProperty => ({
  metricName,
  cloudWatchMetricsEnabled: true,
  // Samples would hold the paths of private packages.
  sampledRequestsEnabled: false,
});
