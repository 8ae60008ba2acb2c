import { Match, Template } from "aws-cdk-lib/assertions";
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { describe, expect, test } from "vitest";
import { PROTOCOLS } from "../../functions/protocols.ts";
import { createTestStacks, EVERYTHING, resourcesOf } from "./support.ts";

describe("the API stack without options", () => {
  const { api } = createTestStacks();
  const template = Template.fromStack(api);

  test("has a function and routes for every protocol that the embedded server has", () => {
    const routes = Array.from(
      resourcesOf(api, "AWS::ApiGatewayV2::Route").values(),
      ({ Properties }) => Properties["RouteKey"],
    );
    const prefixes = PROTOCOLS.flatMap(({ prefix, paths = [] }) => [
      `ANY ${prefix}`,
      `ANY ${prefix}/{proxy+}`,
      ...paths.map((path) => `ANY ${path}`),
    ]);
    expect(new Set(routes)).toEqual(new Set([...prefixes, "ANY /healthz", "ANY /readyz"]));
    expect([...api.functions.keys()]).toEqual(PROTOCOLS.map(({ name }) => name));
  });

  test("runs functions on arm64 and Node 24, traced, with a log group that forgets", () => {
    const functions = [...resourcesOf(api, "AWS::Lambda::Function").values()];
    expect(functions).toHaveLength(PROTOCOLS.length);
    for (const { Properties } of functions) {
      expect(Properties).toMatchObject({
        Architectures: ["arm64"],
        Runtime: "nodejs24.x",
        Handler: "index.handler",
        Timeout: 29,
        TracingConfig: { Mode: "Active" },
        LoggingConfig: { LogFormat: "JSON", LogGroup: expect.anything() },
      });
      expect(Properties).not.toHaveProperty("VpcConfig");
      expect(Properties).not.toHaveProperty("ReservedConcurrentExecutions");
    }
    template.allResourcesProperties("AWS::Logs::LogGroup", { RetentionInDays: 30 });
  });

  test("tells a function its keys only when it may use them", () => {
    const variables = new Map(
      Array.from(resourcesOf(api, "AWS::Lambda::Function").values(), ({ Properties }) => {
        const { Variables } = Object(Properties["Environment"]);
        return [Object(Variables).POWERTOOLS_SERVICE_NAME, Object.keys(Object(Variables))];
      }),
    );
    const told = (name: string) => [...variables].filter(([, names]) => names.includes(name));
    expect(told("ENTREPOT_SIGNING_KEY").map(([service]) => service)).toEqual(["api", "npm"]);
    // Every protocol asks upstreams, whose secrets are sealed with it.
    expect(told("ENTREPOT_MAC_KEY")).toHaveLength(PROTOCOLS.length);
    expect(told("ENTREPOT_IAM_GRANTS").map(([service]) => service)).toEqual(["api"]);
    expect(told("ENTREPOT_TABLE")).toHaveLength(PROTOCOLS.length);
  });

  test("lets no other origin in, throttles every route, and logs requests without their secrets", () => {
    template.hasResourceProperties("AWS::ApiGatewayV2::Api", {
      ProtocolType: "HTTP",
      CorsConfiguration: Match.absent(),
      DisableExecuteApiEndpoint: false,
    });
    const [stage] = resourcesOf(api, "AWS::ApiGatewayV2::Stage").values();
    expect(stage?.Properties).toMatchObject({
      DefaultRouteSettings: { ThrottlingRateLimit: 500, ThrottlingBurstLimit: 1000 },
      AccessLogSettings: { DestinationArn: expect.anything() },
    });
    const settings = Object(stage?.Properties["RouteSettings"]);
    const paths = PROTOCOLS.flatMap((protocol) => protocol.paths ?? []);
    expect(Object.keys(settings)).toHaveLength(PROTOCOLS.length * 2 + paths.length + 2);
    expect(settings["ANY /npm/{proxy+}"]).toEqual({
      ThrottlingRateLimit: 500,
      ThrottlingBurstLimit: 1000,
    });
    const { Format } = Object(stage?.Properties["AccessLogSettings"]);
    expect(Format).not.toMatch(/queryString|authorizer|header/i);
  });

  test("may be invoked by this API only", () => {
    const permissions = [...resourcesOf(api, "AWS::Lambda::Permission").values()];
    expect(permissions.length).toBeGreaterThan(0);
    for (const { Properties } of permissions) {
      expect(Properties).toMatchObject({ Principal: "apigateway.amazonaws.com" });
      expect(JSON.stringify(Properties["SourceArn"])).toContain("execute-api");
    }
  });
});

