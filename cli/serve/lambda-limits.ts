import {
  eventBytes,
  GATEWAY_BYTES,
  INVOCATION_BYTES,
  readWithin,
} from "../../functions/lambda/limits.ts";

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
