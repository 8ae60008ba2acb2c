import type { S3Client } from "@aws-sdk/client-s3";
import { BLOB_PREFIX } from "./s3-keys.ts";

/** How long nobody, or nobody without a special right (`governance`), deletes a version of a blob. */
export interface Retention {
  readonly mode: "governance" | "compliance";
  readonly days: number;
}

/** What can make an object at a blob's key. */
const MAKES_OBJECTS = new Set([
  "PutObjectCommand",
  "CopyObjectCommand",
  "CreateMultipartUploadCommand",
]);
const DAY_MS = 86_400_000;

/**
 * Has everything that this client writes below `blobs/` locked for a time. Not the bucket's own default retention:
 * that would lock what is unfinished as well, and S3 then refuses parts that are sent without a checksum
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html#object-lock-put-object).
 * The bucket must have Object Lock, the caller `s3:PutObjectRetention`.
 */
export function retainBlobs(client: S3Client, { mode, days }: Retention): void {
  client.middlewareStack.add(
    (next, { commandName = "" }) =>
      async (args) => {
        const { input } = args;
        const isBlob = "Key" in input && input.Key?.startsWith(BLOB_PREFIX) === true;
        if (isBlob && MAKES_OBJECTS.has(commandName)) {
          Object.assign(input, {
            ObjectLockMode: mode === "governance" ? "GOVERNANCE" : "COMPLIANCE",
            ObjectLockRetainUntilDate: new Date(Date.now() + days * DAY_MS),
          });
        }
        return next(args);
      },
    { step: "initialize", name: "retainBlobs" },
  );
}
