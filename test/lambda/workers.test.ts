import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { itemToWire } from "../../shared/adapters/dynamodb/marshal.ts";
import type { Item } from "../../shared/ports/table.ts";
import { OUTBOX_SHARDS, outboxQuery } from "../../shared/records/outbox.ts";
import { type Deployment, openDeployment } from "../support/aws/deployment.ts";
import { describeWhen } from "../support/programs.ts";
import { deploymentNeeds, NEEDS } from "./needs.ts";

describeWhen(deploymentNeeds(), NEEDS, "the workers as functions", (source) => {
  let aws: Deployment;
  beforeAll(async () => {
    aws = await openDeployment(source);
    await aws.createRegistry("files", "generic");
  });
  afterAll(async () => aws[Symbol.asyncDispose]());
  beforeEach(async () => {
    aws.sqs.queues.clear();
    aws.sqs.refuse = () => false;
    aws.dynamoProxy.reset();
    await aws.table.write((await outbox()).map(({ key }) => ({ op: "delete", key })));
  });

  const outbox = async (): Promise<readonly Item[]> => {
    const items: Item[] = [];
    for (let shard = 0; shard < OUTBOX_SHARDS; shard++) {
      items.push(...(await aws.table.query(outboxQuery(shard, 100))).items);
    }
    return items;
  };

  /** Files that are published, and the rows of their events, oldest first. */
  const publish = async (count: number): Promise<readonly Item[]> => {
    for (let index = 0; index < count; index++) {
      const path = `/generic/files/tool/1.0.0/${randomUUID()}`;
      expect((await aws.request(path, { method: "PUT", body: "bytes" })).status).toBe(201);
    }
    const rows = await outbox();
    expect(rows).toHaveLength(count);
    return rows.toSorted((a, b) => a.key.sk.localeCompare(b.key.sk));
  };

  const streamEvent = (items: readonly Item[], eventName = "INSERT") => ({
    Records: items.map((item, index) => ({
      eventID: randomUUID(),
      eventName,
      eventSource: "aws:dynamodb",
      dynamodb: {
        Keys: { pk: { S: item.key.pk }, sk: { S: item.key.sk } },
        NewImage: itemToWire(item),
        SequenceNumber: String(1000 + index),
        StreamViewType: "NEW_IMAGE",
      },
    })),
  });

  const queueEvent = (bodies: readonly string[]) => ({
    Records: bodies.map((body, index) => ({
      messageId: `message-${index}`,
      receiptHandle: "handle",
      body,
      eventSource: "aws:sqs",
    })),
  });

  const detailsIn = (queue: string): readonly unknown[] =>
    (aws.sqs.queues.get(queue) ?? []).map((body) => JSON.parse(body).detail);

  test("an event goes from the stream into every queue, and its row from the outbox", async () => {
    const rows = await publish(12);
    const answer = await aws.invoke("stream", streamEvent(rows));
    expect(answer).toEqual({ batchItemFailures: [] });
    const details = rows.map(({ attributes }) => attributes["detail"]);
    expect(detailsIn("index")).toEqual(details);
    expect(detailsIn("webhooks")).toEqual(details);
    expect(await outbox()).toEqual([]);
  });

  test("an event that one queue does not take comes again and keeps its row; the others do not", async () => {
    const rows = await publish(3);
    const refused = rows[1]?.attributes["detail"];
    if (typeof refused !== "string") throw new Error("an event has no detail");
    aws.sqs.refuse = (queue, body) => queue === "webhooks" && body.includes(refused);
    const answer = await aws.invoke("stream", streamEvent(rows));
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: "1001" }] });
    expect((await outbox()).map(({ attributes }) => attributes["detail"])).toEqual([refused]);
    aws.sqs.refuse = () => false;
    await aws.invoke("stream", streamEvent(rows.slice(1)));
    expect(detailsIn("webhooks")).toContain(refused);
    expect(await outbox()).toEqual([]);
  });

  test("removals and rows that are no events are passed over", async () => {
    const [row] = await publish(1);
    if (row === undefined) throw new Error("there is no row");
    const other: Item = { key: { pk: "TOKEN#x", sk: "TOKEN" }, attributes: {} };
    await aws.invoke("stream", streamEvent([row], "REMOVE"));
    await aws.invoke("stream", streamEvent([other]));
    expect(aws.sqs.queues.size).toBe(0);
    expect(await outbox()).toHaveLength(1);
  });

  test("a table that does not let rows be deleted leaves them to the next round, and nothing fails", async () => {
    const rows = await publish(1);
    aws.dynamoProxy.judge = () => ({
      status: 400,
      body: JSON.stringify({ __type: "AccessDeniedException", message: "no" }),
    });
    const answer = await aws.invoke("stream", streamEvent(rows));
    expect(answer).toEqual({ batchItemFailures: [] });
    expect(await outbox()).toHaveLength(1);
  });

  test("what the stream missed is carried after fifteen minutes, and not before", async () => {
    const [row] = await publish(1);
    if (row === undefined) throw new Error("there is no row");
    expect(await aws.invoke("maintenance", { task: "outbox" })).toEqual({ task: "outbox" });
    expect(aws.sqs.queues.size).toBe(0);
    const atMs = Date.now() - 16 * 60_000;
    await aws.table.write([
      { op: "put", item: { ...row, attributes: { ...row.attributes, atMs } } },
    ]);
    await aws.invoke("maintenance", { task: "outbox" });
    expect(detailsIn("index")).toEqual([row.attributes["detail"]]);
    expect(await outbox()).toEqual([]);
  });

  test("events that are noted do not come again when their delivery fails", async () => {
    const rows = await publish(1);
    await aws.invoke("stream", streamEvent(rows));
    const bodies = aws.sqs.queues.get("webhooks") ?? [];
    // Consuming asks first for who is subscribed; the lanes that are due are the next questions.
    let queries = 0;
    aws.dynamoProxy.judge = ({ target }) => {
      if (target?.endsWith(".Query") !== true) return "pass";
      queries++;
      return queries > 2
        ? { status: 400, body: JSON.stringify({ __type: "AccessDeniedException", message: "no" }) }
        : "pass";
    };
    expect(await aws.invoke("webhooks", queueEvent(bodies))).toEqual({ batchItemFailures: [] });
    expect(JSON.stringify(aws.logs)).toContain("webhooks.delivery-failed");
  });

  test("messages are consumed twice without harm, and one that cannot be read is the only one to come again", async () => {
    const rows = await publish(2);
    await aws.invoke("stream", streamEvent(rows));
    const bodies = aws.sqs.queues.get("index") ?? [];
    expect(bodies).toHaveLength(2);
    const event = queueEvent([...bodies, "no event"]);
    const failures = { batchItemFailures: [{ itemIdentifier: "message-2" }] };
    expect(await aws.invoke("index", event)).toEqual(failures);
    expect(await aws.invoke("index", event)).toEqual(failures);
    expect(await aws.invoke("webhooks", queueEvent(bodies))).toEqual({ batchItemFailures: [] });
  });

  test("messages whose consumer fails come again", async () => {
    const rows = await publish(2);
    await aws.invoke("stream", streamEvent(rows));
    const event = queueEvent(aws.sqs.queues.get("index") ?? []);
    aws.dynamoProxy.judge = () => ({
      status: 400,
      body: JSON.stringify({ __type: "AccessDeniedException", message: "no" }),
    });
    expect(await aws.invoke("index", event)).toEqual({
      batchItemFailures: [{ itemIdentifier: "message-0" }, { itemIdentifier: "message-1" }],
    });
    aws.dynamoProxy.reset();
    expect(await aws.invoke("index", event)).toEqual({ batchItemFailures: [] });
  });

  test("every task runs, and an unknown one fails naming those that there are", async () => {
    for (const task of ["uploads", "upload-sessions", "blob-links", "versions", "registries"]) {
      expect(await aws.invoke("maintenance", { task })).toEqual({ task });
    }
    for (const task of ["garbage", "leftovers"]) {
      expect(await aws.invoke("maintenance", { task })).toEqual({ task });
    }
    await expect(aws.invoke("maintenance", { task: "tidy" })).rejects.toThrow();
    const [failure] = aws.logs.filter((line) => JSON.stringify(line).includes("task.failed"));
    expect(failure).toMatchObject({
      error: { message: expect.stringMatching(/^There is no task "tidy"; there are uploads, /) },
    });
  });

  test("what the stream missed is sent once when its row cannot be removed, and the task fails", async () => {
    const [row] = await publish(1);
    if (row === undefined) throw new Error("there is no row");
    await aws.table.write([{ op: "delete", key: row.key }]);
    const atMs = Date.now() - 16 * 60_000;
    const old = { ...row, attributes: { ...row.attributes, atMs } };
    await aws.table.write(
      // A full page, after which the next one is asked for.
      Array.from({ length: 100 }, (_, index) => ({
        op: "put" as const,
        item: { ...old, key: { ...old.key, sk: `${old.key.sk}-${index}` } },
      })),
    );
    aws.dynamoProxy.judge = ({ target }) =>
      target?.includes("Write") === true
        ? { status: 400, body: JSON.stringify({ __type: "AccessDeniedException", message: "no" }) }
        : "pass";
    await expect(aws.invoke("maintenance", { task: "outbox" })).rejects.toThrow();
    expect(detailsIn("index")).toHaveLength(100);
  });

  test("no worker warns of a dimension that it has already", async () => {
    for (let times = 0; times < 2; times++) await aws.invoke("index", queueEvent([]));
    const lines = aws.logs.map((line) => JSON.stringify(line));
    expect(lines.filter((line) => line.includes("already been added"))).toEqual([]);
    expect(lines.filter((line) => /"worker":"index"/.test(line)).length).toBeGreaterThan(0);
  });
});
