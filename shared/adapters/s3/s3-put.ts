import { DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { isDigest } from "../../domain/digest.ts";
import type { ByteStream, PutOptions, StoredBlob } from "../../ports/blobs.ts";
import { BlobHasher, hashBytes } from "../blob-hasher.ts";
import { takeHead } from "../stream-head.ts";
import { PartWriter } from "./part-writer.ts";
import { copyObject } from "./s3-copy.ts";
import { answered } from "./s3-errors.ts";
import { blobKey, newStagingKey, type S3Bucket } from "./s3-keys.ts";

/** Up to here one PUT with its checksum; it is also what one part holds. */
const SINGLE_PUT_BYTES = 8 * 1024 ** 2;

/** `put` of the port. */
export async function putToS3(
  bucket: S3Bucket,
  body: ByteStream | Uint8Array,
  options: PutOptions,
): Promise<StoredBlob> {
  if (body instanceof Uint8Array) {
    return body.byteLength <= SINGLE_PUT_BYTES
      ? putWhole(bucket, body, options)
      : putLong(bucket, [body], options);
  }
  const head = await takeHead(body, SINGLE_PUT_BYTES);
  return head.kind === "whole"
    ? putWhole(bucket, head.bytes, options)
    : putLong(bucket, head.chunks, options);
}

/** Moves an object of staging to its blob's key. */
export async function promote(
  bucket: S3Bucket,
  stagingKey: string,
  blob: StoredBlob,
): Promise<void> {
  await copyObject(bucket, stagingKey, blobKey(blob.sha256), blob.sizeBytes);
  await removeStaged(bucket, stagingKey);
}

/** Removes what is left of a finished upload, where that is not the sweeper's part. */
export async function removeStaged(bucket: S3Bucket, key: string): Promise<void> {
  if (bucket.leftovers === "remove") await removeObject(bucket, key);
}

/** Absent objects are removed successfully. */
export async function removeObject(bucket: S3Bucket, key: string): Promise<void> {
  await answered(() =>
    bucket.client.send(new DeleteObjectCommand({ Bucket: bucket.name, Key: key })),
  );
}

async function putWhole(
  bucket: S3Bucket,
  bytes: Uint8Array,
  options: PutOptions,
): Promise<StoredBlob> {
  const blob = hashBytes(bytes, options);
  await answered(() =>
    bucket.client.send(
      new PutObjectCommand({
        Bucket: bucket.name,
        Key: blobKey(blob.sha256),
        Body: bytes,
        ContentLength: bytes.byteLength,
        ChecksumSHA256: Buffer.from(blob.sha256, "hex").toString("base64"),
      }),
    ),
  );
  return blob;
}

async function putLong(
  bucket: S3Bucket,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: PutOptions,
): Promise<StoredBlob> {
  // An unfinished multipart upload is invisible, so that bytes which must turn out to have a known digest
  // may go to their own key at once; that saves the copy.
  const expected = options.expected?.sha256;
  const isKnown = expected !== undefined && isDigest("sha256", expected);
  const key = isKnown ? blobKey(expected) : newStagingKey();
  const hasher = new BlobHasher(options);
  const writer = await PartWriter.begin(bucket, key);
  let blob: StoredBlob;
  try {
    for await (const chunk of chunks) {
      hasher.update(chunk);
      await writer.write(chunk);
    }
    blob = hasher.finish();
    await writer.complete();
  } catch (error) {
    await writer.abort();
    throw error;
  }
  if (!isKnown) await promote(bucket, key, blob);
  return blob;
}
