import * as z from "zod";
import type { Deployment } from "./deployment.ts";

const queuesSchema = z.object({ QueueUrls: z.array(z.string()).default([]) });
const attributesSchema = z.object({
  Attributes: z.object({ ApproximateNumberOfMessages: z.coerce.number() }),
});

/** Of the one registry, beside which the account may have others. */
const NAMES = /\/local-workers-\w*(?:DeadLetters|streamfailures)/;

/** How many messages are in the queues of what failed for good: those of the three workers, and the stream's. */
export async function deadLetters(deployment: Deployment): Promise<number> {
  const { QueueUrls } = queuesSchema.parse(await sqs(deployment, "ListQueues", {}));
  const queues = QueueUrls.filter((url) => NAMES.test(url));
  if (queues.length !== 4) throw new Error(`of these, four should be: ${QueueUrls.join(" ")}`);
  let messages = 0;
  for (const QueueUrl of queues) {
    const AttributeNames = ["ApproximateNumberOfMessages"];
    const answer = await sqs(deployment, "GetQueueAttributes", { QueueUrl, AttributeNames });
    messages += attributesSchema.parse(answer).Attributes.ApproximateNumberOfMessages;
  }
  return messages;
}

function sqs(deployment: Deployment, operation: string, body: unknown): Promise<unknown> {
  return deployment.callAws("sqs", `AmazonSQS.${operation}`, body);
}
