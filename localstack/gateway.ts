import { createServer, type IncomingMessage, request as httpRequest, type Server } from "node:http";
import { request as httpsRequest } from "node:https";

/**
 * What a request to an HTTP API and the answer of its function may hold, in bytes
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html,
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html). Emulators let more through.
 */
const REQUEST_LIMIT_BYTES = 10 * 1024 * 1024;
const FUNCTION_LIMIT_BYTES = 6 * 1024 * 1024;

/** Of one connection only (RFC 9110, 7.6.1), or replaced because bodies arrive whole. */
const NOT_PASSED_ON = new Set([
  "connection",
  "content-length",
  "expect",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

export interface GatewayOptions {
  /** Where the emulator is; its certificate is trusted by way of NODE_EXTRA_CA_CERTS. */
  readonly endpoint: string;
  /** Of the HTTP API; its stage is `$default`. */
  readonly apiId: string;
}

/**
 * Stands where API Gateway stands: clients reach the deployed API at one address of 127.0.0.1, without names that only
 * some resolvers know, and meet the size limits of the service. It also keeps `/v2/…` from the emulator's own container
 * registry, which answers those paths before any API does unless they come by `/_aws/execute-api/`.
 */
export function createGateway(options: GatewayOptions): Server {
  return createServer((incoming, outgoing) => {
    const answered = answerOf(options, incoming).catch((): Answer => refusal(502, "Bad Gateway"));
    void answered.then(({ status, headers, body }) =>
      outgoing.writeHead(status, headers).end(body),
    );
  });
}

interface Answer {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: string[];
  readonly body: Buffer;
}

async function answerOf(options: GatewayOptions, incoming: IncomingMessage): Promise<Answer> {
  const sent = await readBody(incoming, REQUEST_LIMIT_BYTES);
  if (sent === undefined) return refusal(413, "Request Entity Too Large");
  const answer = await forward(options, incoming, sent);
  const body = await readBody(answer, FUNCTION_LIMIT_BYTES);
  if (body === undefined) return refusal(500, "Internal Server Error");
  const headers = passedOn(answer.rawHeaders);
  // An answer to HEAD says how long the body would be, and what has no body may have no length.
  const length = incoming.method === "HEAD" ? answer.headers["content-length"] : body.length;
  if (length !== undefined && answer.statusCode !== 204 && answer.statusCode !== 304) {
    headers.push("content-length", String(length));
  }
  return { status: answer.statusCode ?? 502, headers, body };
}

function refusal(status: number, message: string): Answer {
  // The rest of a body that was not read makes the connection useless.
  const headers = ["content-type", "application/json", "connection", "close"];
  return { status, headers, body: Buffer.from(JSON.stringify({ message })) };
}

function forward(
  { endpoint, apiId }: GatewayOptions,
  incoming: IncomingMessage,
  body: Buffer,
): Promise<IncomingMessage> {
  const { protocol, hostname, port } = new URL(endpoint);
  const request = protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        hostname,
        port,
        method: incoming.method,
        path: `/_aws/execute-api/${apiId}/$default${routable(incoming.url ?? "/")}`,
        setHost: false,
        headers: passedOn(incoming.rawHeaders).concat(
          ["x-forwarded-proto", "http"],
          ["content-length", String(body.length)],
        ),
      },
      resolve,
    );
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}

/** MiniStack takes `/v2/` neither for `/v2` nor for `/v2/{proxy+}`; API Gateway takes it for one of them. */
function routable(target: string): string {
  return target.replace(/^(\/[^/?]+)\/(?=\?|$)/, "$1");
}

/** Names and values in turn, as `rawHeaders` has them. */
function passedOn(raw: readonly string[]): string[] {
  const headers: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? "";
    if (!NOT_PASSED_ON.has(name.toLowerCase())) headers.push(name, raw[at + 1] ?? "");
  }
  return headers;
}

/** The whole body; `undefined` when it is longer than `limitBytes`. */
async function readBody(message: IncomingMessage, limitBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of message) {
    if (!Buffer.isBuffer(chunk)) continue;
    sizeBytes += chunk.length;
    if (sizeBytes > limitBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
