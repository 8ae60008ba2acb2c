import { OciInvalidError } from "./errors.ts";

/** What the headers of a request say of its body; absent where they say nothing. */
export interface Chunk {
  /** Position of the first byte in the blob. */
  readonly startBytes: number | undefined;
  readonly sizeBytes: number | undefined;
}

const COUNT = /^\d{1,15}$/;
/** Unlike HTTP's own, without a unit: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-a-blob-in-chunks */
const CONTENT_RANGE = /^(\d{1,15})-(\d{1,15})$/;

/** @throws {OciInvalidError} for headers that are not sound, or contradict each other. */
export function parseChunk(headers: Headers): Chunk {
  const length = headers.get("content-length");
  if (length !== null && !COUNT.test(length))
    throw invalid("Content-Length is not a number of bytes.");
  const sizeBytes = length === null ? undefined : Number(length);
  const header = headers.get("content-range");
  if (header === null) return { startBytes: undefined, sizeBytes };
  const [, first, last] = CONTENT_RANGE.exec(header) ?? [];
  if (first === undefined || last === undefined || Number(last) < Number(first)) {
    throw invalid(`Content-Range "${header.slice(0, 60)}" is not <first>-<last>.`);
  }
  const rangeBytes = Number(last) - Number(first) + 1;
  if (sizeBytes !== undefined && sizeBytes !== rangeBytes) {
    throw invalid(`Content-Range has ${rangeBytes} bytes, but Content-Length says ${sizeBytes}.`);
  }
  return { startBytes: Number(first), sizeBytes: rangeBytes };
}

const invalid = (message: string): OciInvalidError =>
  new OciInvalidError("BLOB_UPLOAD_INVALID", message);
