import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { onTestFinished } from "vitest";
import {
  NodeOutboundHttp,
  type NodeOutboundHttpOptions,
} from "../../shared/adapters/http/node-outbound-http.ts";
import {
  type OutboundAnswer,
  OutboundError,
  type OutboundRequest,
} from "../../shared/ports/outbound-http.ts";
import { readBody } from "../../shared/services/outbound-body.ts";
import { type MisbehavingUpstream, startUpstream } from "./misbehaving-upstream.ts";

/** Length of {@link FILE}. */
export const BYTES = 1_000_000;
export const FILE = Buffer.alloc(BYTES, "entrepot ");

type Options = Partial<Omit<OutboundRequest, "url">>;

/** The adapter with limits that tests need not say, closed when the test is over. It may reach loopback. */
export class Outbound {
  readonly http: NodeOutboundHttp;

  constructor(options: NodeOutboundHttpOptions = {}) {
    this.http = new NodeOutboundHttp(options);
    onTestFinished(() => this.http.close());
  }

  send(url: string, options: Options = {}): Promise<OutboundAnswer> {
    return this.http.send({
      method: "GET",
      url,
      headers: {},
      credentials: {},
      allowPrivate: true,
      headTimeoutMs: 2000,
      idleTimeoutMs: 2000,
      maxBodyBytes: 2 * BYTES,
      ...options,
    });
  }

  /** Sends, reads the body and gives it as text. */
  async text(url: string, options: Options = {}): Promise<string> {
    const bytes = await readBody(await this.send(url, options), 2 * BYTES);
    return Buffer.from(bytes).toString();
  }
}

/** As `startUpstream`, closed when the test is over. */
export async function upstream(
  ...options: Parameters<typeof startUpstream>
): Promise<MisbehavingUpstream> {
  const started = await startUpstream(...options);
  onTestFinished(() => started.close());
  return started;
}

/** What an attempt failed with; fails itself when that is no `OutboundError`. */
export async function failureOf(attempt: Promise<unknown>): Promise<OutboundError> {
  const failure = await attempt.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(failure instanceof OutboundError)) throw new Error(`no OutboundError: ${String(failure)}`);
  return failure;
}

export const kindOf = async (attempt: Promise<unknown>): Promise<string> =>
  (await failureOf(attempt)).kind;

/** Trusts a certificate until the test is over, as `NODE_EXTRA_CA_CERTS` does from the start. */
export function trust(cert: string): void {
  const before = getCACertificates("default");
  setDefaultCACertificates([...before, cert]);
  onTestFinished(() => setDefaultCACertificates(before));
}

/** Reads until a stream ends. */
export async function readOn(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  for (;;) if ((await reader.read()).done) return;
}
