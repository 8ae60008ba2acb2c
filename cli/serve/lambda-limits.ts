/**
 * What API Gateway and Lambda would refuse, for `--limits lambda`.
 *
 * HTTP APIs take 10 MB (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html);
 * a synchronous invocation takes and gives 6 MB of JSON event
 * (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html), in which text stands escaped
 * and everything else in base64.
 */
const GATEWAY_BYTES = 10 * 1024 * 1024;
const INVOCATION_BYTES = 6 * 1024 * 1024;
/** Headers, path and request context in the event. */
const EVENT_OVERHEAD_BYTES = 4096;
/** The largest body that is certain to fit, whatever it is: a function gets it in base64. */
export const INLINE_LIMIT_BYTES = Math.floor(((INVOCATION_BYTES - EVENT_OVERHEAD_BYTES) * 3) / 4);

const TEXT = /^(?:text\/|application\/(?:[\w.+-]+\+)?(?:json|xml|javascript)\b)/i;

type Fetch<Env> = (request: Request, env: Env) => Response | Promise<Response>;

/** Wraps a handler so that requests and answers beyond the limits fail as they would on AWS. */
export function withLambdaLimits<Env>(fetch: Fetch<Env>): Fetch<Env> {
  return async (request, env) => {
    const declared = Number(request.headers.get("content-length") ?? 0);
    if (declared > GATEWAY_BYTES) return tooLong();
    const body = await readWithin(request.body, GATEWAY_BYTES);
    if (body === undefined || eventBytes(body, request.headers) > INVOCATION_BYTES)
      return tooLong();
    const whole = new Request(request.url, {
      method: request.method,
      headers: request.headers,
      signal: request.signal,
      ...(body.length === 0 ? {} : { body }),
    });
    return limitAnswer(await fetch(whole, env));
  };
}

async function limitAnswer(response: Response): Promise<Response> {
  const body = await readWithin(response.body, INVOCATION_BYTES);
  if (body === undefined || eventBytes(body, response.headers) > INVOCATION_BYTES) {
    // Lambda fails the invocation, and API Gateway says no more than this.
    return Response.json({ message: "Internal Server Error" }, { status: 500 });
  }
  return new Response(body.length === 0 ? null : body, {
    status: response.status,
    headers: response.headers,
  });
}

const tooLong = (): Response => Response.json({ message: "Request Too Long" }, { status: 413 });

function eventBytes(body: Uint8Array, headers: Headers): number {
  const isText =
    TEXT.test(headers.get("content-type") ?? "") && headers.get("content-encoding") === null;
  const encoded = isText
    ? Buffer.byteLength(JSON.stringify(new TextDecoder().decode(body)))
    : Math.ceil(body.length / 3) * 4;
  return encoded + EVENT_OVERHEAD_BYTES;
}

async function readWithin(
  stream: ReadableStream<Uint8Array> | null,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (stream === null) return new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    length += next.value.length;
    if (length > maxBytes) {
      // Not cancelled: that would close the connection under a client that is still sending, and it would see a
      // broken pipe instead of our answer. The server drains what comes for a while.
      reader.releaseLock();
      return undefined;
    }
    chunks.push(next.value);
  }
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
