import { type Agent as HttpAgent, type IncomingMessage, request as httpRequest } from "node:http";
import { type Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { checkedLookup } from "../../addresses.ts";
import { OutboundError, type OutboundRequest } from "../../ports/outbound-http.ts";
import { codeOf, explainFailure } from "./explain-failure.ts";

export interface Agents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

/** One answer of one server. */
export interface Exchange {
  readonly answer: IncomingMessage;
  /** What to say of an error that reading the answer's body ended with. */
  readonly explain: (error: unknown) => unknown;
}

/** A kept connection was closed before any answer: most likely the server closed it as we began to use it. */
export class StaleConnectionError extends Error {
  override readonly name = "StaleConnectionError";
}

type ExchangeOptions = Pick<
  OutboundRequest,
  "method" | "allowPrivate" | "headTimeoutMs" | "signal"
>;

/**
 * Sends one request and waits for the head of its answer, following nothing. The URL has been checked; the address
 * that its name leads to is checked here.
 *
 * @throws {OutboundError | StaleConnectionError} | the reason of `signal`
 */
export function exchange(
  url: URL,
  agents: Agents,
  headers: Readonly<Record<string, string>>,
  { method, allowPrivate, headTimeoutMs, signal }: ExchangeOptions,
): Promise<Exchange> {
  const { host } = url;
  let failure: unknown;
  const explain = (error: unknown): unknown => {
    if (signal?.aborted === true) return signal.reason;
    // The body only says that it broke off, the connection why, unless it was closed in good order.
    if (failure === undefined && codeOf(error) === "ECONNRESET") {
      return new OutboundError("truncated", `${host} ended its answer before its end`);
    }
    return explainFailure(host, failure ?? error);
  };
  return new Promise<IncomingMessage>((resolve, reject) => {
    signal?.throwIfAborted();
    const settings = { method, headers, lookup: checkedLookup(allowPrivate) };
    const sent =
      url.protocol === "https:"
        ? httpsRequest(url, { ...settings, agent: agents.https })
        : httpRequest(url, { ...settings, agent: agents.http });
    const late = new OutboundError("timeout", `${host} did not answer within ${headTimeoutMs} ms`);
    const timer = setTimeout(() => sent.destroy(late), headTimeoutMs);
    const abort = (): void => void sent.destroy();
    signal?.addEventListener("abort", abort);
    sent.on("error", (error) => {
      failure ??= error;
      const isStale = sent.reusedSocket && /^(ECONNRESET|EPIPE)$/.test(codeOf(error));
      reject(isStale && signal?.aborted !== true ? new StaleConnectionError() : explain(error));
    });
    sent.on("response", (answer) => {
      clearTimeout(timer);
      resolve(answer);
    });
    sent.on("close", () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      reject(new OutboundError("reset", `${host} closed the connection without an answer`));
    });
    sent.end();
  }).then(
    (answer) => ({ answer, explain }),
    (error: unknown) => {
      throw error instanceof StaleConnectionError ? error : explain(error);
    },
  );
}
