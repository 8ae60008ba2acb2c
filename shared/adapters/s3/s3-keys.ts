import { randomUUID } from "node:crypto";
import type { S3Client } from "@aws-sdk/client-s3";
import { isDigest } from "../../domain/digest.ts";

/** A bucket and what speaks to it. */
export interface S3Bucket {
  readonly client: S3Client;
  readonly name: string;
  /** What becomes of staged objects that are done with; see `S3BlobsOptions.leftovers`. */
  readonly leftovers: "remove" | "leave";
}

/** An S3 multipart upload. */
export interface S3Upload {
  readonly key: string;
  /** S3's own id. */
  readonly id: string;
}

/**
 * No shards such as the file system's `ab/cd/`: since 2018 S3 splits its partitions by itself, and a sha256
 * spreads evenly (https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html).
 */
export const BLOB_PREFIX = "blobs/sha256/";
/** Everything here is unfinished; a lifecycle rule may expire it. */
export const STAGING_PREFIX = "staging/";
/** Uploads that a client sends in parts; the sweeper's, unlike the rest of staging. */
export const PARTS_PREFIX = "staging/parts/";
/** What CloudFront put here for clients, below the scope of a ticket: `<stage>/<sha256>`. */
export const DIRECT_PREFIX = "staging/direct/";

const UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const PIECE_ID = new RegExp(`^${UUID}$`);
const UPLOAD_ID = new RegExp(`^(${UUID})\\.([A-Za-z0-9_-]{1,1024})$`);

/** @throws {TypeError} for anything but 64 lower-case hexadecimal digits. */
export function blobKey(sha256: string): string {
  if (!isDigest("sha256", sha256)) {
    throw new TypeError("a sha256 is 64 lower-case hexadecimal digits");
  }
  return `${BLOB_PREFIX}${sha256}`;
}

/** A key that nobody else will choose. */
export function newStagingKey(): string {
  return `${STAGING_PREFIX}put/${randomUUID()}`;
}

/** The id of a staged piece and its key. */
export function newPiece(): { readonly pieceId: string; readonly key: string } {
  const pieceId = randomUUID();
  return { pieceId, key: `${STAGING_PREFIX}pieces/${pieceId}` };
}

/** `undefined` for an id that {@link newPiece} cannot have given. */
export function pieceKey(pieceId: string): string | undefined {
  return PIECE_ID.test(pieceId) ? `${STAGING_PREFIX}pieces/${pieceId}` : undefined;
}

const STAGE = /^[A-Za-z0-9_-]{1,64}$/;

/** Where the edge put an upload. @throws {TypeError} for what no ticket can have said. */
export function directKey(stage: string, sha256: string): string {
  if (!STAGE.test(stage) || !isDigest("sha256", sha256)) {
    throw new TypeError(
      "a stage is 1 to 64 letters, digits, - and _; a sha256 64 hexadecimal digits",
    );
  }
  return `${DIRECT_PREFIX}${stage}/${sha256}`;
}

/** A key for an upload in parts that nobody else will choose. */
export function newPartsKey(): string {
  return `${PARTS_PREFIX}${randomUUID()}`;
}

/** The port's opaque id: the key's own part, and S3's id in base64url, since it may hold other than safe characters. */
export function uploadIdOf(upload: S3Upload): string {
  const name = upload.key.slice(PARTS_PREFIX.length);
  return `${name}.${Buffer.from(upload.id, "utf8").toString("base64url")}`;
}

/** `undefined` for what {@link uploadIdOf} cannot have given. */
export function parseUploadId(uploadId: string): S3Upload | undefined {
  const [, name, id] = UPLOAD_ID.exec(uploadId) ?? [];
  if (name === undefined || id === undefined) return undefined;
  const s3Id = Buffer.from(id, "base64url").toString("utf8");
  // Servers that speak S3 over a file system make a path of it.
  if (!/^[\x21-\x7e]+$/.test(s3Id) || s3Id.includes("..")) return undefined;
  return { key: `${PARTS_PREFIX}${name}`, id: s3Id };
}
