import { type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { pipeline } from "node:stream/promises";
import { networkFailure } from "../client/network-failure.ts";
import type { Spool } from "./spool.ts";

/** Blob storage that takes or says nothing for this long has gone. */
const IDLE_MS = 180_000;
const MAX_ANSWER_BYTES = 64 * 1024;

/** What the remote said to a blob. */
export interface UploadAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/**
 * PUTs a whole blob with its length, in flat memory. With `node:http`, because `fetch` sends no Content-Length
 * with a stream, and without one nothing can be sent past the functions.
 *
 * @throws {NetworkError}
 */
export async function putFile(
  url: URL,
  spool: Spool,
  options: { readonly authorization: string | null; readonly signal: AbortSignal },
): Promise<UploadAnswer> {
  const { authorization, signal } = options;
  const send = url.protocol === "https:" ? httpsRequest : httpRequest;
  const request = send(url, {
    method: "PUT",
    headers: {
      "content-type": "application/octet-stream",
      "content-length": String(spool.sizeBytes),
      "user-agent": "entrepot-proxy",
      ...(authorization === null ? {} : { authorization }),
    },
    signal,
  });
  request.setTimeout(IDLE_MS, () => {
    request.destroy(Object.assign(new Error("no answer in time"), { code: "ETIMEDOUT" }));
  });
  const answer = answerOf(request);
  // Both may fail; the answer says more than a pipe that broke because of it.
  const [, response] = await Promise.allSettled([pipeline(spool.read(), request), answer]);
  if (response.status === "fulfilled") return response.value;
  throw networkFailure(url.href, response.reason);
}

function answerOf(request: ClientRequest): Promise<UploadAnswer> {
  return new Promise((resolve, reject) => {
    let answered = false;
    request.once("error", (error) => {
      if (!answered) reject(error);
    });
    request.once("close", () => {
      if (!answered) reject(Object.assign(new Error("closed"), { code: "ECONNRESET" }));
    });
    request.once("response", (response) => {
      answered = true;
      readAnswer(response).then(resolve, reject);
      // A refusal in the middle: the rest of the body is of no use to anybody.
      if ((response.statusCode ?? 0) >= 300) response.once("end", () => request.destroy());
    });
  });
}

async function readAnswer(response: IncomingMessage): Promise<UploadAnswer> {
  let body = "";
  response.setEncoding("utf8");
  for await (const chunk of response) {
    if (body.length < MAX_ANSWER_BYTES) body += String(chunk);
  }
  const headers = new Headers();
  for (const [name, value] of Object.entries(response.headers)) {
    if (typeof value === "string") headers.set(name, value);
  }
  return { status: response.statusCode ?? 0, headers, body };
}
