import { Duration } from "aws-cdk-lib";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";

/** Tries of one message before it is set aside, over about half an hour. */
const MAX_RECEIVES = 5;

interface QueueOptions {
  readonly dataKey: IKey | undefined;
  /** Of the function that takes the messages. */
  readonly timeoutSeconds: number;
}

/** A queue with its dead-letter queue. */
export class WorkerQueue extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, options: QueueOptions) {
    super(scope, id);
    this.deadLetters = createDeadLetters(this, "DeadLetters", options.dataKey);
    this.queue = new Queue(this, "Queue", {
      ...encryptionOf(options.dataKey),
      enforceSSL: true,
      // Six times the function's timeout, as Lambda asks:
      // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
      visibilityTimeout: Duration.seconds(options.timeoutSeconds * 6),
      retentionPeriod: Duration.days(14),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: MAX_RECEIVES },
    });
  }
}

/** A queue for what could not be done, kept as long as SQS keeps anything. */
export function createDeadLetters(scope: Construct, id: string, dataKey: IKey | undefined): Queue {
  return new Queue(scope, id, {
    ...encryptionOf(dataKey),
    enforceSSL: true,
    retentionPeriod: Duration.days(14),
  });
}

function encryptionOf(dataKey: IKey | undefined) {
  return dataKey === undefined
    ? { encryption: QueueEncryption.SQS_MANAGED }
    : { encryption: QueueEncryption.KMS, encryptionMasterKey: dataKey };
}
