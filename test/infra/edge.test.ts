import { Match, Template } from "aws-cdk-lib/assertions";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { ConfigError } from "../../infra/config/load.ts";
import type { ConfigInput } from "../../infra/config/schema.ts";
import { createTestStacks, normalisedTemplate, resourcesOf, stackOf } from "./support.ts";

const DOMAIN: ConfigInput["edge"] = {
  domain: {
    name: "packages.example.com",
    certificateArn: "arn:aws:acm:us-east-1:111122223333:certificate/abc-def",
    hostedZone: { id: "Z123", name: "example.com" },
  },
};

describe("the edge stack", () => {
  const { app, operations, storage } = createTestStacks({ edge: {}, encryption: "customer" });
  const template = Template.fromStack(stackOf(app, "entrepot-edge"));

  test("is as it was", () => {
    expect(normalisedTemplate(stackOf(app, "entrepot-edge"))).toMatchSnapshot();
  });

  test("caches nothing and lets every method and header but Host through to the API", () => {
    template.hasResourceProperties("AWS::CloudFront::Distribution", {
      DistributionConfig: {
        DefaultCacheBehavior: Match.objectLike({
          TargetOriginId: "api",
          ViewerProtocolPolicy: "redirect-to-https",
          AllowedMethods: ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"],
          // https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html
          CachePolicyId: "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
          OriginRequestPolicyId: "b689b0a8-53d0-40ab-baf2-68738e2966ac",
          FunctionAssociations: [Match.objectLike({ EventType: "viewer-request" })],
        }),
        CacheBehaviors: Match.arrayWith([
          Match.objectLike({
            PathPattern: "/v2/*/blobs/uploads/*",
            TargetOriginId: "api",
            FunctionAssociations: [
              Match.objectLike({ EventType: "viewer-request" }),
              Match.objectLike({ EventType: "viewer-response" }),
            ],
          }),
        ]),
      },
    });
  });

  test("says to the API, by a secret that both get from one place, that a request came this way", () => {
    const { api } = createTestStacks({ edge: {} });
    expect(Template.fromStack(api).findResources("AWS::SecretsManager::Secret")).not.toEqual({});
    const { Origins } = z
      .object({ Origins: z.array(z.looseObject({ Id: z.string() })) })
      .parse(
        Object.values(template.findResources("AWS::CloudFront::Distribution"))[0]?.["Properties"]
          .DistributionConfig,
      );
    for (const origin of Origins) {
      const headers = JSON.stringify(origin["OriginCustomHeaders"] ?? []);
      expect(headers.includes("{{resolve:secretsmanager:"), origin.Id).toBe(origin.Id === "api");
      if (origin.Id === "api") expect(headers).toContain("x-entrepot-edge");
    }
    for (const { Properties } of resourcesOf(api, "AWS::Lambda::Function").values()) {
      const environment = JSON.stringify(Properties["Environment"]);
      expect(environment).toContain("{{resolve:secretsmanager:");
      expect(environment).not.toContain("ENTREPOT_EDGE_ONLY");
    }
  });

  test("has no way around its web ACL, and no secret where there is no edge", () => {
    const guarded = createTestStacks({ edge: { waf: true } });
    for (const { Properties } of resourcesOf(guarded.api, "AWS::Lambda::Function").values()) {
      expect(JSON.stringify(Properties["Environment"])).toContain('"ENTREPOT_EDGE_ONLY":"true"');
    }
    const open = Template.fromStack(createTestStacks().api);
    open.resourceCountIs("AWS::SecretsManager::Secret", 0);
  });

  test("signs whatever goes to the bucket, whose policy lets it put uploads and nothing else", () => {
    template.hasResourceProperties("AWS::CloudFront::OriginAccessControl", {
      OriginAccessControlConfig: Match.objectLike({
        OriginAccessControlOriginType: "s3",
        SigningBehavior: "always",
        SigningProtocol: "sigv4",
      }),
    });
    template.hasResourceProperties("AWS::CloudFront::Distribution", {
      DistributionConfig: {
        Origins: Match.arrayWith([
          Match.objectLike({ Id: "uploads", OriginAccessControlId: Match.anyValue() }),
        ]),
      },
    });
    const policies = Template.fromStack(storage).findResources("AWS::S3::BucketPolicy");
    const [policy] = Object.values(policies);
    const statements: readonly Record<string, unknown>[] =
      policy?.["Properties"].PolicyDocument.Statement;
    const ours = statements.filter(({ Principal }) =>
      JSON.stringify(Principal).includes("cloudfront"),
    );
    expect(ours).toHaveLength(1);
    expect(ours[0]).toMatchObject({
      Effect: "Allow",
      Action: "s3:PutObject",
      Condition: { StringEquals: { "aws:SourceAccount": "111122223333" } },
    });
    expect(JSON.stringify(ours[0]?.["Resource"])).toContain("/staging/direct/*");
  });

  test("may use the customer's key for uploads of this account's distributions only", () => {
    Template.fromStack(storage).hasResourceProperties("AWS::KMS::Key", {
      KeyPolicy: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Sid: "EdgeUploads",
            Principal: { Service: "cloudfront.amazonaws.com" },
            Condition: Match.objectLike({ StringEquals: { "aws:SourceAccount": "111122223333" } }),
          }),
        ]),
      },
    });
  });

  test("keeps no secret in its template: the store is made empty", () => {
    const stores = template.findResources("AWS::CloudFront::KeyValueStore");
    for (const { Properties } of Object.values(stores)) {
      expect(Object.keys(Properties).sort()).toEqual(["Comment", "Name"]);
    }
    expect(operations.edge?.url).toMatch(/^https:\/\//);
  });

  test("has a name, a certificate, TLS 1.2 and a web ACL where options say so", () => {
    const all = createTestStacks({ edge: { ...DOMAIN, waf: true } });
    const edge = Template.fromStack(stackOf(all.app, "entrepot-edge"));
    edge.hasResourceProperties("AWS::CloudFront::Distribution", {
      DistributionConfig: Match.objectLike({
        Aliases: ["packages.example.com"],
        ViewerCertificate: Match.objectLike({ MinimumProtocolVersion: "TLSv1.2_2021" }),
        WebACLId: Match.anyValue(),
      }),
    });
    edge.resourceCountIs("AWS::Route53::RecordSet", 2);
    const acl = stackOf(all.app, "entrepot-web-acl");
    expect(acl.region).toBe("us-east-1");
    expect(normalisedTemplate(acl)).toMatchSnapshot();
    const [api] = Object.values(Template.fromStack(all.api).findResources("AWS::Lambda::Function"));
    expect(api?.["Properties"].Environment.Variables).toMatchObject({
      ENTREPOT_BASE_URL: "https://packages.example.com",
      ENTREPOT_EDGE: "1",
    });
  });

  test("is not there unless asked for, and ingest is refused without it", () => {
    const { app: plain, operations: none } = createTestStacks();
    expect(plain.node.tryFindChild("entrepot-edge")).toBeUndefined();
    expect(none.edge).toBeUndefined();
    expect(() => createTestStacks({ ingest: {} })).toThrow(ConfigError);
  });
});
