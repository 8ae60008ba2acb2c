import { createGunzip } from "node:zlib";
import { Readable } from "node:stream";
import { InvalidInputError, TooLargeError } from "../errors.ts";

export interface JsonLimits {
  readonly maxBytes: number;
  /** Objects and arrays inside each other. */
  readonly maxDepth: number;
}

export const DEFAULT_JSON_LIMITS: JsonLimits = { maxBytes: 1024 * 1024, maxDepth: 64 };

/**
 * The JSON of a request body, bounded in size (also after `Content-Encoding: gzip`) and depth.
 *
 * @throws {InvalidInputError} | {@link TooLargeError}
 */
export async function readJson(
  request: Request,
  limits: JsonLimits = DEFAULT_JSON_LIMITS,
): Promise<unknown> {
  return parseJson(await readText(request, limits.maxBytes), limits.maxDepth);
}

/** The text of a request body in UTF-8. @throws {InvalidInputError} | {@link TooLargeError} */
export async function readText(request: Request, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of requestBytes(request)) {
    length += chunk.length;
    if (length > maxBytes) throw new TooLargeError("The request body", maxBytes);
    chunks.push(chunk);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new InvalidInputError("The request body is not valid UTF-8.");
  }
}

/**
 * The bytes of a request body as they arrive, unzipped where the client zipped them; nothing without a body.
 *
 * @throws {InvalidInputError} for an encoding that is not known, or broken gzip.
 */
export async function* requestBytes(request: Request): AsyncIterable<Uint8Array> {
  if (request.body === null) return;
  const encoding = request.headers.get("content-encoding") ?? "identity";
  if (encoding === "identity") {
    yield* request.body;
    return;
  }
  if (encoding !== "gzip") {
    throw new InvalidInputError(
      `The request body has the unknown encoding "${encoding.slice(0, 40)}"; send it plain or with gzip.`,
    );
  }
  const source = Readable.from(request.body);
  const unzipped = source.pipe(createGunzip());
  // Without a listener, a client that goes away in the middle of its body would end the process.
  source.on("error", (error) => unzipped.destroy(error));
  try {
    for await (const chunk of unzipped) {
      if (chunk instanceof Uint8Array) yield chunk;
    }
  } catch {
    throw new InvalidInputError("The request body is not valid gzip.");
  } finally {
    source.destroy();
  }
}

/** @throws {InvalidInputError} for what is not JSON, or nested deeper than `maxDepth`. */
export function parseJson(text: string, maxDepth: number): unknown {
  requireDepth(text, maxDepth);
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    throw new InvalidInputError("The request body is not valid JSON.");
  }
}

function requireDepth(text: string, maxDepth: number): void {
  let depth = 0;
  for (let position = 0; position < text.length; position++) {
    const code = text.charCodeAt(position);
    if (code === 0x22) position = endOfString(text, position);
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > maxDepth) {
        throw new InvalidInputError(`The JSON is nested more than ${maxDepth} levels deep.`);
      }
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
}

/** Position of the quote that ends the string that starts at `start`. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end >= 0) {
    let slash = end - 1;
    while (text.charCodeAt(slash) === 0x5c) slash--;
    if ((end - slash) % 2 === 1) return end;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}
