import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
} from "@aws-sdk/client-s3";
import {
  MIN_PART_BYTES,
  MultipartNotFoundError,
  MultipartPartError,
  type MultipartUpload,
  type UploadedPart,
} from "../../ports/blobs.ts";
import { answered, unlessS3Says } from "./s3-errors.ts";
import {
  newPartsKey,
  PARTS_PREFIX,
  parseUploadId,
  type S3Bucket,
  type S3Upload,
  uploadIdOf,
} from "./s3-keys.ts";

/** A new, empty upload. */
export async function beginUpload(bucket: S3Bucket): Promise<MultipartUpload> {
  const key = newPartsKey();
  const { UploadId } = await answered(() =>
    bucket.client.send(new CreateMultipartUploadCommand({ Bucket: bucket.name, Key: key })),
  );
  if (UploadId === undefined) throw new Error("S3 began a multipart upload without an id");
  return { uploadId: uploadIdOf({ key, id: UploadId }), startedAtMs: Date.now() };
}

/** @throws {MultipartNotFoundError} for an id that is none of ours; S3 is not asked. */
export function requireUpload(uploadId: string): S3Upload {
  const upload = parseUploadId(uploadId);
  if (upload === undefined) throw new MultipartNotFoundError();
  return upload;
}

/** Ascending; `undefined` when S3 knows no such upload (any more). */
export async function findParts(
  bucket: S3Bucket,
  upload: S3Upload,
): Promise<readonly UploadedPart[] | undefined> {
  const input = { Bucket: bucket.name, Key: upload.key, UploadId: upload.id };
  return unlessS3Says(["NoSuchUpload"], async () => {
    const parts: UploadedPart[] = [];
    // Not the SDK's paginator: it goes on while there is a marker, which is there on the last page too.
    for (let marker: string | undefined; ; ) {
      const page = await bucket.client.send(
        new ListPartsCommand({ ...input, PartNumberMarker: marker }),
      );
      for (const { PartNumber, ETag, Size } of page.Parts ?? []) {
        if (PartNumber === undefined || ETag === undefined || Size === undefined) continue;
        parts.push({ partNumber: PartNumber, etag: ETag, sizeBytes: Size });
      }
      marker = page.NextPartNumberMarker;
      if (page.IsTruncated !== true || marker === undefined) return parts;
    }
  });
}

/**
 * Joins the parts 1..`partCount` to the object at the upload's staging key. Resumes where an earlier call
 * was interrupted (a Lambda's time runs out) after S3 had joined them.
 *
 * @throws {MultipartNotFoundError} | {@link MultipartPartError}
 */
export async function joinParts(
  bucket: S3Bucket,
  upload: S3Upload,
  partCount: number,
): Promise<void> {
  const parts = await findParts(bucket, upload);
  if (parts === undefined) return requireJoined(bucket, upload);
  const found = new Map(parts.map((part) => [part.partNumber, part]));
  const Parts = Array.from({ length: partCount }, (_, index) => {
    const part = found.get(index + 1);
    if (part === undefined) throw new MultipartPartError(index + 1, "missing");
    if (index + 1 < partCount && part.sizeBytes < MIN_PART_BYTES) {
      throw new MultipartPartError(index + 1, "too-small");
    }
    return { PartNumber: part.partNumber, ETag: part.etag };
  });
  const input = { Bucket: bucket.name, Key: upload.key, UploadId: upload.id };
  await answered(() =>
    bucket.client.send(
      new CompleteMultipartUploadCommand({ ...input, MultipartUpload: { Parts } }),
    ),
  );
}

/** Forgets an upload; an unknown one is no error. */
export async function abortUpload(bucket: S3Bucket, upload: S3Upload): Promise<void> {
  const input = { Bucket: bucket.name, Key: upload.key, UploadId: upload.id };
  await unlessS3Says(["NoSuchUpload"], () =>
    bucket.client.send(new AbortMultipartUploadCommand(input)),
  );
}

/** At most 1,000 that clients have begun. */
export async function listUploads(bucket: S3Bucket): Promise<readonly MultipartUpload[]> {
  const { uploads } = await uploadsPage(bucket, { Prefix: PARTS_PREFIX });
  return uploads.map((upload) => ({
    uploadId: uploadIdOf(upload),
    startedAtMs: upload.startedAtMs,
  }));
}

/** Aborts the uploads of `put` that began before `olderThanMs`; not those that clients have begun. */
export async function abortInterruptedPuts(bucket: S3Bucket, olderThanMs: number): Promise<void> {
  let page = await uploadsPage(bucket, {});
  for (;;) {
    for (const upload of page.uploads) {
      const isOurs = !upload.key.startsWith(PARTS_PREFIX);
      if (isOurs && upload.startedAtMs < olderThanMs) await abortUpload(bucket, upload);
    }
    if (page.next === undefined) return;
    page = await uploadsPage(bucket, page.next);
  }
}

interface UploadsPosition {
  readonly Prefix?: string;
  readonly KeyMarker?: string | undefined;
  readonly UploadIdMarker?: string | undefined;
}

interface UploadsPage {
  readonly uploads: readonly (S3Upload & { readonly startedAtMs: number })[];
  /** Absent on the last page. */
  readonly next: UploadsPosition | undefined;
}

async function uploadsPage(bucket: S3Bucket, position: UploadsPosition): Promise<UploadsPage> {
  const input = { Bucket: bucket.name, ...position };
  const page = await answered(() => bucket.client.send(new ListMultipartUploadsCommand(input)));
  const uploads = (page.Uploads ?? []).flatMap(({ Key, UploadId, Initiated }) =>
    Key === undefined || UploadId === undefined || Initiated === undefined
      ? []
      : [{ key: Key, id: UploadId, startedAtMs: Initiated.getTime() }],
  );
  const { NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page;
  const next = page.IsTruncated === true ? { KeyMarker, UploadIdMarker } : undefined;
  return { uploads, next };
}

async function requireJoined(bucket: S3Bucket, upload: S3Upload): Promise<void> {
  const found = await unlessS3Says(["NotFound", "NoSuchKey"], () =>
    bucket.client.send(new HeadObjectCommand({ Bucket: bucket.name, Key: upload.key })),
  );
  if (found === undefined) throw new MultipartNotFoundError();
}
