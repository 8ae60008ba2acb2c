import { setTimeout as sleep } from "node:timers/promises";
import { parseChunk } from "../../functions/oci/chunk.ts";
import { ociError, OciInvalidError } from "../../functions/oci/errors.ts";
import { type OciDigest, parseDigest } from "../../functions/oci/names.ts";
import { UPLOAD_LIMIT_HEADER } from "../../functions/oci/upload-limit.ts";
import { NetworkError } from "../client/failures.ts";
import { responseHeaders } from "./headers.ts";
import type { UploadAnswer } from "../client/transfer/upload-answer.ts";
import type { Remote } from "./remote.ts";
import { TicketUploads } from "./ticket-uploads.ts";
import type { Upload, Uploads } from "./uploads.ts";

/** A blob is sent again after a lost connection, or an answer that asks to come back. */
const RETRY_DELAYS_MS = [500, 2000];
const PASSING = [429, 502, 503, 504];

/** Uploads of blobs as clients make them, kept until they are whole and then sent at once. */
export class Pushes {
  readonly #remote: Remote;
  readonly #uploads: Uploads;
  readonly #tickets: TicketUploads;

  constructor(remote: Remote, uploads: Uploads) {
    this.#remote = remote;
    this.#uploads = uploads;
    this.#tickets = new TicketUploads(remote);
  }

  /** POST: asks the remote first, so that who may not push hears it before sending anything, and mounts are mounts. */
  async start(request: Request, name: string): Promise<Response> {
    const { searchParams } = new URL(request.url);
    const digest = searchParams.get("digest");
    const isWhole = digest !== null && !searchParams.has("mount");
    const whole = isWhole ? parseDigest(digest) : undefined;
    searchParams.delete("digest");
    const query = searchParams.size === 0 ? "" : `?${searchParams.toString()}`;
    const answer = await this.#remote.forward(request, { query, hasBody: false });
    const location = answer.headers.get("location");
    if (answer.status !== 202 || location === null) return answer;
    await answer.body?.cancel();
    const remoteLimitBytes = limitOf(answer);
    const upload = await this.#uploads.create({ name, remoteLocation: location, remoteLimitBytes });
    if (upload === undefined) {
      return ociError(
        503,
        "UNAVAILABLE",
        "The proxy has too many unfinished uploads; wait a little.",
      );
    }
    if (whole !== undefined) return this.#complete(request, upload, whole);
    return new Response(null, { status: 202, headers: progressOf(upload) });
  }

