import * as z from "zod";
import type { Deployment } from "./deployment.ts";

const queuesSchema = z.object({ QueueUrls: z.array(z.string()).default([]) });
const attributesSchema = z.object({
  Attributes: z.object({ ApproximateNumberOfMessages: z.coerce.number() }),
});

/** URLs of the queues in which something waits: of work once it is done none, and of failures none ever. */
export async function queuesWithMessages(deployment: Deployment): Promise<readonly string[]> {
  const { QueueUrls } = queuesSchema.parse(await sqs(deployment, "ListQueues", {}));
  // The two workers' queues and their dead letters, and the stream's.
  if (QueueUrls.length < 5) throw new Error(`only these queues are there: ${QueueUrls.join(" ")}`);
  const waiting: string[] = [];
  for (const QueueUrl of QueueUrls) {
    const AttributeNames = ["ApproximateNumberOfMessages"];
    const answer = await sqs(deployment, "GetQueueAttributes", { QueueUrl, AttributeNames });
    const { Attributes } = attributesSchema.parse(answer);
    if (Attributes.ApproximateNumberOfMessages > 0) waiting.push(QueueUrl);
  }
  return waiting;
}

function sqs(deployment: Deployment, operation: string, body: unknown): Promise<unknown> {
  return deployment.callAws("sqs", `AmazonSQS.${operation}`, body);
}
