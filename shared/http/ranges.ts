import type { ByteRange } from "../ports/blobs.ts";

/** What a Range header asks of a representation of known size. */
export type RangeRequest =
  /** No range, or one that RFC 9110 lets us ignore: answer 200 with everything. */
  | { readonly kind: "whole" }
  /** Answer 206 with these bytes and {@link contentRange}. */
  | { readonly kind: "range"; readonly range: ByteRange }
  /** Answer 416 with {@link unsatisfiedContentRange}. */
  | { readonly kind: "unsatisfiable" };

const WHOLE: RangeRequest = { kind: "whole" };
const UNSATISFIABLE: RangeRequest = { kind: "unsatisfiable" };
const SINGLE_RANGE = /^bytes=[ \t]*([0-9]*)-([0-9]*)[ \t]*$/i;

/**
 * Reads a Range header as RFC 9110 section 14 says (https://www.rfc-editor.org/rfc/rfc9110#section-14):
 * `bytes=a-b`, `bytes=a-` and `bytes=-n`. Malformed ranges, other units and several ranges at once (which
 * no package client sends, and which cost a server more than they save) count as no range.
 * `If-Range` and the method (only GET has ranges) are the caller's to judge.
 */
export function parseRange(header: string | undefined, sizeBytes: number): RangeRequest {
  const match = header === undefined ? null : SINGLE_RANGE.exec(header);
  if (match === null) return WHOLE;
  const [, first = "", last = ""] = match;
  if (first === "") return last === "" ? WHOLE : suffix(Number(last), sizeBytes);
  const start = Number(first);
  if (last !== "" && Number(last) < start) return WHOLE;
  if (start >= sizeBytes) return UNSATISFIABLE;
  const end = last === "" ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  return { kind: "range", range: { start, end } };
}

/** The Content-Range of a 206, such as `bytes 0-99/1234`. */
export function contentRange(range: ByteRange, sizeBytes: number): string {
  return `bytes ${range.start}-${range.end}/${sizeBytes}`;
}

/** The Content-Range of a 416: an asterisk in place of the range. */
export function unsatisfiedContentRange(sizeBytes: number): string {
  return `bytes */${sizeBytes}`;
}

function suffix(lengthBytes: number, sizeBytes: number): RangeRequest {
  if (lengthBytes === 0) return UNSATISFIABLE;
  // Satisfiable by the RFC, but no Content-Range can name a part of nothing.
  if (sizeBytes === 0) return WHOLE;
  return {
    kind: "range",
    range: { start: Math.max(0, sizeBytes - lengthBytes), end: sizeBytes - 1 },
  };
}
