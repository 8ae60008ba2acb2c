import { InvalidInputError } from "../errors.ts";

/** Longer than any path that our names and limits allow, all of it percent-encoded. */
const MAX_PATH_LENGTH = 8192;

/**
 * The decoded segments of a request's path as it was sent, without its first slash; a slash at the end gives
 * an empty last segment. An encoded slash stays inside its segment.
 *
 * Routers decode leniently and leave what they cannot decode as it is, so that two spellings would name one
 * thing; here what is not valid percent-encoded UTF-8 is refused (RFC 3986, 2.1: https://www.rfc-editor.org/rfc/rfc3986#section-2.1).
 *
 * @throws {InvalidInputError}
 */
export function decodeSegments(rawPath: string): readonly string[] {
  if (rawPath.length > MAX_PATH_LENGTH) {
    throw new InvalidInputError(`The path is longer than ${MAX_PATH_LENGTH} characters.`, [
      { at: "path", problem: "too long" },
    ]);
  }
  const segments = rawPath.slice(1).split("/");
  return rawPath.includes("%") ? segments.map(decodeSegment) : segments;
}

/** @throws {InvalidInputError} for an escape that is not one, or bytes that are not UTF-8. */
export function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new InvalidInputError(
      `The path segment "${segment.slice(0, 80)}" is not valid percent-encoded UTF-8.`,
      [{ at: "path", problem: "invalid percent-encoding" }],
    );
  }
}
