import { S3ServiceException } from "@aws-sdk/client-s3";
import { BlobsUnavailableError } from "../../ports/blobs.ts";

const THROTTLED = new Set(["SlowDown", "RequestTimeout", "Throttling", "ThrottlingException"]);
const NETWORK = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
]);

/**
 * What a call to S3 gives, with its failures to answer (5xx, throttling, timeouts, no connection; the SDK
 * has retried by then) thrown as {@link BlobsUnavailableError}. What S3 did answer passes through.
 */
export async function answered<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (isUnavailable(error))
      throw new BlobsUnavailableError("S3 does not answer", { cause: error });
    throw error;
  }
}

/** {@link answered}, with `undefined` for S3's answer that one of `codes` is so, such as `"NoSuchKey"`. */
export async function unlessS3Says<T>(
  codes: readonly string[],
  call: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await answered(call);
  } catch (error) {
    if (error instanceof S3ServiceException && codes.includes(error.name)) return undefined;
    throw error;
  }
}

function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === "TimeoutError" || THROTTLED.has(error.name)) return true;
  if (error instanceof S3ServiceException) return (error.$metadata.httpStatusCode ?? 500) >= 500;
  return "code" in error && typeof error.code === "string" && NETWORK.has(error.code);
}
