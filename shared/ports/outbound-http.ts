/** A request to a server of somebody else. */
export interface OutboundRequest {
  readonly method: "GET" | "HEAD";
  /** Absolute, http or https, without user name and password. A fragment is not sent. */
  readonly url: string;
  /**
   * Go to every server that redirects lead to, so they hold no secret; names in lower case. `accept-encoding` is
   * sent as it is given and nothing is decoded: ask for `identity` where the bytes count (files), for `gzip` where
   * `decodedBody` reads the answer (documents). Without `user-agent` one is added: some registries refuse to
   * answer without.
   */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Headers that go only to the origin of `url` (`authorization`, `x-api-key`); names in lower case. The first
   * redirect to another origin ends them, also when a later one leads back.
   */
  readonly credentials: Readonly<Record<string, string>>;
  /**
   * Loopback and private networks may be spoken to, and plain http. Link-local addresses and metadata services are
   * refused whatever this says.
   */
  readonly allowPrivate: boolean;
  /** Until the head of the answer is there, name look-up and connection included; for each redirect anew. */
  readonly headTimeoutMs: number;
  /** Longest wait for the next bytes of the body, counted only while somebody is reading it. */
  readonly idleTimeoutMs: number;
  /** Of the body as it comes, before it is decoded. */
  readonly maxBodyBytes: number;
  /** Breaks off the request and the body, which then fail with its reason. A limit for the whole is given so. */
  readonly signal?: AbortSignal;
}

/** What a server said, whatever its status. */
export interface OutboundAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Where it came from in the end, after redirects. May hold a signature in its query: not for logs. */
  readonly url: string;
  /**
   * Bytes as they come, not decoded; empty for HEAD, 204 and 304. It has to be read to its end or cancelled, which
   * closes the connection: one that nobody reads holds it for ever. Fails with an {@link OutboundError} when the
   * server broke off, stalled or sent too much.
   */
  readonly body: ReadableStream<Uint8Array>;
}

/** Fetches from servers of somebody else, at addresses that somebody else chose. */
export interface OutboundHttp {
  /**
   * Sends a request and gives the answer as soon as its head is there. Follows up to five redirects (301, 302, 303,
   * 307, 308 with a `Location`); every one is checked as the first URL is: scheme, no user name or password, and
   * the address, which is the one that is then connected to.
   *
   * @throws {OutboundError} when there is no answer; the reason of `signal` when that broke it off.
   */
  send(request: OutboundRequest): Promise<OutboundAnswer>;
  /** Closes the connections, those in use too. Nothing may be sent afterwards. */
  close(): Promise<void>;
}

/**
 * - `unreachable`: no such name, or no connection to it
 * - `refused-address`: a scheme or address that may not be spoken to, or a URL with user name or password
 * - `tls`: no TLS, or a certificate that is not trusted
 * - `timeout`: no head in time, or no further bytes of the body
 * - `redirects`: more than five
 * - `too-large`: a body beyond the limit
 * - `truncated`: the body ended before its length
 * - `reset`: the connection broke
 * - `malformed`: not HTTP, not a URL, or not the encoding that the head says
 */
export type OutboundErrorKind =
  | "unreachable"
  | "refused-address"
  | "tls"
  | "timeout"
  | "redirects"
  | "too-large"
  | "truncated"
  | "reset"
  | "malformed";

/**
 * Why a server of somebody else gave no whole answer. The message is one sentence that names the host only: paths
 * and queries of other people's URLs may hold tokens.
 */
export class OutboundError extends Error {
  override readonly name = "OutboundError";
  readonly kind: OutboundErrorKind;

  constructor(kind: OutboundErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
