import { MAX_PARTS, MAX_SINGLE_UPLOAD_BYTES } from "../ports/blobs.ts";

/** @throws {RangeError} for what S3 does not take in one PUT: more than 5 GiB, or not a count of bytes. */
export function requireUploadSize(sizeBytes: number): void {
  if (!Number.isInteger(sizeBytes) || sizeBytes < 0 || sizeBytes > MAX_SINGLE_UPLOAD_BYTES) {
    throw new RangeError(`one upload holds 0 to ${MAX_SINGLE_UPLOAD_BYTES} bytes`);
  }
}

/** @throws {RangeError} unless an integer from 1 to 10,000. */
export function requirePartNumber(partNumber: number): void {
  if (!Number.isInteger(partNumber) || partNumber < 1 || partNumber > MAX_PARTS) {
    throw new RangeError(`parts are numbered from 1 to ${MAX_PARTS}`);
  }
}
