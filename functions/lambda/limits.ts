/** HTTP APIs take 10 MB (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html). */
export const GATEWAY_BYTES = 10 * 1024 * 1024;
/**
 * A synchronous invocation takes and gives 6 MB of JSON, in which text stands escaped and everything else in base64
 * (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
 */
export const INVOCATION_BYTES = 6 * 1024 * 1024;
/** Headers, path and request context in the event. */
const EVENT_OVERHEAD_BYTES = 4096;
/** The largest body that is certain to fit, whatever it is: a function gets and gives it in base64. */
export const INLINE_LIMIT_BYTES = Math.floor(((INVOCATION_BYTES - EVENT_OVERHEAD_BYTES) * 3) / 4);

/**
 * The largest upload in parts: a function reads it back and hashes it at some 75 MB/s, then has S3 copy it, within
 * 29 seconds. S3's own checksums of uploads in parts are CRCs, or checksums of checksums
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html).
 */
export const MAX_UPLOAD_BYTES = 1024 ** 3;

/** Of the 29 seconds of a request, what maintenance that it starts may take. */
export const REQUEST_BUDGET_MS = 15_000;

/**
 * Larger files of upstreams are fetched by the worker `fetches`: at the 5 MB/s that a busy registry gives they would not
 * be here in time.
 */
export const REQUEST_FETCH_BYTES = 64 * 1024 * 1024;
/** What a slow upstream sends for longer goes to the worker too. */
export const REQUEST_FETCH_MS = 8_000;
/**
 * How long a request waits for a file of the worker's before it answers 503. Less than the 15 seconds after which pip
 * (https://pip.pypa.io/en/stable/cli/pip/#cmdoption-timeout) takes a silent connection for a broken one, and with
 * {@link REQUEST_BUDGET_MS}, in which a prefetch begins its last file, less than a request has in all.
 */
export const REQUEST_FETCH_WAIT_MS = 12_000;
/** Of the worker's 15 minutes, with room for storing what came: some 50 GB from a quick upstream. */
export const WORKER_FETCH_MS = 14 * 60_000;

const TEXT = /^(?:text\/|application\/(?:[\w.+-]+\+)?(?:json|xml|javascript)\b)/i;

/** Whether a body with these headers stands as text in the event, and in base64 otherwise. */
export function isTextBody(headers: Headers): boolean {
  return TEXT.test(headers.get("content-type") ?? "") && headers.get("content-encoding") === null;
}

/** What a body takes in the JSON of an event, its headers included. */
export function eventBytes(body: Uint8Array, headers: Headers): number {
  const encoded = isTextBody(headers)
    ? Buffer.byteLength(JSON.stringify(new TextDecoder().decode(body)))
    : Math.ceil(body.length / 3) * 4;
  return encoded + EVENT_OVERHEAD_BYTES;
}

/** Reads a body that is to fit into memory; `undefined` past `maxBytes`, with the rest left unread. */
export async function readWithin(
  stream: ReadableStream<Uint8Array> | null,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (stream === null) return new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    length += next.value.length;
    if (length > maxBytes) {
      // Not cancelled: that would close the connection under a client that is still sending, and it would see a
      // broken pipe instead of our answer. The server drains what comes for a while.
      reader.releaseLock();
      return undefined;
    }
    chunks.push(next.value);
  }
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
