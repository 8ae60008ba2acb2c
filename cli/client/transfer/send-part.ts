import { type ClientRequest, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ApiError, CliError, EXIT } from "../failures.ts";
import { networkFailure } from "../network-failure.ts";
import { answerOf, type UploadAnswer } from "./upload-answer.ts";

/** A store that takes or says nothing for this long has gone. */
const IDLE_MS = 120_000;
const MAX_ERROR_BYTES = 16 * 1024;

/** The bytes that an upload is made of; a part may be read again. */
export interface PartSource {
  /** For people. */
  readonly name: string;
  /** The bytes from `start` to `end`, the last included. */
  read(start: number, end: number): Readable;
}

export interface PartToSend {
  readonly url: URL;
  /** As the ticket gives them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly source: PartSource;
  /** Position of the part's first byte in the source. */
  readonly start: number;
  readonly sizeBytes: number;
  readonly signal?: AbortSignal | undefined;
  /** Hears of every chunk that was handed to the network. */
  readonly onBytes: (bytes: number) => void;
}

/**
 * PUTs a piece of a file to where a ticket says, in flat memory, without our credentials: the ticket is one.
 * With `node:http`, because S3 wants a Content-Length, which `fetch` does not send with a stream.
 *
 * @throws {ApiError} when the store refuses (its `code` is S3's own, such as `AccessDenied`),
 *   {@link NetworkError}, {@link CliError} when the file is shorter now; the abort's reason when aborted.
 */
export async function sendPart(part: PartToSend): Promise<void> {
  const send = part.url.protocol === "https:" ? httpsRequest : httpRequest;
  const request = send(part.url, {
    method: "PUT",
    headers: { ...part.headers, "content-length": String(part.sizeBytes) },
    signal: part.signal,
  });
  request.setTimeout(IDLE_MS, () => {
    request.destroy(Object.assign(new Error("no answer in time"), { code: "ETIMEDOUT" }));
  });
  const answer = answerOf(request, MAX_ERROR_BYTES);
  // Both may fail; the answer says more than a pipe that broke because of it.
  const [body, response] = await Promise.allSettled([sendBody(part, request), answer]);
  if (response.status === "fulfilled") return requireTaken(part.url, response.value);
  if (part.signal?.aborted === true) throw response.reason;
  if (body.status === "rejected" && body.reason instanceof CliError) throw body.reason;
  throw networkFailure(part.url.href, response.reason);
}

async function sendBody(part: PartToSend, request: ClientRequest): Promise<void> {
  if (part.sizeBytes === 0) {
    request.end();
    return;
  }
  let sentBytes = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sentBytes += chunk.length;
      part.onBytes(chunk.length);
      done(null, chunk);
    },
    flush(done) {
      done(sentBytes === part.sizeBytes ? null : changedFile(part.source.name));
    },
  });
  const end = part.start + part.sizeBytes - 1;
  await pipeline(part.source.read(part.start, end), counter, request);
}

function changedFile(name: string): CliError {
  return new CliError(EXIT.failure, `"${name}" became shorter while it was sent.`, {
    hint: "Wait until nothing writes to it, then push it again.",
  });
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html; the embedded store answers alike. */
function requireTaken(url: URL, { status, body }: UploadAnswer): void {
  if (status >= 200 && status < 300) return;
  const code = /<Code>([A-Za-z0-9]{1,60})<\/Code>/.exec(body)?.[1] ?? "";
  const message = /<Message>([^<]{1,300})<\/Message>/.exec(body)?.[1] ?? "";
  const said = [code, message].filter((word) => word !== "").join(": ");
  throw new ApiError(
    { status, code, retryAfterSeconds: 0 },
    `${url.host} refused a part with status ${status}${said === "" ? "" : ` (${said})`}.`,
  );
}
