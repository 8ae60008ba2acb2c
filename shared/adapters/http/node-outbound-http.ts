import { Agent as HttpAgent, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import {
  type OutboundAnswer,
  OutboundError,
  type OutboundHttp,
  type OutboundRequest,
} from "../../ports/outbound-http.ts";
import { answerBody } from "./answer-body.ts";
import { checkedUrl } from "./checked-url.ts";
import { type Agents, type Exchange, exchange, StaleConnectionError } from "./exchange.ts";

const MAX_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 304]);
/** Larger bodies of redirects are not read for the sake of the connection. */
const MAX_DRAINED_BYTES = 64 * 1024;
const DRAIN_MS = 1000;

const AGENT_OPTIONS = {
  // Of one server; what comes beyond waits, within its `headTimeoutMs`.
  maxSockets: 128,
  maxFreeSockets: 16,
  // The connection that was used last is the least likely to be closed by the server.
  scheduling: "lifo",
  // An idle one is closed after this; servers close theirs after a minute or less.
  timeout: 30_000,
} as const;

export interface NodeOutboundHttpOptions {
  /**
   * Variables of which `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` (in either case) say which proxy to go by. Where one
   * is used it looks names up, so that it is the one to judge the addresses that they lead to. Default: none.
   */
  readonly proxyEnv?: NodeJS.ProcessEnv;
  /**
   * Ports of this machine that private addresses do not open: who speaks to them would be taken for us. Default: none.
   */
  readonly closedPorts?: readonly number[];
}

/**
 * Outbound HTTP/1.1 over Node's own client. Connections are kept and used again, apart for requests that may reach
 * private networks and those that may not: the pool does not know who checked an address.
 */
export class NodeOutboundHttp implements OutboundHttp {
  readonly #proxyEnv: NodeJS.ProcessEnv;
  readonly #closedPorts: readonly number[];
  readonly #private: Agents;
  readonly #public: Agents;

  constructor({ proxyEnv = {}, closedPorts = [] }: NodeOutboundHttpOptions = {}) {
    this.#proxyEnv = proxyEnv;
    this.#closedPorts = closedPorts;
    this.#private = this.#agents({ keepAlive: true });
    this.#public = this.#agents({ keepAlive: true });
  }

  async send(request: OutboundRequest): Promise<OutboundAnswer> {
    const rules = { allowPrivate: request.allowPrivate, closedPorts: this.#closedPorts };
    let url = checkedUrl(request.url, rules);
    let { credentials } = request;
    for (let redirects = 0; ; redirects += 1) {
      const headers = { "user-agent": "entrepot", ...request.headers, ...credentials };
      const got = await this.#exchange(url, headers, request);
      const location = redirectOf(got.answer);
      if (location === undefined) return toAnswer(url, request, got);
      drain(request, got.answer);
      if (redirects === MAX_REDIRECTS) {
        const words = `${url.host} redirects more than ${MAX_REDIRECTS} times`;
        throw new OutboundError("redirects", words);
      }
      const next = checkedUrl(location, rules, url);
      if (next.origin !== url.origin) credentials = {};
      url = next;
    }
  }

  #agents({ keepAlive }: { readonly keepAlive: boolean }): Agents {
    const options = { ...AGENT_OPTIONS, keepAlive, proxyEnv: this.#proxyEnv };
    return { http: new HttpAgent(options), https: new HttpsAgent(options) };
  }

  /** As {@link exchange}, on a kept connection when there is one; one that turns out to be stale counts for nothing. */
  async #exchange(
    url: URL,
    headers: Readonly<Record<string, string>>,
    request: OutboundRequest,
  ): Promise<Exchange> {
    const pool = request.allowPrivate ? this.#private : this.#public;
    try {
      return await exchange(url, pool, headers, request);
    } catch (error) {
      if (!(error instanceof StaleConnectionError)) throw error;
      return exchange(url, this.#agents({ keepAlive: false }), headers, request);
    }
  }

  async close(): Promise<void> {
    for (const { http, https } of [this.#private, this.#public]) {
      http.destroy();
      https.destroy();
    }
  }
}

/** Where an answer leads; `undefined` when it is the answer. */
function redirectOf({ statusCode, headers: { location } }: IncomingMessage): string | undefined {
  if (!REDIRECTS.has(statusCode ?? 0) || location === undefined) return undefined;
  // Headers arrive as Latin-1; servers that do not escape a path send UTF-8.
  return Buffer.from(location, "latin1").toString();
}

/** Reads the short body of a redirect away, so that its connection can be used again; closes it otherwise. */
function drain({ method }: OutboundRequest, answer: IncomingMessage): void {
  const lengthBytes = Number(answer.headers["content-length"] ?? Number.POSITIVE_INFINITY);
  if (method !== "HEAD" && lengthBytes > MAX_DRAINED_BYTES) {
    answer.destroy();
    return;
  }
  const timer = setTimeout(() => answer.destroy(), DRAIN_MS);
  answer.once("close", () => clearTimeout(timer));
  answer.resume();
}

function toAnswer(
  url: URL,
  request: OutboundRequest,
  { answer, explain }: Exchange,
): OutboundAnswer {
  const status = answer.statusCode ?? 0;
  const empty = request.method === "HEAD" || WITHOUT_BODY.has(status);
  if (empty) answer.resume();
  return {
    status,
    headers: headersOf(answer),
    url: url.href,
    body: empty ? emptyBody() : answerBody(url.host, answer, request, explain),
  };
}

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    headers.append(rawHeaders[at] ?? "", rawHeaders[at + 1] ?? "");
  }
  return headers;
}

const emptyBody = (): ReadableStream<Uint8Array> =>
  new ReadableStream({ start: (controller) => controller.close() });
