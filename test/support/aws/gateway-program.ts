import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import * as z from "zod";
import { eventOf } from "./gateway-event.ts";

/**
 * API Gateway and Lambda for tests: a server on a free port of 127.0.0.1 that runs the bundles it is given, with the
 * limits of both. `POST /_invoke/<function>` invokes one with the event in the body; `?remaining=` says for how many
 * milliseconds it may run. Says its port on standard output,
 * where the functions then write their logs.
 *
 * Argument: JSON of functions by name, each with the file of its bundle and the prefix that it serves.
 */
const GATEWAY_BYTES = 10 * 1024 * 1024;
const INVOCATION_BYTES = 6 * 1024 * 1024;
const TIMEOUT_MS = 29_000;

const functions = z
  .record(z.string(), z.object({ file: z.string(), prefix: z.string().optional() }))
  .parse(JSON.parse(process.argv[2] ?? ""));

const result = z.object({
  statusCode: z.number(),
  headers: z.record(z.string(), z.string()),
  cookies: z.array(z.string()).optional(),
  body: z.string(),
  isBase64Encoded: z.boolean(),
});

type Handler = (event: unknown, context: unknown) => Promise<unknown>;
const handlers = new Map<string, Handler>();

async function handlerOf(name: string): Promise<Handler> {
  const known = handlers.get(name);
  if (known !== undefined) return known;
  const { handler } = await import(functions[name]?.file ?? "");
  handlers.set(name, handler);
  return handler;
}

async function invoke(name: string, event: unknown, remainingMs = TIMEOUT_MS): Promise<unknown> {
  const endsAt = Date.now() + remainingMs;
  const handler = await handlerOf(name);
  return handler(event, {
    functionName: name,
    functionVersion: "1",
    memoryLimitInMB: "1024",
    invokedFunctionArn: `arn:aws:lambda:eu-central-1:123456789012:function:${name}`,
    awsRequestId: randomUUID(),
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => endsAt - Date.now(),
  });
}

async function handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length <= GATEWAY_BYTES) chunks.push(bytes);
  }
  if (length > GATEWAY_BYTES) return say(outgoing, 413, "Request Entity Too Large");
  const body = Buffer.concat(chunks);
  const path = incoming.url ?? "/";
  if (path.startsWith("/_invoke/")) {
    const { pathname, searchParams } = new URL(path, "http://localhost");
    const name = pathname.slice("/_invoke/".length);
    const remainingMs = Number(searchParams.get("remaining") ?? TIMEOUT_MS);
    const answer = await invoke(name, JSON.parse(body.toString("utf8")), remainingMs);
    outgoing.end(JSON.stringify(answer ?? null));
    return;
  }
  const found = Object.entries(functions).find(
    ([, { prefix }]) => prefix !== undefined && path.startsWith(prefix),
  );
  if (found === undefined) return say(outgoing, 404, "Not Found");
  const event = eventOf(incoming, body);
  if (Buffer.byteLength(JSON.stringify(event)) > INVOCATION_BYTES) {
    return say(outgoing, 413, "Request Entity Too Large");
  }
  const answer = await invoke(found[0], event);
  if (Buffer.byteLength(JSON.stringify(answer)) > INVOCATION_BYTES) {
    return say(outgoing, 500, "Internal Server Error");
  }
  const { statusCode, headers, cookies, body: text, isBase64Encoded } = result.parse(answer);
  for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value);
  if (cookies !== undefined) outgoing.setHeader("set-cookie", cookies);
  outgoing.writeHead(statusCode);
  outgoing.end(Buffer.from(text, isBase64Encoded ? "base64" : "utf8"));
}

function say(outgoing: ServerResponse, status: number, message: string): void {
  outgoing.writeHead(status, { "content-type": "application/json" });
  outgoing.end(JSON.stringify({ message }));
}

const server = createServer((incoming, outgoing) => {
  handle(incoming, outgoing).catch((error: unknown) => {
    process.stdout.write(`${JSON.stringify({ failed: String(error) })}\n`);
    say(outgoing, 500, "Internal Server Error");
  });
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  process.stdout.write(`${JSON.stringify({ listening: port })}\n`);
});
