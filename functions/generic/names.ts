import { InvalidInputError } from "../../shared/errors.ts";

const PACKAGE_NAME = /^[A-Za-z0-9._~+@-]{1,200}$/;
const VERSION = /^[A-Za-z0-9._~+-]{1,128}$/;
/** With its version and prefixes still a DynamoDB sort key (1,024 bytes). */
const MAX_PATH_BYTES = 700;

/** Stands for the package's latest version in reads, and so can never be a version's name. */
export const LATEST = "latest";

/** A package's name as it is. @throws {InvalidInputError} */
export function parsePackageName(text: string): string {
  if (PACKAGE_NAME.test(text) && !isDots(text)) return text;
  throw invalid(
    "package",
    text,
    "a package name: use 1 to 200 letters (A to Z), digits and . _ ~ + @ -, but not . or .. alone",
  );
}

/** A version's name as it is. @throws {InvalidInputError} also for `latest`. */
export function parseVersion(text: string): string {
  if (text === LATEST) {
    throw new InvalidInputError(
      `"${LATEST}" stands for the latest version in reads and cannot be changed; name the version itself.`,
      [{ at: "version", problem: "reserved" }],
    );
  }
  if (VERSION.test(text) && !isDots(text)) return text;
  throw invalid(
    "version",
    text,
    "a version: use 1 to 128 letters (A to Z), digits and . _ ~ + -, but not . or .. alone",
  );
}

/**
 * The path of a file within its version, from its segments: Unicode in composed form (NFC), because file
 * systems and clients differ in the form they send for one and the same name.
 *
 * @throws {InvalidInputError}
 */
export function parsePath(segments: readonly string[]): string {
  for (const segment of segments) requireSegment(segment);
  const path = segments.join("/").normalize("NFC");
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_PATH_BYTES) {
    throw new InvalidInputError(
      `The path has ${bytes} bytes; the limit is ${MAX_PATH_BYTES}. Use shorter names.`,
      [{ at: "path", problem: "too long" }],
    );
  }
  return path;
}

/** C0 and C1 controls, and the characters that turn text around and so show another name than is stored. */
const HIDDEN = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

function requireSegment(segment: string): void {
  if (segment === "") throw invalid("path", segment, "part of a path: a segment is empty");
  if (isDots(segment)) throw invalid("path", segment, "part of a path: it points elsewhere");
  if (segment.includes("/") || segment.includes("\\")) {
    throw invalid("path", segment, "part of a path: encoded slashes and backslashes are refused");
  }
  if (HIDDEN.test(segment) || !segment.isWellFormed()) {
    throw invalid("path", segment, "part of a path: it holds control characters");
  }
}

const isDots = (text: string): boolean => text === "." || text === "..";

function invalid(at: string, text: string, why: string): InvalidInputError {
  // JSON escapes show what cannot be seen, and keep it out of logs.
  const shown = JSON.stringify(text.slice(0, 80).toWellFormed());
  return new InvalidInputError(`${shown} cannot be ${why}.`, [{ at, problem: "not allowed" }]);
}
