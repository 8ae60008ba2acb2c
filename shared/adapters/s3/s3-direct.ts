import { CopyObjectCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import {
  BlobTooLargeError,
  type DirectUpload,
  DigestMismatchError,
  type StoredBlob,
} from "../../ports/blobs.ts";
import { answered, unlessS3Says } from "./s3-errors.ts";
import { blobKey, directKey, newStagingKey, type S3Bucket } from "./s3-keys.ts";

/**
 * `takeDirect` of the port. S3 has checked the bytes where the upload said their sha256
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html); otherwise a copy of our own,
 * which nobody can replace meanwhile, is made and checked. The upload itself is left to the lifecycle of staging:
 * who publishes may not delete.
 */
export async function takeDirectUpload(
  bucket: S3Bucket,
  { stage, sha256, maxSizeBytes }: DirectUpload,
): Promise<StoredBlob | undefined> {
  const key = directKey(stage, sha256);
  const head = await unlessS3Says(["NotFound", "NoSuchKey"], () =>
    bucket.client.send(
      new HeadObjectCommand({ Bucket: bucket.name, Key: key, ChecksumMode: "ENABLED" }),
    ),
  );
  if (head?.ContentLength === undefined) return undefined;
  const sizeBytes = head.ContentLength;
  if (sizeBytes > maxSizeBytes) throw new BlobTooLargeError(maxSizeBytes);
  const expected = Buffer.from(sha256, "hex").toString("base64");
  if (head.ChecksumSHA256 === expected) {
    await copy(bucket, key, blobKey(sha256), head.ETag);
  } else {
    const own = newStagingKey();
    const found = await copy(bucket, key, own, head.ETag);
    if (found !== expected) throw new DigestMismatchError("sha256", expected, found ?? "none");
    await copy(bucket, own, blobKey(sha256));
  }
  return { sha256, sizeBytes, digests: { sha256 } };
}

/** At most 5 GiB, which is also the most that can have been uploaded. Gives the copy's sha256 in base64. */
async function copy(
  bucket: S3Bucket,
  from: string,
  to: string,
  etag?: string,
): Promise<string | undefined> {
  const { CopyObjectResult } = await answered(() =>
    bucket.client.send(
      new CopyObjectCommand({
        Bucket: bucket.name,
        Key: to,
        CopySource: `${bucket.name}/${from}`,
        CopySourceIfMatch: etag,
        ChecksumAlgorithm: "SHA256",
      }),
    ),
  );
  return CopyObjectResult?.ChecksumSHA256;
}
