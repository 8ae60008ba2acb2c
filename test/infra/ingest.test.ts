import { existsSync, readFileSync } from "node:fs";
import { Match, Template } from "aws-cdk-lib/assertions";
import { describe, expect, test } from "vitest";
import { loadConfig } from "../../cli/serve/config.ts";
import { createTestStacks, normalisedTemplate, resourcesOf, stackOf } from "./support.ts";

describe("the ingest stack", () => {
  const { app } = createTestStacks({ edge: {}, ingest: {} });
  const stack = stackOf(app, "entrepot-ingest");
  const template = Template.fromStack(stack);

  test("is as it was", () => {
    expect(normalisedTemplate(stack)).toMatchSnapshot();
  });

  test("is reached through CloudFront only: an internal balancer, and tasks that take from it alone", () => {
    template.hasResourceProperties("AWS::ElasticLoadBalancingV2::LoadBalancer", {
      Scheme: "internal",
      LoadBalancerAttributes: Match.arrayWith([
        { Key: "routing.http.drop_invalid_header_fields.enabled", Value: "true" },
      ]),
    });
    template.hasResourceProperties("AWS::EC2::SecurityGroupIngress", {
      FromPort: 8080,
      SourceSecurityGroupId: Match.anyValue(),
    });
    Template.fromStack(stackOf(app, "entrepot-edge")).hasResourceProperties(
      "AWS::CloudFront::Distribution",
      {
        DistributionConfig: {
          Origins: Match.arrayWith([
            Match.objectLike({ Id: "ingest", VpcOriginConfig: Match.anyValue() }),
          ]),
        },
      },
    );
  });

  test("keeps its logs as the functions do: for as long, under the same key, and no longer than the stack", () => {
    const { app: encrypted } = createTestStacks({ edge: {}, ingest: {}, encryption: "customer" });
    const logs = [
      ...resourcesOf(stackOf(encrypted, "entrepot-ingest"), "AWS::Logs::LogGroup").values(),
    ];
    expect(logs).toHaveLength(2);
    for (const { Properties, DeletionPolicy } of logs) {
      expect(Properties).toMatchObject({ RetentionInDays: 30, KmsKeyId: expect.anything() });
      expect(DeletionPolicy).toBe("Delete");
    }
  });

  test("costs nothing for NAT, and its bytes go by gateway endpoints", () => {
    template.resourceCountIs("AWS::EC2::NatGateway", 0);
    template.resourceCountIs("AWS::EC2::VPCEndpoint", 2);
    template.allResourcesProperties("AWS::EC2::VPCEndpoint", { VpcEndpointType: "Gateway" });
  });

  test("scales from nothing to two tasks", () => {
    template.hasResourceProperties("AWS::ApplicationAutoScaling::ScalableTarget", {
      MinCapacity: 0,
      MaxCapacity: 2,
    });
    template.hasResourceProperties("AWS::ECS::Service", { DesiredCount: 0 });
    template.hasResourceProperties("AWS::CloudWatch::Alarm", {
      MetricName: "HTTPCode_ELB_503_Count",
    });
  });

  test("runs the image of the repository on arm64 with a read-only root, over the deployment's stores", () => {
    template.hasResourceProperties("AWS::ECS::TaskDefinition", {
      RuntimePlatform: { CpuArchitecture: "ARM64", OperatingSystemFamily: "LINUX" },
      ContainerDefinitions: [
        Match.objectLike({
          ReadonlyRootFilesystem: true,
          Environment: Match.arrayWith([
            { Name: "ENTREPOT_STORES", Value: "aws" },
            { Name: "ENTREPOT_TRUST_PROXY", Value: "true" },
          ]),
        }),
      ],
    });
  });

  test("has tasks that may not delete objects", () => {
    const policies = JSON.stringify([...resourcesOf(stack, "AWS::IAM::Policy").values()]);
    expect(policies).toContain("s3:PutObject");
    expect(policies).not.toContain("s3:Delete");
    expect(policies).not.toContain("kms:Sign");
  });
});

describe("the Dockerfile", () => {
  const lines = readFileSync("Dockerfile", "utf8").split("\n");
  const ignored = readFileSync(".dockerignore", "utf8").split("\n");

  test("copies only what exists and is not ignored", () => {
    const copied = lines
      .filter((line) => line.startsWith("COPY ") && !line.includes("--from"))
      .flatMap((line) => line.split(/\s+/).slice(1, -1));
    expect(copied.length).toBeGreaterThan(3);
    for (const path of copied) {
      expect(existsSync(path), path).toBe(true);
      expect(ignored).toContain(`!${path}`);
    }
    expect(ignored).toContain("*");
  });

  test("starts a server that its variables configure, and not as root", () => {
    const variables = Object.fromEntries(
      lines.flatMap((line) => {
        const [, name, value] = /\b(ENTREPOT_[A-Z_]+)=(\S+)/.exec(line) ?? [];
        return name === undefined || value === undefined ? [] : [[name, value]];
      }),
    );
    const config = loadConfig({}, { ...variables, ENTREPOT_STORES: "aws" });
    expect(config).toMatchObject({ host: "0.0.0.0", port: 8080, data: "/data", log: "json" });
    expect(lines).toContain("USER node");
    expect(lines.at(-2)).toBe('CMD ["node", "cli/main.ts", "serve"]');
  });
});
