import { type App, Duration, type Environment } from "aws-cdk-lib";
import { type IMetric, MathExpression, Metric } from "aws-cdk-lib/aws-cloudwatch";
import { HttpCodeElb } from "aws-cdk-lib/aws-elasticloadbalancingv2";
import { type ResourceName, rightsOf } from "../access/matrix.ts";
import {
  accessOptionsOf,
  arnsOf,
  configuredArns,
  statementsOf,
  wildcardReasons,
} from "../access/resources.ts";
import { ConfigError } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { functionEnvironment } from "../constructs/environment.ts";
import { logRetention } from "../constructs/log-retention.ts";
import { allowEdgeUploads } from "../edge/bucket-access.ts";
import { PROTOCOL_FUNCTIONS } from "../functions.ts";
import type { Watched } from "../observability/watched.ts";
import type { ApiStack } from "./api-stack.ts";
import { EdgeStack } from "./edge-stack.ts";
import { IngestStack } from "./ingest-stack.ts";
import { ObservabilityStack } from "./observability-stack.ts";
import type { StorageStack } from "./storage-stack.ts";
import { WebAclStack } from "./web-acl-stack.ts";
import type { WorkersStack } from "./workers-stack.ts";

interface Parts {
  readonly config: Config;
  readonly env: Environment;
  readonly storage: StorageStack;
  readonly api: ApiStack;
  readonly workers: WorkersStack;
}

/** The protocol whose clients stream, and whose rights ingest has. */
const STREAMED_PROTOCOL = "oci";

/** The stacks around the registry itself. Those that are options are absent unless asked for. */
export interface Operations {
  readonly edge?: EdgeStack;
  readonly ingest?: IngestStack;
  readonly observability: ObservabilityStack;
}

/** @throws {ConfigError} for ingest without the edge, through which alone it is reached. */
export function createOperations(app: App, parts: Parts): Operations {
  const { config } = parts;
  if (config.ingest !== undefined && config.edge === undefined) {
    throw new ConfigError("`ingest` needs `edge`: it is reached through CloudFront only.");
  }
  const ingest = createIngest(app, parts);
  const edge = createEdge(app, parts, ingest);
  const observability = new ObservabilityStack(app, `${config.name}-observability`, {
    env: parts.env,
    config: config.observability,
    name: config.name,
    watched: watchedParts(parts, ingest),
  });
  return {
    observability,
    ...(edge === undefined ? {} : { edge }),
    ...(ingest === undefined ? {} : { ingest }),
  };
}

function createIngest(app: App, { config, env, storage }: Parts): IngestStack | undefined {
  if (config.ingest === undefined) return undefined;
  const spec = PROTOCOL_FUNCTIONS.find(({ name }) => name === STREAMED_PROTOCOL);
  if (spec === undefined) throw new Error(`there is no protocol ${STREAMED_PROTOCOL}`);
  // A task streams large files of upstreams through itself.
  const notHere: ReadonlySet<ResourceName> = new Set(["logs", "fetch-queue"]);
  const rights = rightsOf(spec, { ...accessOptionsOf(config), tracing: false }).filter(
    ({ resource }) => !notHere.has(resource),
  );
  const arns = { ...storage.arns, ...configuredArns(config) };
  const arnsOfName = (name: ResourceName): readonly string[] => arnsOf(name, arns, "");
  const ingest = new IngestStack(app, `${config.name}-ingest`, {
    env,
    config: config.ingest,
    environment: functionEnvironment(spec, config, storage),
    statements: statementsOf(rights, arnsOfName),
    wildcards: wildcardReasons(
      storage,
      rights.map(({ resource }) => resource),
      arnsOfName,
    ),
    logRetention: logRetention(config.logRetentionDays),
    dataKey: storage.dataKey,
  });
  ingest.addStackDependency(storage);
  return ingest;
}

