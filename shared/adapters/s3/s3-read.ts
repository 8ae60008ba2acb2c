import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  ListObjectsV2Command,
  paginateListObjectsV2,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { isDigest } from "../../domain/digest.ts";
import type { BlobPage, BlobStat, ByteRange, ByteStream } from "../../ports/blobs.ts";
import { answered, unlessS3Says } from "./s3-errors.ts";
import { BLOB_PREFIX, blobKey, type S3Bucket, STAGING_PREFIX } from "./s3-keys.ts";
import { removeObject } from "./s3-put.ts";

const MAX_KEYS = 1000;

/** The bytes at a key; `undefined` when absent. @throws {RangeError} for a range outside the object. */
export async function openObject(
  bucket: S3Bucket,
  key: string,
  range?: ByteRange,
): Promise<ByteStream | undefined> {
  if (range !== undefined && !isRange(range)) throw outside(range);
  const Range = range && `bytes=${range.start}-${range.end}`;
  const output = await unlessS3Says(["NoSuchKey"], () =>
    bucket.client.send(new GetObjectCommand({ Bucket: bucket.name, Key: key, Range })),
  ).catch((error: unknown) => {
    const isOutside = error instanceof S3ServiceException && error.name === "InvalidRange";
    throw isOutside && range !== undefined ? outside(range) : error;
  });
  if (output?.Body === undefined) return undefined;
  const body = output.Body.transformToWebStream();
  if (range !== undefined && !isWhole(output, range)) {
    await body.cancel();
    throw outside(range);
  }
  return body;
}

/** A page of blobs, in the order of their digests. */
export async function listBlobs(
  bucket: S3Bucket,
  options: { readonly limit: number; readonly cursor?: string },
): Promise<BlobPage> {
  const StartAfter = options.cursor === undefined ? undefined : blobKey(options.cursor);
  const page = await answered(() =>
    bucket.client.send(
      new ListObjectsV2Command({
        Bucket: bucket.name,
        Prefix: BLOB_PREFIX,
        MaxKeys: Math.min(options.limit, MAX_KEYS),
        StartAfter,
      }),
    ),
  );
  const blobs: (BlobStat & { sha256: string })[] = [];
  for (const { Key, Size, LastModified } of page.Contents ?? []) {
    const sha256 = Key?.slice(BLOB_PREFIX.length) ?? "";
    if (!isDigest("sha256", sha256) || Size === undefined || LastModified === undefined) continue;
    blobs.push({ sha256, sizeBytes: Size, storedAtMs: LastModified.getTime() });
  }
  const cursor = blobs.at(-1)?.sha256;
  return page.IsTruncated === true && cursor !== undefined ? { blobs, cursor } : { blobs };
}

/** Removes staged objects older than `olderThanMs`. */
export async function removeStaleStaging(bucket: S3Bucket, olderThanMs: number): Promise<void> {
  const input = { Bucket: bucket.name, Prefix: STAGING_PREFIX };
  const stale: string[] = [];
  await answered(async () => {
    for await (const page of paginateListObjectsV2({ client: bucket.client }, input)) {
      for (const { Key, LastModified } of page.Contents ?? []) {
        if (Key === undefined || LastModified === undefined) continue;
        if (LastModified.getTime() < olderThanMs) stale.push(Key);
      }
    }
  });
  for (const key of stale) await removeObject(bucket, key);
}

function isRange({ start, end }: ByteRange): boolean {
  return Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start <= end;
}

/** S3 cuts a range that goes past the end and answers 206 all the same. */
function isWhole(output: GetObjectCommandOutput, range: ByteRange): boolean {
  return output.ContentLength === range.end - range.start + 1;
}

function outside(range: ByteRange): RangeError {
  return new RangeError(`bytes ${range.start}-${range.end} are not inside the blob`);
}
