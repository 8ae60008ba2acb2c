import type { Context } from "aws-lambda";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import * as z from "zod";
import { createHttpFunction } from "../../../functions/lambda/http-function.ts";
import type { HttpResult } from "../../../functions/lambda/http-event.ts";

const SECRET = "a-secret-of-cloudfront";

/** A function whose app gives `response`, called once with these headers. Nothing is asked of any store. */
async function callWith(
  headers: Readonly<Record<string, string>>,
  response: () => Response = () => new Response("served"),
): Promise<HttpResult> {
  const handler = createHttpFunction("npm", () => ({ fetch: response }));
  const event = {
    rawPath: "/npm/node/x",
    headers: { host: "registry.test", ...headers },
    requestContext: { requestId: "id", http: { method: "GET", sourceIp: "192.0.2.7" } },
  };
  // Lambda's type has callbacks that nobody uses any more.
  const context = z.custom<Context>().parse({
    functionName: "npm",
    functionVersion: "1",
    invokedFunctionArn: "arn:aws:lambda:eu-central-1:111122223333:function:npm",
    memoryLimitInMB: "1024",
    awsRequestId: "id",
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => 29_000,
  });
  return handler(event, context);
}

beforeEach(() => {
  vi.stubEnv("AWS_REGION", "eu-central-1");
  vi.stubEnv("ENTREPOT_TABLE", "table");
  vi.stubEnv("ENTREPOT_BUCKET", "bucket");
  vi.stubEnv("POWERTOOLS_DEV", "true");
  vi.stubEnv("POWERTOOLS_TRACE_ENABLED", "false");
});
afterEach(() => vi.unstubAllEnvs());

describe("a function behind a web ACL", () => {
  beforeEach(() => {
    vi.stubEnv("ENTREPOT_EDGE_SECRET", SECRET);
    vi.stubEnv("ENTREPOT_EDGE_ONLY", "true");
  });

  test("answers what came through CloudFront", async () => {
    expect(await callWith({ "x-entrepot-edge": SECRET })).toMatchObject({ statusCode: 200 });
  });

  test("refuses what walked around it, without asking the app", async () => {
    let asked = 0;
    const answer = await callWith({ "x-entrepot-edge": "guessed-by-somebody!!" }, () => {
      asked++;
      return new Response("served");
    });
    expect(answer).toMatchObject({ statusCode: 403, headers: { "x-request-id": "id" } });
    expect(asked).toBe(0);
  });
});

test("a function whose body breaks off answers 500 in words and does not fail itself", async () => {
  const broken = new ReadableStream({
    pull(controller) {
      controller.error(new Error("the store has gone"));
    },
  });
  const answer = await callWith({}, () => new Response(broken));
  expect(answer).toMatchObject({ statusCode: 500, headers: { "x-request-id": "id" } });
  expect(answer.body).not.toContain("the store has gone");
});
