import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import type { ApiClient } from "../api-client.ts";
import { apiPath } from "../api-path.ts";
import { ApiError, CliError, EXIT, NetworkError } from "../failures.ts";
import { type FileAddress, findPublished } from "../files.ts";
import { fileSchema, type FileView } from "../schemas.ts";

/** The server reads every byte back, which takes a while for large files. */
const ANSWER_MS = 10 * 60_000;
const POLL_MS = 2000;

export interface Expected {
  readonly sha256: string;
  readonly address: FileAddress;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Publishes an upload whose parts have arrived, and checks that what is published is what was sent.
 *
 * The answer may get lost although the server goes on: API Gateway gives up after 30 seconds
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html), Lambda only after 15
 * minutes. What is published then tells how it went.
 */
export async function completeUpload(
  api: ApiClient,
  id: string,
  expected: Expected,
): Promise<FileView> {
  const { address, signal, sha256 } = expected;
  const published = await completeOrFind(api, id, {
    schema: fileSchema,
    find: async () => {
      const found = await findPublished(api, address, signal);
      return found?.digests.sha256 === sha256 ? found : undefined;
    },
    signal,
  });
  return requireSame(expected, published);
}

/** How an upload is completed, whatever it becomes. */
export interface Completion<T> {
  readonly schema: z.ZodType<T>;
  /** What it has become; `undefined` while it has not. */
  readonly find: () => Promise<T | undefined>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Completes an upload whose parts have arrived. When the answer gets lost, asks until it is over and `find` gives
 * what it has become. @throws the failure when it has become nothing.
 */
export async function completeOrFind<T>(
  api: ApiClient,
  id: string,
  completion: Completion<T>,
): Promise<T> {
  try {
    return await api.send({
      method: "POST",
      path: apiPath`/uploads/${id}/complete`,
      schema: completion.schema,
      signal: completion.signal,
      timeoutMs: ANSWER_MS,
    });
  } catch (error) {
    if (!mayStillHappen(error)) throw error;
    return awaitFound(api, id, completion, error);
  }
}

/** A lost answer, or one of a gateway; 404 when an earlier attempt was completed after all. */
function mayStillHappen(error: unknown): boolean {
  if (error instanceof NetworkError) return true;
  // In the server's own words "unavailable" means that nothing was done.
  if (!(error instanceof ApiError) || error.code === "unavailable") return false;
  return (error.status >= 502 && error.status <= 504) || error.status === 404;
}

async function awaitFound<T>(
  api: ApiClient,
  id: string,
  { find, signal }: Completion<T>,
  failure: unknown,
): Promise<T> {
  for (let waitedMs = 0; waitedMs <= ANSWER_MS; waitedMs += POLL_MS) {
    // In this order: an upload that is over has published its file before.
    const unfinished = await isUnfinished(api, id);
    const found = await find();
    if (found !== undefined) return found;
    if (!unfinished) break;
    await sleep(POLL_MS, undefined, { signal });
  }
  throw failure;
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

function requireSame(expected: Expected, published: FileView): FileView {
  const { sha256 } = published.digests;
  if (sha256 === expected.sha256) return published;
  throw new CliError(
    EXIT.failure,
    `The server published ${published.path} with sha256 ${sha256}, not ${expected.sha256}.`,
    { hint: "Do not use that file; tell the administrator of the server." },
  );
}
