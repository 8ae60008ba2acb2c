import { signRequest } from "../shared/adapters/aws/sign-request.ts";
import { type Endpoint, LOCAL_CREDENTIALS, LOCAL_REGION } from "./endpoint.ts";

/** A call of an AWS service for whose client there is no package here. */
export interface AwsCall {
  /** As in the service's host name, such as `lambda`. */
  readonly service: string;
  readonly path?: string;
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Becomes JSON. */
  readonly body: unknown;
}

/**
 * Signs and sends a call to the endpoint.
 *
 * @returns the answer's JSON.
 * @throws for every status but 2xx, with what the service said.
 */
export async function callAws(endpoint: Endpoint, call: AwsCall): Promise<unknown> {
  const url = new URL(call.path ?? "/", endpoint.url);
  const body = JSON.stringify(call.body);
  const headers = signRequest(
    {
      method: "POST",
      url,
      headers: { "content-type": "application/json", ...call.headers },
      body,
      region: LOCAL_REGION,
      service: call.service,
      nowMs: Date.now(),
    },
    LOCAL_CREDENTIALS,
  );
  const response = await fetch(url, { method: "POST", headers, body });
  const text = await response.text();
  if (!response.ok) throw new Error(`${call.service} answered ${response.status}: ${text}`);
  return JSON.parse(text);
}

/**
 * Invokes a function and waits for its result.
 *
 * @throws when it fails, with its own words.
 */
export async function invokeFunction(
  endpoint: Endpoint,
  name: string,
  payload: unknown,
): Promise<unknown> {
  const result = await callAws(endpoint, {
    service: "lambda",
    path: `/2015-03-31/functions/${name}/invocations`,
    body: payload,
  });
  if (typeof result === "object" && result !== null && "errorMessage" in result) {
    throw new Error(`${name} failed: ${String(result.errorMessage)}`);
  }
  return result;
}