function createEdge(
  app: App,
  parts: Parts,
  ingest: IngestStack | undefined,
): EdgeStack | undefined {
  const { config, env, storage, api } = parts;
  if (config.edge === undefined || api.edgeSecret === undefined) return undefined;
  allowEdgeUploads(storage, storage);
  const acl = config.edge.waf ? new WebAclStack(app, `${config.name}-web-acl`, { env }) : undefined;
  const edge = new EdgeStack(app, `${config.name}-edge`, {
    env,
    // The web ACL's ARN comes from us-east-1.
    ...(acl === undefined ? {} : { crossRegionReferences: true, webAclArn: acl.webAclArn }),
    config: config.edge,
    apiUrl: api.url,
    secret: api.edgeSecret.secretValue,
    bucketName: storage.bucket.bucketName,
    macKeyArn: storage.arns.macKey,
    ...(ingest === undefined ? {} : { ingest: ingest.loadBalancer }),
  });
  edge.addStackDependency(storage);
  return edge;
}

function watchedParts(parts: Parts, ingest: IngestStack | undefined): Watched {
  const { config, storage, api, workers } = parts;
  const { replicaRegion } = config.storage;
  const tableMetric = (metricName: string, minutes: number): Metric =>
    storage.table.metric(metricName, { statistic: "Sum", period: Duration.minutes(minutes) });
  return {
    protocols: [...api.functions.keys()],
    functions: [...api.functions.values(), ...workers.functions.values()].map(
      (made) => made.function,
    ),
    stream: workers.functionOf("stream"),
    deadLetters: {
      index: workers.indexQueue.deadLetters,
      webhooks: workers.webhookQueue.deadLetters,
      fetches: workers.fetchQueue.deadLetters,
      stream: workers.streamFailures,
    },
    tableMetric,
    bucketMetric: (metricName) => bucketMetric(parts, metricName),
    storageAlarmGigabytes: config.observability.storageAlarmGigabytes,
    ...(replicaRegion === undefined
      ? {}
      : {
          replication: storage.table.metric("ReplicationLatency", {
            dimensionsMap: { TableName: storage.table.tableName, ReceivingRegion: replicaRegion },
            statistic: "Average",
            period: Duration.minutes(5),
          }),
        }),
    ...(ingest === undefined ? {} : { ingest: ingestMetrics(ingest) }),
  };
}

/** What S3 calls the bytes of a class, besides those that are not there yet. */
const STORAGE_TYPES: Readonly<Record<Config["storage"]["class"], readonly string[]>> = {
  standard: ["StandardStorage"],
  "intelligent-tiering": [
    "StandardStorage",
    "IntelligentTieringFAStorage",
    "IntelligentTieringIAStorage",
    "IntelligentTieringAIAStorage",
  ],
  "glacier-instant-retrieval": ["StandardStorage", "GlacierInstantRetrievalStorage"],
};

/** Of all classes together. https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html */
function bucketMetric(
  { config, storage }: Parts,
  metricName: "BucketSizeBytes" | "NumberOfObjects",
): IMetric {
  const isCount = metricName === "NumberOfObjects";
  const types = isCount ? ["AllStorageTypes"] : STORAGE_TYPES[config.storage.class];
  const metrics = types.map((StorageType): [string, Metric] => [
    `of${StorageType}`,
    new Metric({
      namespace: "AWS/S3",
      metricName,
      dimensionsMap: { BucketName: storage.bucket.bucketName, StorageType },
      statistic: "Average",
      period: Duration.days(1),
    }),
  ]);
  return new MathExpression({
    // S3 says nothing of a class that has no bytes.
    expression: metrics.map(([name]) => `FILL(${name}, 0)`).join(" + "),
    usingMetrics: Object.fromEntries(metrics),
    period: Duration.days(1),
    label: isCount ? "objects" : "bytes",
  });
}

function ingestMetrics({ loadBalancer, targets }: IngestStack): NonNullable<Watched["ingest"]> {
  const period = Duration.minutes(5);
  return {
    unhealthy: targets.metrics.unhealthyHostCount({ period, statistic: "Maximum" }),
    refused: loadBalancer.metrics.httpCodeElb(HttpCodeElb.ELB_503_COUNT, {
      period,
      statistic: "Sum",
    }),
    requests: loadBalancer.metrics.requestCount({ period, statistic: "Sum" }),
  };
}
