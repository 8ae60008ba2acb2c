import { fileURLToPath } from "node:url";
import {
  Duration,
  IgnoreMode,
  RemovalPolicy,
  Stack,
  type StackProps,
  Validations,
} from "aws-cdk-lib";
import { AdjustmentType } from "aws-cdk-lib/aws-applicationautoscaling";
import { MathExpression } from "aws-cdk-lib/aws-cloudwatch";
import {
  FlowLogDestination,
  FlowLogTrafficType,
  GatewayVpcEndpointAwsService,
  IpAddresses,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from "aws-cdk-lib/aws-ec2";
import { Platform } from "aws-cdk-lib/aws-ecr-assets";
import {
  Cluster,
  ContainerImage,
  ContainerInsights,
  CpuArchitecture,
  FargateService,
  FargateTaskDefinition,
  LogDriver,
  OperatingSystemFamily,
} from "aws-cdk-lib/aws-ecs";
import {
  ApplicationLoadBalancer,
  ApplicationProtocol,
  type ApplicationTargetGroup,
  HttpCodeElb,
} from "aws-cdk-lib/aws-elasticloadbalancingv2";
import type { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { LogGroup, type LogGroupProps, type RetentionDays } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import { asCluster, asVpc } from "../constructs/cdk-interfaces.ts";
import type { WildcardReason } from "../access/resources.ts";
import { type IngestConfig, TASK_SIZES } from "../config/ingest.ts";

const PORT = 8080;
/** Requests of one task at a time; each streams into the bucket with 8 MiB of buffer. */
const REQUESTS_PER_TASK_AND_MINUTE = 300;
const IDLE_MINUTES = 30;
/** Longer than an upload may hold still. */
const IDLE_TIMEOUT = Duration.seconds(120);
/** The server ends within 30 s of being told to. */
const STOP_TIMEOUT = Duration.seconds(60);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface IngestStackProps extends StackProps {
  readonly config: IngestConfig;
  /** As for the functions: names of the table, the bucket and the keys. */
  readonly environment: Readonly<Record<string, string>>;
  /** What the tasks may do; the same rights as the OCI function's. */
  readonly statements: readonly PolicyStatement[];
  /** Why some of those name more than one resource. */
  readonly wildcards: readonly WildcardReason[];
  readonly logRetention: RetentionDays;
  /** Encrypts the logs. Absent: CloudWatch's own key does. */
  readonly dataKey: IKey | undefined;
}

/**
 * The embedded server's code over DynamoDB and S3 in a container, for uploads of unknown length. Without NAT: tasks
 * have addresses of their own that nothing can connect to, because an hour of NAT costs more than an hour of a task.
 */
export class IngestStack extends Stack {
  readonly loadBalancer: ApplicationLoadBalancer;
  readonly service: FargateService;
  readonly targets: ApplicationTargetGroup;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, props: IngestStackProps) {
    super(scope, id, props);
    const vpc = this.#network(props);
    const balancerGroup = new SecurityGroup(this, "BalancerGroup", {
      vpc,
      allowAllOutbound: false,
    });
    balancerGroup.addIngressRule(Peer.anyIpv4(), Port.tcp(80), "CloudFront's VPC origin");
    Validations.of(balancerGroup).acknowledge({
      id: "AwsSolutions-EC23",
      reason:
        "The balancer has no public address and its subnets no route to the internet: only CloudFront's VPC origin reaches it. That one's prefix list is known by a look-up in the account only, and the template must not need one.",
    });
    this.loadBalancer = new ApplicationLoadBalancer(this, "Balancer", {
      vpc,
      internetFacing: false,
      vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
      securityGroup: balancerGroup,
      idleTimeout: IDLE_TIMEOUT,
      dropInvalidHeaderFields: true,
    });
    this.logGroup = new LogGroup(this, "Log", logOptions(props));
    const taskGroup = new SecurityGroup(this, "TaskGroup", { vpc });
    taskGroup.addIngressRule(balancerGroup, Port.tcp(PORT), "The load balancer");
    balancerGroup.addEgressRule(taskGroup, Port.tcp(PORT), "The tasks");
    this.service = new FargateService(this, "Service", {
      cluster: asCluster(
        new Cluster(this, "Cluster", { vpc, containerInsightsV2: ContainerInsights.DISABLED }),
      ),
      taskDefinition: this.#task(props),
      desiredCount: props.config.minTasks,
      assignPublicIp: true,
      vpcSubnets: { subnetType: SubnetType.PUBLIC },
      securityGroups: [taskGroup],
      circuitBreaker: { rollback: true },
      minHealthyPercent: 100,
    });
    this.targets = this.#listen();
    this.#scale(props.config);
    this.#acknowledge();
  }

  #network(props: IngestStackProps): IVpc {
    const vpc = new Vpc(this, "Vpc", {
      ipAddresses: IpAddresses.cidr("10.70.0.0/22"),
      maxAzs: 2,
      natGateways: 0,
      subnetConfiguration: [
        { name: "tasks", subnetType: SubnetType.PUBLIC, cidrMask: 24 },
        { name: "balancer", subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 26 },
      ],
    });
    // The bytes go this way, for nothing.
    vpc.addGatewayEndpoint("S3", { service: GatewayVpcEndpointAwsService.S3 });
    vpc.addGatewayEndpoint("DynamoDb", { service: GatewayVpcEndpointAwsService.DYNAMODB });
    vpc.addFlowLog("Rejected", {
      destination: FlowLogDestination.toCloudWatchLogs(
        new LogGroup(this, "FlowLog", logOptions(props)),
      ),
      trafficType: FlowLogTrafficType.REJECT,
    });
    return asVpc(vpc);
  }

  #task({ config, environment, statements, wildcards }: IngestStackProps): FargateTaskDefinition {
    const { cpu, memoryMiB } = TASK_SIZES[config.size];
    const task = new FargateTaskDefinition(this, "Task", {
      cpu,
      memoryLimitMiB: memoryMiB,
      runtimePlatform: {
        cpuArchitecture: CpuArchitecture.ARM64,
        operatingSystemFamily: OperatingSystemFamily.LINUX,
      },
    });
    for (const statement of statements) task.addToTaskRolePolicy(statement);
    Validations.of(task.taskRole).acknowledge(...wildcards);
    Validations.of(task.obtainExecutionRole()).acknowledge({
      id: "AwsSolutions-IAM5[Resource::*]",
      reason: "ecr:GetAuthorizationToken knows no resource.",
    });
    task.addContainer("ingest", {
      // .dockerignore says what belongs to it.
      image: ContainerImage.fromAsset(ROOT, {
        platform: Platform.LINUX_ARM64,
        ignoreMode: IgnoreMode.DOCKER,
      }),
      environment: {
        ...environment,
        AWS_REGION: this.region,
        ENTREPOT_STORES: "aws",
        ENTREPOT_TRUST_PROXY: "true",
        // CloudFront and the load balancer.
        ENTREPOT_PROXIES: "2",
      },
      portMappings: [{ containerPort: PORT }],
      logging: LogDriver.awsLogs({ streamPrefix: "ingest", logGroup: this.logGroup }),
      readonlyRootFilesystem: true,
      stopTimeout: STOP_TIMEOUT,
    });
    return task;
  }

  #listen(): ApplicationTargetGroup {
    const listener = this.loadBalancer.addListener("Http", {
      port: 80,
      protocol: ApplicationProtocol.HTTP,
      open: false,
    });
    return listener.addTargets("Tasks", {
      port: PORT,
      protocol: ApplicationProtocol.HTTP,
      targets: [this.service],
      deregistrationDelay: STOP_TIMEOUT,
      healthCheck: { path: "/readyz", interval: Duration.seconds(15), healthyThresholdCount: 2 },
    });
  }

  /**
   * From nothing to one when a request was refused because there is no task (the load balancer's own 503), back to
   * the least after half an hour without one; between them by requests.
   */
  #scale({ minTasks, maxTasks }: IngestConfig): void {
    const scaling = this.service.autoScaleTaskCount({
      minCapacity: minTasks,
      maxCapacity: maxTasks,
    });
    const minute = Duration.minutes(1);
    if (minTasks === 0) {
      scaling.scaleOnMetric("Wake", {
        metric: this.loadBalancer.metrics.httpCodeElb(HttpCodeElb.ELB_503_COUNT, {
          period: minute,
          statistic: "Sum",
        }),
        scalingSteps: [
          { lower: 1, change: 1 },
          { lower: 100, change: 1 },
        ],
        adjustmentType: AdjustmentType.CHANGE_IN_CAPACITY,
        cooldown: Duration.minutes(3),
      });
    }
    // The balancer says nothing, instead of nought, of minutes without a request.
    const requests = (period: Duration): MathExpression =>
      new MathExpression({
        expression: "FILL(requests, 0)",
        usingMetrics: {
          requests: this.loadBalancer.metrics.requestCount({ period, statistic: "Sum" }),
        },
        period,
      });
    scaling.scaleOnMetric("Load", {
      metric: requests(minute),
      scalingSteps: [
        { lower: REQUESTS_PER_TASK_AND_MINUTE, change: 1 },
        { lower: REQUESTS_PER_TASK_AND_MINUTE * 3, change: 2 },
      ],
      adjustmentType: AdjustmentType.CHANGE_IN_CAPACITY,
      cooldown: Duration.minutes(2),
    });
    scaling.scaleOnMetric("Idle", {
      metric: requests(Duration.minutes(IDLE_MINUTES)),
      scalingSteps: [
        { upper: 1, change: minTasks },
        // Scaling wants a second step; no half hour has so many requests.
        { lower: 1e12, change: maxTasks },
      ],
      adjustmentType: AdjustmentType.EXACT_CAPACITY,
    });
  }

  #acknowledge(): void {
    Validations.of(this.loadBalancer).acknowledge({
      id: "AwsSolutions-ELB2",
      reason:
        "The server behind it logs every request with its id; the balancer's log would need a bucket more.",
    });
    Validations.of(this).acknowledge(
      {
        id: "AwsSolutions-ECS2",
        reason:
          "What stands in the environment are names of resources. There is no secret to keep elsewhere.",
      },
      {
        id: "AwsSolutions-ECS4",
        reason:
          "Container Insights costs more than an idle ingest; the balancer's and the server's metrics suffice.",
      },
    );
  }
}

function logOptions({ logRetention, dataKey }: IngestStackProps): LogGroupProps {
  return {
    retention: logRetention,
    // As those of the functions: what is to be kept is in the audit log.
    removalPolicy: RemovalPolicy.DESTROY,
    ...(dataKey === undefined ? {} : { encryptionKey: dataKey }),
  };
}
