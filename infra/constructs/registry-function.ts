import { join } from "node:path";
import { Duration, RemovalPolicy, Size, Stack, Validations } from "aws-cdk-lib";
import { PolicyDocument, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import {
  Architecture,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  Tracing,
} from "aws-cdk-lib/aws-lambda";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import * as z from "zod";
import { type ResourceName, rightsOf } from "../access/matrix.ts";
import {
  accessOptionsOf,
  arnsOf,
  configuredArns,
  type ResourceArns,
  statementsOf,
  wildcardReasons,
} from "../access/resources.ts";
import type { Config } from "../config/schema.ts";
import { BUNDLES_FOLDER, type FunctionSpec } from "../functions.ts";
import type { StorageStack } from "../stacks/storage-stack.ts";
import { functionEnvironment } from "./environment.ts";
import { logRetention } from "./log-retention.ts";

export interface RegistryFunctionProps {
  readonly spec: FunctionSpec;
  readonly config: Config;
  readonly storage: StorageStack;
  /** What the function may reach beyond the storage stack. */
  readonly queues?: Pick<
    ResourceArns,
    "indexQueue" | "webhookQueue" | "fetchQueue" | "streamFailures"
  >;
  /** Beyond what every function is told. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Every function is made here, from its line in the function table and its rights in the matrix. */
export class RegistryFunction extends Construct {
  readonly function: LambdaFunction;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: RegistryFunctionProps) {
    super(scope, id);
    const { spec, config, storage } = props;
    const logGroup = new LogGroup(this, "Logs", {
      retention: logRetention(config.logRetentionDays),
      removalPolicy: RemovalPolicy.DESTROY,
      ...(storage.dataKey === undefined ? {} : { encryptionKey: storage.dataKey }),
    });
    this.role = createRole(this, props, logGroup.logGroupArn);
    this.function = new LambdaFunction(this, "Function", {
      description: `${config.name}: ${spec.name}`,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: Code.fromAsset(join(bundlesFolder(this), spec.name)),
      handler: "index.handler",
      memorySize: spec.memoryMb,
      timeout: Duration.seconds(spec.timeoutSeconds),
      // A tarball is read as a stream; what a protocol spools to disk is at most a body that Lambda takes.
      ephemeralStorageSize: Size.mebibytes(512),
      // The role is whole already: whatever a construct would add to it is in the matrix, or is not wanted.
      role: this.role.withoutPolicyUpdates(),
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      tracing: config.tracing ? Tracing.ACTIVE : Tracing.DISABLED,
      environment: { ...functionEnvironment(spec, config, storage), ...props.environment },
      ...(config.reservedConcurrency === undefined || spec.kind === "worker"
        ? {}
        : { reservedConcurrentExecutions: config.reservedConcurrency }),
    });
  }
}

/** `-c bundles=<folder>` says where bundles are that were not made by `npm run bundle`. */
function bundlesFolder(scope: Construct): string {
  return z.string().default(BUNDLES_FOLDER).parse(scope.node.tryGetContext("bundles"));
}

function createRole(scope: Construct, props: RegistryFunctionProps, logGroupArn: string): Role {
  const stack = Stack.of(scope);
  const { config } = props;
  const arns: ResourceArns = {
    ...props.storage.arns,
    ...props.queues,
    ...configuredArns(config),
  };
  const rights = rightsOf(props.spec, accessOptionsOf(config));
  const arnsOfName = (name: ResourceName): readonly string[] => arnsOf(name, arns, logGroupArn);
  const role = new Role(scope, "Role", {
    assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
    description: `${config.name}: what docs/security.md grants to ${props.spec.name}`,
    inlinePolicies: {
      matrix: new PolicyDocument({
        // One statement for each entry of the matrix, as it is written there.
        minimize: false,
        statements: statementsOf(rights, arnsOfName),
      }),
    },
  });
  const names = rights.map(({ resource }) => resource);
  for (const finding of wildcardReasons(stack, names, arnsOfName)) {
    Validations.of(role).acknowledge(finding);
  }
  return role;
}
