import { CfnOutput, Duration, Stack, type StackProps, Validations } from "aws-cdk-lib";
import {
  EventSourceMapping,
  type Function as LambdaFunction,
  StartingPosition,
} from "aws-cdk-lib/aws-lambda";
import {
  SqsDlq,
  SqsEventSource,
  type SqsEventSourceProps,
} from "aws-cdk-lib/aws-lambda-event-sources";
import type { Queue } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import type { Config } from "../config/schema.ts";
import { outboxFilters } from "../constructs/outbox-filter.ts";
import { RegistryFunction } from "../constructs/registry-function.ts";
import { addSchedules } from "../constructs/schedules.ts";
import { createDeadLetters, WorkerQueue } from "../constructs/worker-queue.ts";
import { WORKER_FUNCTIONS, type WorkerFunction, type WorkerName } from "../functions.ts";
import type { StorageStack } from "./storage-stack.ts";

/** Seconds of messages for one consumer that are worth waiting for, against an invocation for each. */
const BATCH_WINDOW = Duration.seconds(1);

type Props = StackProps & { readonly config: Config; readonly storage: StorageStack };

/** What runs without a request: the table's stream, the queues behind it, and schedules. */
export class WorkersStack extends Stack {
  readonly functions: ReadonlyMap<WorkerName, RegistryFunction>;
  readonly indexQueue: WorkerQueue;
  readonly webhookQueue: WorkerQueue;
  /** Files of upstreams that requests have no time for. */
  readonly fetchQueue: WorkerQueue;
  /** Batches of the stream that could not be delivered; the re-delivery by schedule finds their events. */
  readonly streamFailures: Queue;

  constructor(scope: Construct, id: string, props: Props) {
    super(scope, id, props);
    this.addStackDependency(props.storage);
    const { dataKey } = props.storage;
    const queueOf = (name: WorkerName) => ({
      dataKey,
      timeoutSeconds: specOf(name).timeoutSeconds,
    });
    this.indexQueue = new WorkerQueue(this, "index-queue", queueOf("index"));
    this.webhookQueue = new WorkerQueue(this, "webhook-queue", queueOf("webhooks"));
    this.fetchQueue = new WorkerQueue(this, "fetch-queue", queueOf("fetches"));
    this.streamFailures = createDeadLetters(this, "stream-failures", dataKey);
    Validations.of(this.streamFailures).acknowledge({
      id: "AwsSolutions-SQS3",
      reason: "It is the dead-letter queue of the stream.",
    });
    this.functions = new Map(
      WORKER_FUNCTIONS.map((spec) => [spec.name, this.#createFunction(spec, props)]),
    );
    this.#readStream(props.storage.tableStreamArn);
    this.#readQueue("index", this.indexQueue.queue, { batchSize: 10 });
    this.#readQueue("webhooks", this.webhookQueue.queue, { batchSize: 10 });
    // Each file has the function's whole time; many at once must not leave requests without functions.
    this.#readQueue("fetches", this.fetchQueue.queue, { batchSize: 1, maxConcurrency: 20 });
    const maintenance = this.functionOf("maintenance");
    addSchedules(this, maintenance, { config: props.config });
    new CfnOutput(this, "MaintenanceFunction", { value: maintenance.functionName });
  }

  functionOf(name: WorkerName): LambdaFunction {
    const found = this.functions.get(name);
    if (found === undefined) throw new Error(`There is no worker "${name}".`);
    return found.function;
  }

  #createFunction(spec: WorkerFunction, { config, storage }: Props): RegistryFunction {
    const sends = spec.name === "stream" || spec.name === "maintenance";
    return new RegistryFunction(this, spec.name, {
      spec,
      config,
      storage,
      queues: {
        indexQueue: this.indexQueue.queue.queueArn,
        webhookQueue: this.webhookQueue.queue.queueArn,
        fetchQueue: this.fetchQueue.queue.queueArn,
        streamFailures: this.streamFailures.queueArn,
      },
      environment: sends
        ? {
            ENTREPOT_INDEX_QUEUE: this.indexQueue.queue.queueUrl,
            ENTREPOT_WEBHOOK_QUEUE: this.webhookQueue.queue.queueUrl,
          }
        : {},
    });
  }

  #readStream(eventSourceArn: string): void {
    new EventSourceMapping(this, "StreamSource", {
      target: this.functionOf("stream"),
      eventSourceArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      filters: [...outboxFilters()],
      batchSize: 100,
      maxBatchingWindow: BATCH_WINDOW,
      bisectBatchOnError: true,
      reportBatchItemFailures: true,
      retryAttempts: 10,
      // The stream itself forgets after a day.
      maxRecordAge: Duration.hours(23),
      onFailure: new SqsDlq(this.streamFailures),
    });
  }

  #readQueue(
    name: WorkerName,
    queue: Queue,
    options: Pick<SqsEventSourceProps, "batchSize" | "maxConcurrency">,
  ): void {
    this.functionOf(name).addEventSource(
      new SqsEventSource(queue, { ...options, reportBatchItemFailures: true }),
    );
  }
}

function specOf(name: WorkerName): WorkerFunction {
  const found = WORKER_FUNCTIONS.find((spec) => spec.name === name);
  if (found === undefined) throw new Error(`There is no worker "${name}".`);
  return found;
}
