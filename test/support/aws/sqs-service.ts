import { createHash } from "node:crypto";
import * as z from "zod";
import { type JsonService, startJsonService } from "./json-service.ts";

const message = z.object({ QueueUrl: z.string(), MessageBody: z.string() });
const batch = z.object({
  QueueUrl: z.string(),
  Entries: z
    .array(z.object({ Id: z.string(), MessageBody: z.string() }))
    .min(1)
    .max(10),
});

/** SQS that keeps what it is sent. */
export interface SqsService extends AsyncDisposable {
  readonly url: string;
  /** Bodies by the last segment of their queue's URL, in the order of their arrival. */
  readonly queues: Map<string, string[]>;
  /** Says which messages are not taken. */
  refuse: (queue: string, body: string) => boolean;
}

export async function startSqs(): Promise<SqsService> {
  const queues = new Map<string, string[]>();
  const service: JsonService = await startJsonService({
    SendMessage: (input) => {
      const { QueueUrl, MessageBody } = message.parse(input);
      const queue = QueueUrl.split("/").at(-1) ?? "";
      if (sqs.refuse(queue, MessageBody)) throw new Error("the queue does not take it");
      queues.set(queue, [...(queues.get(queue) ?? []), MessageBody]);
      return {
        MessageId: "1",
        MD5OfMessageBody: createHash("md5").update(MessageBody).digest("hex"),
      };
    },
    SendMessageBatch: (input) => {
      const { QueueUrl, Entries } = batch.parse(input);
      const queue = QueueUrl.split("/").at(-1) ?? "";
      const refused = Entries.filter(({ MessageBody }) => sqs.refuse(queue, MessageBody));
      const taken = Entries.filter((entry) => !refused.includes(entry));
      const bodies = queues.get(queue) ?? [];
      queues.set(queue, [...bodies, ...taken.map(({ MessageBody }) => MessageBody)]);
      return {
        Successful: taken.map(({ Id, MessageBody }) => ({
          Id,
          MessageId: Id,
          MD5OfMessageBody: createHash("md5").update(MessageBody).digest("hex"),
        })),
        Failed: refused.map(({ Id }) => ({ Id, SenderFault: false, Code: "InternalError" })),
      };
    },
  });
  const sqs: SqsService = {
    url: service.url,
    queues,
    refuse: () => false,
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  };
  return sqs;
}
