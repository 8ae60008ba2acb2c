import type { IMetric } from "aws-cdk-lib/aws-cloudwatch";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import type { IQueue } from "aws-cdk-lib/aws-sqs";

/** The parts of a deployment that alarms and dashboards look at. */
export interface Watched {
  readonly protocols: readonly string[];
  readonly functions: readonly IFunction[];
  /** The worker that reads the table's stream. */
  readonly stream: IFunction;
  /** By the name of what failed. */
  readonly deadLetters: Readonly<Record<string, IQueue>>;
  /** A metric of the table, its sum over so many minutes. */
  readonly tableMetric: (name: string, minutes: number) => IMetric;
  /** A metric that S3 gives of the bucket once a day. */
  readonly bucketMetric: (name: "BucketSizeBytes" | "NumberOfObjects") => IMetric;
  readonly storageAlarmGigabytes: number;
  /** Milliseconds that the second region's table is behind. */
  readonly replication?: IMetric;
  readonly ingest?: {
    /** Tasks that do not answer. */
    readonly unhealthy: IMetric;
    /** Requests that found no task. */
    readonly refused: IMetric;
    readonly requests: IMetric;
  };
}
