import { RemovalPolicy, Stack, Validations } from "aws-cdk-lib";
import { AccessLogFormat } from "aws-cdk-lib/aws-apigateway";
import {
  CfnStage,
  HttpApi,
  HttpMethod,
  HttpRoute,
  HttpRouteKey,
  HttpStage,
  LogGroupLogDestination,
} from "aws-cdk-lib/aws-apigatewayv2";
import { HttpLambdaIntegration } from "aws-cdk-lib/aws-apigatewayv2-integrations";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import type { Config } from "../config/schema.ts";
import { PROTOCOL_FUNCTIONS } from "../functions.ts";
import { logRetention } from "./log-retention.ts";

/** Paths outside the protocols' prefixes, answered by the management API's function. */
const OTHER_PATHS = ["/healthz", "/readyz"];

interface ApiOptions {
  readonly config: Config;
  readonly dataKey: IKey | undefined;
  readonly functionOf: (protocol: string) => IFunction;
}

/** One HTTP API with the routes of every protocol; what matches none of them costs no invocation. */
export function createApi(
  stack: Stack,
  options: ApiOptions,
): { readonly api: HttpApi; readonly stage: HttpStage } {
  const { config } = options;
  const api = new HttpApi(stack, "Api", {
    apiName: config.name,
    description: `${config.name}: package registry`,
    createDefaultStage: false,
    // No CORS: package clients are no browsers, and pages of ours come from this origin. Allowing another origin
    // would let its pages act with whatever credentials a browser holds for this one.
    disableExecuteApiEndpoint: config.domain !== undefined,
  });
  const routes = addRoutes(stack, api, options);
  const stage = new HttpStage(stack, "Stage", {
    httpApi: api,
    stageName: "$default",
    autoDeploy: true,
    throttle: {
      rateLimit: config.throttle.default.requestsPerSecond,
      burstLimit: config.throttle.default.burst,
    },
    accessLogSettings: {
      destination: new LogGroupLogDestination(accessLog(stack, options)),
      format: ACCESS_LOG_FORMAT,
    },
  });
  throttleRoutes(stage, routes, config);
  return { api, stage };
}

interface ProtocolRoute {
  readonly protocol: string;
  readonly key: string;
  readonly route: HttpRoute;
}

function addRoutes(stack: Stack, api: HttpApi, options: ApiOptions): readonly ProtocolRoute[] {
  const prefixes = PROTOCOL_FUNCTIONS.flatMap(({ name, prefix, paths }) => [
    // Both, because API Gateway takes `/v2/` for the one or for the other, and every push begins with it.
    { protocol: name, path: prefix },
    { protocol: name, path: `${prefix}/{proxy+}` },
    ...paths.map((path) => ({ protocol: name, path })),
  ]);
  const others = OTHER_PATHS.map((path) => ({ protocol: "api", path }));
  const integrations = new Map(
    PROTOCOL_FUNCTIONS.map(({ name }) => [
      name,
      new HttpLambdaIntegration(`${name}-integration`, options.functionOf(name)),
    ]),
  );
  return [...prefixes, ...others].map(({ protocol, path }) => {
    const integration = integrations.get(protocol);
    if (integration === undefined) throw new Error(`Nothing answers ${path}.`);
    const routeKey = HttpRouteKey.with(path, HttpMethod.ANY);
    const route = new HttpRoute(stack, `Route${path}`, { httpApi: api, integration, routeKey });
    Validations.of(route).acknowledge({
      id: "AwsSolutions-APIG4",
      reason:
        "Package clients send tokens of the registry's own, in as many ways as there are protocols, and public registries answer without any: the function decides.",
    });
    return { protocol, key: `ANY ${path}`, route };
  });
}

/** Rates of single protocols, where the configuration has them. */
function throttleRoutes(stage: HttpStage, routes: readonly ProtocolRoute[], config: Config): void {
  const resource = stage.node.defaultChild;
  if (!(resource instanceof CfnStage)) throw new Error("The stage has no resource.");
  const settings = routes.flatMap(({ protocol, key }) => {
    const rate = config.throttle.protocols[protocol] ?? config.throttle.default;
    return [
      [
        key,
        { ThrottlingRateLimit: rate.requestsPerSecond, ThrottlingBurstLimit: rate.burst },
      ] as const,
    ];
  });
  resource.routeSettings = Object.fromEntries(settings);
  // Settings of a route that does not exist yet are refused.
  for (const { route } of routes) stage.node.addDependency(route);
}

function accessLog(stack: Stack, { config, dataKey }: ApiOptions): LogGroup {
  return new LogGroup(stack, "AccessLog", {
    retention: logRetention(config.logRetentionDays),
    removalPolicy: RemovalPolicy.DESTROY,
    ...(dataKey === undefined ? {} : { encryptionKey: dataKey }),
  });
}

/**
 * One line of JSON for a request. Neither query nor headers: tickets and tokens travel there
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html).
 */
const ACCESS_LOG_FORMAT = AccessLogFormat.custom(
  JSON.stringify({
    time: "$context.requestTimeEpoch",
    requestId: "$context.requestId",
    address: "$context.identity.sourceIp",
    method: "$context.httpMethod",
    route: "$context.routeKey",
    path: "$context.path",
    status: "$context.status",
    bytes: "$context.responseLength",
    milliseconds: "$context.responseLatency",
    functionMilliseconds: "$context.integration.latency",
    error: "$context.error.message",
    integrationError: "$context.integration.error",
    client: "$context.identity.userAgent",
  }),
);