describe("the API stack with every option", () => {
  const { api } = createTestStacks(EVERYTHING);
  const template = Template.fromStack(api);

  test("answers under its own name only, with TLS 1.2", () => {
    template.hasResourceProperties("AWS::ApiGatewayV2::Api", { DisableExecuteApiEndpoint: true });
    template.hasResourceProperties("AWS::ApiGatewayV2::DomainName", {
      DomainName: "packages.example.com",
      DomainNameConfigurations: [Match.objectLike({ SecurityPolicy: "TLS_1_2" })],
    });
    template.hasResourceProperties("AWS::Route53::RecordSet", { Name: "packages.example.com." });
    expect(api.url).toBe("https://packages.example.com");
  });

  test("has its own rate for one protocol, and bounds what runs at once", () => {
    const [stage] = resourcesOf(api, "AWS::ApiGatewayV2::Stage").values();
    const settings = Object(stage?.Properties["RouteSettings"]);
    expect(settings["ANY /npm/{proxy+}"]).toEqual({
      ThrottlingRateLimit: 50,
      ThrottlingBurstLimit: 100,
    });
    expect(settings["ANY /v2/{proxy+}"].ThrottlingRateLimit).toBe(500);
    template.allResourcesProperties("AWS::Lambda::Function", { ReservedConcurrentExecutions: 50 });
    template.allResourcesProperties("AWS::Logs::LogGroup", {
      RetentionInDays: 365,
      KmsKeyId: Match.anyValue(),
    });
  });
});

describe("grants to IAM roles", () => {
  const grantsOf = (stacks: ReturnType<typeof createTestStacks>): unknown => {
    for (const { Properties } of resourcesOf(stacks.api, "AWS::Lambda::Function").values()) {
      const { Variables } = Object(Properties["Environment"]);
      const grants = Object(Variables).ENTREPOT_IAM_GRANTS;
      if (grants !== undefined) return JSON.parse(textOf(grants));
    }
    return undefined;
  };
  /** What CloudFormation makes of a text with references: each is its resource's name. */
  const textOf = (value: unknown): string => {
    if (typeof value === "string") return value;
    const { Ref, "Fn::Join": join } = Object(value);
    return Array.isArray(join) ? join[1].map(textOf).join("") : Ref.replace(/[0-9A-F]{8}$/, "");
  };

  test("of the configuration and of constructs reach the management API", () => {
    const stacks = createTestStacks({
      grants: [
        {
          roleArn: "arn:aws:iam::444455556666:role/ci",
          registries: ["npm", "team-*"],
          allow: "publish",
        },
      ],
    });
    const role = new Role(stacks.api, "Job", {
      assumedBy: new ServicePrincipal("ecs-tasks.amazonaws.com"),
    });
    stacks.api.grantPull(role, ["images"]);
    stacks.api.grantPublish(role, ["own"]);
    expect(grantsOf(stacks)).toEqual([
      { account: "444455556666", role: "ci", allow: "publish", registries: ["npm", "team-*"] },
      { account: "111122223333", role: "Job", allow: "pull", registries: ["images"] },
      { account: "111122223333", role: "Job", allow: "publish", registries: ["own"] },
    ]);
  });

  test("must name registries, and must fit a function's environment", () => {
    const stacks = createTestStacks();
    const role = new Role(stacks.api, "Job", {
      assumedBy: new ServicePrincipal("ecs-tasks.amazonaws.com"),
    });
    expect(() => stacks.api.grantPull(role, [])).toThrow('or "*" for all');
    for (let count = 0; count < 40; count++) stacks.api.grantPull(role, ["x".repeat(60)]);
    expect(() => grantsOf(stacks)).toThrow("Use fewer roles, or patterns of registries.");
  });
});
