import { randomBytes } from "node:crypto";

/** Unix milliseconds, so that age needs no look at the disk, and 128 random bits. */
const UPLOAD_ID = /^([0-9]{13})-[0-9a-f]{32}$/;

/** A new upload's id. */
export function newUploadId(startedAtMs: number): string {
  return `${String(startedAtMs).padStart(13, "0")}-${randomBytes(16).toString("hex")}`;
}

/** True for ids that {@link newUploadId} could have given, and so for what is safe in a path. */
export function isUploadId(text: string): boolean {
  return UPLOAD_ID.test(text);
}

/** Unix milliseconds; `undefined` when it is no id of ours. */
export function startedAtMsOf(uploadId: string): number | undefined {
  const digits = UPLOAD_ID.exec(uploadId)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
