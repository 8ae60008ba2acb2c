import { credentialsOf } from "../../shared/http/credentials.ts";
import { ApiClient, type Connection } from "../client/api-client.ts";
import { networkFailure } from "../client/network-failure.ts";
import { requestHeaders, responseHeaders } from "./headers.ts";
import type { UploadAnswer } from "../client/transfer/upload-answer.ts";
import { putFile } from "./put-file.ts";
import type { Spool } from "./spool.ts";

/** Manifests have 4 MiB at most; nothing else that is not a blob comes near. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;
const MAX_REDIRECTS = 3;

/** A request that is not the upload of a blob, and is larger than any such may be. */
export class BodyTooLargeError extends Error {
  override readonly name = "BodyTooLargeError";
  readonly limitBytes = MAX_BODY_BYTES;
}

/** The registry that the proxy stands for. Adds the saved token to requests that come without credentials. */
export class Remote {
  readonly url: string;
  readonly #token: string | undefined;

  constructor({ url, token }: Connection) {
    this.url = url;
    this.#token = token;
  }

  /**
   * Hands a request on and gives the answer, both as they are but for what belongs to one connection only.
   *
   * @param query - with its question mark; default the request's own.
   * @param hasBody - false leaves the request's body for others to read.
   * @throws {NetworkError} | {@link BodyTooLargeError}
   */
  async forward(
    request: Request,
    { query, hasBody = true }: { readonly query?: string; readonly hasBody?: boolean } = {},
  ): Promise<Response> {
    const own = new URL(request.url);
    const url = `${this.url}${own.pathname}${query ?? own.search}`;
    const body = hasBody ? await readBody(request.body) : undefined;
    const headers = requestHeaders(request.headers, this.#token);
    let answer: Response;
    try {
      answer = await fetch(url, {
        method: request.method,
        headers,
        redirect: "manual",
        signal: request.signal,
        ...(body === undefined ? {} : { body }),
      });
    } catch (error) {
      throw networkFailure(url, error);
    }
    return new Response(request.method === "HEAD" ? null : answer.body, {
      status: answer.status,
      headers: responseHeaders(answer.headers, { url, status: answer.status, own: own.origin }),
    });
  }

  /** The management API as whoever makes a request: with the client's own credentials before the saved token. */
  apiFor(request: Request): ApiClient {
    const token = credentialsOf(request.headers) ?? this.#token;
    return new ApiClient({ url: this.url, ...(token === undefined ? {} : { token }) });
  }

  /**
   * Sends a whole blob to the Location of a session. A redirect that keeps method and body is followed, with the
   * credentials only where the session itself is.
   *
   * @param location - as the remote gave it, relative or not.
   * @throws {NetworkError}
   */
  async upload(
    request: Request,
    location: string,
    digest: string,
    spool: Spool,
  ): Promise<UploadAnswer> {
    const base = new URL(this.url);
    let url = new URL(location, base);
    // Not by searchParams, which would write the ticket that is there already in another way.
    url.search = `${url.search === "" ? "?" : `${url.search}&`}digest=${digest}`;
    const authorization = requestHeaders(request.headers, this.#token).get("authorization");
    for (let redirects = 0; ; redirects++) {
      const isOwn = url.origin === base.origin;
      const answer = await putFile(url, spool, {
        authorization: isOwn ? authorization : null,
        signal: request.signal,
      });
      const next = redirectOf(answer, url);
      if (next === undefined) return answer;
      if (redirects === MAX_REDIRECTS) throw networkFailure(url.href, new Error("it redirects on"));
      url = next;
    }
  }
}

/** Where an upload is to be sent instead; `undefined` when this is the answer. */
function redirectOf({ status, headers }: UploadAnswer, from: URL): URL | undefined {
  const location = headers.get("location");
  if (status < 300 || status >= 400) return undefined;
  const next =
    location !== null && URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  const keepsBody = status === 307 || status === 308;
  const isSafe = next?.protocol === from.protocol || next?.protocol === "https:";
  if (next !== undefined && keepsBody && isSafe) return next;
  throw networkFailure(
    from.href,
    new Error(`it answered an upload with a redirect (${status}) that cannot be followed safely`),
  );
}

async function readBody(
  body: ReadableStream<Uint8Array> | null,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (body === null) return undefined;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw new BodyTooLargeError();
    chunks.push(chunk);
  }
  return Uint8Array.from(Buffer.concat(chunks, length));
}
