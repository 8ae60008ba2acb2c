import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { dynamoClient } from "../../shared/adapters/dynamodb/dynamo-client.ts";
import { DynamoTable } from "../../shared/adapters/dynamodb/dynamo-table.ts";
import { ConditionFailedError, TableUnavailableError } from "../../shared/ports/table.ts";
import { putOf, rejectionOf } from "./table/builders.ts";

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

const DONE: Answer = { status: 200, body: {} };
const BROKEN: Answer = { status: 500, body: { __type: "x#InternalServerError" } };
const refusal = (type: string, more: Answer["body"] = {}): Answer => ({
  status: 400,
  body: { __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: type, ...more },
});
const THROTTLED = refusal("ThrottlingException");
const cancelled = (...codes: string[]): Answer =>
  refusal("TransactionCanceledException", { CancellationReasons: codes.map((Code) => ({ Code })) });

/** A table on an endpoint that gives the answers in turn, the last one for ever. */
async function tableThatHears(...answers: readonly Answer[]) {
  const requests: Record<string, unknown>[] = [];
  const server = createServer((request, response) => {
    void answer(request, response);
  }).listen(0, "127.0.0.1");
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const given = answers[Math.min(requests.length, answers.length - 1)] ?? DONE;
    requests.push(JSON.parse(await text(request)));
    response.writeHead(given.status, { "content-type": "application/x-amz-json-1.0" });
    response.end(JSON.stringify(given.body));
  };
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("there is no port");
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const endpoint = `http://127.0.0.1:${address.port}`;
  const client = dynamoClient({ endpoint, region: "eu-central-1", credentials });
  const table = new DynamoTable({ client, tableName: "table" });
  return {
    table,
    requests,
    [Symbol.asyncDispose]: async () => {
      await table.close();
      server.closeAllConnections();
      server.close();
    },
  };
}

const key = { pk: "p", sk: "s" };
const count = { op: "update" as const, key, add: { n: 1 } };
const several = [count, putOf("p", "other")];

describe("a DynamoTable whose store is in difficulties", () => {
  test("repeats what was throttled or met a conflict", async () => {
    for (const name of ["ThrottlingException", "TransactionConflictException"]) {
      await using heard = await tableThatHears(refusal(name), refusal(name), DONE);
      await heard.table.write([count]);
      expect(heard.requests).toHaveLength(3);
    }
    await using heard = await tableThatHears(THROTTLED, THROTTLED, DONE);
    expect(await heard.table.get(key)).toBeUndefined();
    expect(heard.requests).toHaveLength(3);
  });

  test("repeats a transaction that was cancelled by a conflict", async () => {
    await using heard = await tableThatHears(
      cancelled("TransactionConflict", "None"),
      cancelled("None", "ThrottlingError"),
      DONE,
    );
    await heard.table.write(several);
    expect(heard.requests).toHaveLength(3);
  });

  test("does not repeat a transaction of which a condition failed", async () => {
    await using heard = await tableThatHears(
      cancelled("TransactionConflict", "ConditionalCheckFailed"),
    );
    const error = await rejectionOf(heard.table.write(several));
    expect(error).toBeInstanceOf(ConditionFailedError);
    expect(error).toHaveProperty("failedOps", [1]);
    expect(heard.requests).toHaveLength(1);
  });

  test("never sends an addition or a conditional write twice when the first may have been done", async () => {
    const guarded = putOf("p", "s", {}, { conditions: [{ kind: "absent" }] });
    for (const op of [count, guarded]) {
      await using heard = await tableThatHears(BROKEN, DONE);
      expect(await rejectionOf(heard.table.write([op]))).toBeInstanceOf(TableUnavailableError);
      expect(heard.requests).toHaveLength(1);
    }
  });

  test("repeats reads, plain puts and, under one token, transactions of unknown outcome", async () => {
    await using reading = await tableThatHears(BROKEN, DONE);
    expect(await reading.table.get(key)).toBeUndefined();
    await using putting = await tableThatHears(BROKEN, DONE);
    await putting.table.write([putOf("p", "s")]);
    await using transacting = await tableThatHears(BROKEN, BROKEN, DONE);
    await transacting.table.write(several);
    const tokens = transacting.requests.map((request) => request["ClientRequestToken"]);
    expect(tokens).toHaveLength(3);
    expect(new Set(tokens).size).toBe(1);
    expect(tokens[0]).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("gives up in the end", async () => {
    await using heard = await tableThatHears(THROTTLED);
    expect(await rejectionOf(heard.table.get(key))).toBeInstanceOf(TableUnavailableError);
    expect(heard.requests.length).toBeGreaterThan(5);
  });

  test("says at a ping that it is unavailable, without delay", async () => {
    await using heard = await tableThatHears(BROKEN);
    expect(await rejectionOf(heard.table.ping())).toBeInstanceOf(TableUnavailableError);
    expect(heard.requests).toHaveLength(1);
    await using missing = await tableThatHears(refusal("ResourceNotFoundException"));
    expect(await rejectionOf(missing.table.ping())).toBeInstanceOf(TableUnavailableError);
  });
});