  /** PATCH: keeps what the client streams. */
  async append(request: Request, upload: Upload): Promise<Response> {
    const { startBytes, sizeBytes } = parseChunk(request.headers);
    if (startBytes !== undefined && startBytes !== upload.spool.sizeBytes)
      return outOfOrder(upload);
    const done = await this.#uploads.write(upload, async () => {
      const before = upload.spool.sizeBytes;
      if (request.body !== null) await upload.spool.append(request.body);
      const came = upload.spool.sizeBytes - before;
      if (sizeBytes !== undefined && came !== sizeBytes) {
        const message = `The chunk has ${came} bytes, not ${sizeBytes}; begin the upload again.`;
        throw new OciInvalidError("SIZE_INVALID", message);
      }
      return new Response(null, { status: 202, headers: progressOf(upload) });
    });
    return done ?? outOfOrder(upload);
  }

  /** PUT: the blob is whole, and goes to the remote. */
  async complete(request: Request, upload: Upload): Promise<Response> {
    const digest = new URL(request.url).searchParams.get("digest");
    if (digest === null) {
      throw new OciInvalidError(
        "DIGEST_INVALID",
        "The upload ends with ?digest=<algorithm>:<digest>.",
      );
    }
    const { startBytes } = parseChunk(request.headers);
    if (startBytes !== undefined && startBytes !== upload.spool.sizeBytes)
      return outOfOrder(upload);
    return this.#complete(request, upload, parseDigest(digest));
  }

  status(upload: Upload): Response {
    const { "content-length": _, ...headers } = progressOf(upload);
    return new Response(null, { status: 204, headers });
  }

  async cancel(upload: Upload): Promise<Response> {
    const done = await this.#uploads.write(upload, async () => {
      await this.#uploads.forget(upload);
      return new Response(null, { status: 204 });
    });
    return done ?? outOfOrder(upload);
  }

  async #complete(request: Request, upload: Upload, digest: OciDigest): Promise<Response> {
    const done = await this.#uploads.write(upload, async () => {
      const { spool } = upload;
      if (request.body !== null) await spool.append(request.body);
      const actual = spool.digest();
      if (digest.algorithm === "sha256" && digest.text !== actual) {
        throw new OciInvalidError(
          "DIGEST_INVALID",
          `The blob has the digest ${actual}, not ${digest.text}.`,
        );
      }
      const answer = await this.#send(request, upload, digest);
      await this.#uploads.forget(upload);
      return answer;
    });
    return done ?? outOfOrder(upload);
  }

  /** To the Location of the session, or by a ticket of the management API where that takes no blob so large. */
  async #send(request: Request, upload: Upload, digest: OciDigest): Promise<Response> {
    const mayTicket = digest.algorithm === "sha256";
    if (mayTicket && upload.spool.sizeBytes > upload.remoteLimitBytes) {
      return this.#tickets.send(request, upload);
    }
    const answer = await this.#sendWhole(request, upload, digest.text);
    const isTooLarge = answer.status === 413 && mayTicket;
    return isTooLarge
      ? this.#tickets.send(request, upload)
      : answerOf(request, answer, this.#remote.url);
  }

  async #sendWhole(request: Request, upload: Upload, digest: string): Promise<UploadAnswer> {
    let location = upload.remoteLocation;
    for (const delayMs of RETRY_DELAYS_MS) {
      try {
        const answer = await this.#remote.upload(request, location, digest, upload.spool);
        if (!PASSING.includes(answer.status)) return answer;
      } catch (error) {
        if (!(error instanceof NetworkError) || request.signal.aborted) throw error;
      }
      await sleep(delayMs);
      location = (await this.#newLocation(request, upload)) ?? location;
    }
    return this.#remote.upload(request, location, digest, upload.spool);
  }

  /** Of a session without history; `undefined` when the remote gives none now. */
  async #newLocation(request: Request, { name }: Upload): Promise<string | undefined> {
    const start = new Request(new URL(`/v2/${name}/blobs/uploads/`, request.url), {
      method: "POST",
      headers: request.headers,
    });
    try {
      const answer = await this.#remote.forward(start, { hasBody: false });
      await answer.body?.cancel();
      return answer.status === 202 ? (answer.headers.get("location") ?? undefined) : undefined;
    } catch (error) {
      if (error instanceof NetworkError) return undefined;
      throw error;
    }
  }
}

/** What the remote says that its Location takes; without a word of it, anything. */
function limitOf(answer: Response): number {
  const text = answer.headers.get(UPLOAD_LIMIT_HEADER) ?? "";
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : Infinity;
}

/** The remote's own answer. One from blob storage itself, in XML, is put into the words that clients read. */
function answerOf(
  request: Request,
  { status, headers, body }: UploadAnswer,
  url: string,
): Response {
  const isForeign =
    status >= 400 && !/^application\/json\b/.test(headers.get("content-type") ?? "");
  if (isForeign) {
    const said = /<Message>([^<]{1,300})<\/Message>/.exec(body)?.[1] ?? `status ${status}`;
    const code = status === 400 ? "DIGEST_INVALID" : status === 413 ? "UNSUPPORTED" : "UNKNOWN";
    return ociError(status, code, `The registry refused the blob: ${said}`);
  }
  const own = new URL(request.url).origin;
  const passed = responseHeaders(headers, { url, status, own });
  return new Response(body === "" ? null : body, { status, headers: passed });
}

function outOfOrder(upload: Upload): Response {
  const response = ociError(
    416,
    "BLOB_UPLOAD_INVALID",
    `${upload.spool.sizeBytes} bytes have arrived; the next chunk must begin there, and one be sent at a time.`,
  );
  const { "content-length": _, ...headers } = progressOf(upload);
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
}

/** Relative, so that the client stays with the proxy under whatever name it called it. */
function progressOf({ id, name, spool }: Upload) {
  return {
    location: `/v2/${name}/blobs/uploads/${id}`,
    range: `0-${Math.max(0, spool.sizeBytes - 1)}`,
    "docker-upload-uuid": id,
    "content-length": "0",
  };
}
