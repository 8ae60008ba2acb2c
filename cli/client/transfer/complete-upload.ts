import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import type { ApiClient } from "../api-client.ts";
import { apiPath } from "../api-path.ts";
import { ApiError, CliError, EXIT, NetworkError } from "../failures.ts";
import { findPublished } from "../files.ts";

/** The server reads every byte back, which takes a while for large files. */
const ANSWER_MS = 10 * 60_000;
const POLL_MS = 2000;

export interface Expected {
  readonly sha256: string;
  /** Where the file is found once it is published. */
  readonly url: string;
  readonly signal?: AbortSignal | undefined;
}

const completedSchema = z.looseObject({
  sha256: z.string().optional(),
  digests: z.looseObject({ sha256: z.string() }).optional(),
});

/**
 * Publishes an upload whose parts have arrived, and checks that what is published is what was sent.
 *
 * The answer may get lost although the server goes on: API Gateway gives up after 30 seconds
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html), Lambda only after 15
 * minutes. What is published then tells how it went.
 */
export async function completeUpload(api: ApiClient, id: string, expected: Expected): Promise<void> {
  try {
    const answer = await api.send({
      method: "POST",
      path: apiPath`/uploads/${id}/complete`,
      schema: completedSchema,
      signal: expected.signal,
      timeoutMs: ANSWER_MS,
    });
    const sha256 = answer.sha256 ?? answer.digests?.sha256;
    return requireSame(expected, sha256 ?? (await publishedSha256(api, expected)));
  } catch (error) {
    if (!mayStillHappen(error)) throw error;
    const sha256 = await awaitPublished(api, id, expected, error);
    return requireSame(expected, sha256);
  }
}

/** A lost answer, or one of a gateway; 404 when an earlier attempt was completed after all. */
function mayStillHappen(error: unknown): boolean {
  if (error instanceof NetworkError) return true;
  // In the server's own words "unavailable" means that nothing was done.
  if (!(error instanceof ApiError) || error.code === "unavailable") return false;
  return (error.status >= 502 && error.status <= 504) || error.status === 404;
}

async function awaitPublished(
  api: ApiClient,
  id: string,
  expected: Expected,
  failure: unknown,
): Promise<string> {
  for (let waitedMs = 0; waitedMs <= ANSWER_MS; waitedMs += POLL_MS) {
    // In this order: an upload that is over has published its file before.
    const unfinished = await isUnfinished(api, id);
    const sha256 = await publishedSha256(api, expected);
    if (sha256 === expected.sha256) return sha256;
    if (!unfinished) break;
    await sleep(POLL_MS, undefined, { signal: expected.signal });
  }
  throw failure;
}

async function publishedSha256(api: ApiClient, expected: Expected): Promise<string> {
  return (await findPublished(api, expected.url, expected.signal))?.sha256 ?? "";
}

async function isUnfinished(api: ApiClient, id: string): Promise<boolean> {
  try {
    await api.send({ path: apiPath`/uploads/${id}`, schema: z.unknown() });
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return false;
    throw error;
  }
}

function requireSame(expected: Expected, sha256: string): void {
  if (sha256 === expected.sha256) return;
  throw new CliError(
    EXIT.failure,
    `The server published a file with sha256 ${sha256 || "(none)"}, not ${expected.sha256}.`,
    { hint: `Do not use ${expected.url}; tell the administrator of the server.` },
  );
}
