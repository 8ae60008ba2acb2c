import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { pipeline } from "node:stream/promises";
import { networkFailure } from "../client/network-failure.ts";
import { answerOf, type UploadAnswer } from "../client/transfer/upload-answer.ts";
import type { Spool } from "./spool.ts";

/** Blob storage that takes or says nothing for this long has gone. */
const IDLE_MS = 180_000;
const MAX_ANSWER_BYTES = 64 * 1024;

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
  const answer = answerOf(request, MAX_ANSWER_BYTES);
  // Both may fail; the answer says more than a pipe that broke because of it.
  const [, response] = await Promise.allSettled([pipeline(spool.read(), request), answer]);
  if (response.status === "fulfilled") return response.value;
  throw networkFailure(url.href, response.reason);
}
