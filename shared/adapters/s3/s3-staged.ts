import { HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import {
  type ByteStream,
  type PutOptions,
  type StagedPiece,
  StagedPieceNotFoundError,
  type StoredBlob,
} from "../../ports/blobs.ts";
import { BlobHasher, needsBytes, verifyKnown } from "../blob-hasher.ts";
import { takeHead } from "../stream-head.ts";
import { PartWriter } from "./part-writer.ts";
import { answered, unlessS3Says } from "./s3-errors.ts";
import { newPiece, pieceKey, type S3Bucket } from "./s3-keys.ts";
import { promote, putToS3, removeStaged } from "./s3-put.ts";
import { openObject } from "./s3-read.ts";

/** Up to here a piece is one PUT with its checksum. */
const SINGLE_PUT_BYTES = 8 * 1024 ** 2;

/** `stage` of the port: an object of its own below `staging/pieces/`. */
export async function stagePiece(
  bucket: S3Bucket,
  body: ByteStream,
  options: { readonly maxSizeBytes?: number },
): Promise<StagedPiece> {
  const { pieceId, key } = newPiece();
  const hasher = new BlobHasher(options);
  const head = await takeHead(body, SINGLE_PUT_BYTES);
  if (head.kind === "whole") {
    hasher.update(head.bytes);
    const { sha256, sizeBytes } = hasher.finish();
    await answered(() =>
      bucket.client.send(
        new PutObjectCommand({
          Bucket: bucket.name,
          Key: key,
          Body: head.bytes,
          ContentLength: sizeBytes,
          ChecksumSHA256: Buffer.from(sha256, "hex").toString("base64"),
        }),
      ),
    );
    return { pieceId, sha256, sizeBytes };
  }
  const writer = await PartWriter.begin(bucket, key);
  try {
    for await (const chunk of head.chunks) {
      hasher.update(chunk);
      await writer.write(chunk);
    }
    await writer.complete();
  } catch (error) {
    await writer.abort();
    throw error;
  }
  const { sha256, sizeBytes } = hasher.finish();
  return { pieceId, sha256, sizeBytes };
}

/** `commitStaged` of the port: one piece is copied inside S3, several pass through here once more. */
export async function commitPieces(
  bucket: S3Bucket,
  pieces: readonly StagedPiece[],
  options: PutOptions,
): Promise<StoredBlob> {
  const [only] = pieces;
  if (only !== undefined && pieces.length === 1) {
    const blob = await verifyPiece(bucket, only, options);
    await promote(bucket, requireKey(only), blob);
    return blob;
  }
  const blob = await putToS3(bucket, ReadableStream.from(readPieces(bucket, pieces)), options);
  for (const { pieceId } of pieces) await discardPiece(bucket, pieceId);
  return blob;
}

/** `discardStaged` of the port. */
export async function discardPiece(bucket: S3Bucket, pieceId: string): Promise<void> {
  const key = pieceKey(pieceId);
  if (key !== undefined) await removeStaged(bucket, key);
}

async function verifyPiece(
  bucket: S3Bucket,
  piece: StagedPiece,
  options: PutOptions,
): Promise<StoredBlob> {
  if (!needsBytes(options)) {
    const input = { Bucket: bucket.name, Key: requireKey(piece) };
    const found = await unlessS3Says(["NotFound", "NoSuchKey"], () =>
      bucket.client.send(new HeadObjectCommand(input)),
    );
    if (found?.ContentLength !== piece.sizeBytes) throw new StagedPieceNotFoundError();
    return verifyKnown(piece, options);
  }
  const hasher = new BlobHasher(options);
  for await (const chunk of readPieces(bucket, [piece])) hasher.update(chunk);
  return hasher.finish();
}

async function* readPieces(
  bucket: S3Bucket,
  pieces: readonly StagedPiece[],
): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) {
    const body = await openObject(bucket, requireKey(piece));
    if (body === undefined) throw new StagedPieceNotFoundError();
    yield* body;
  }
}

function requireKey(piece: StagedPiece): string {
  const key = pieceKey(piece.pieceId);
  if (key === undefined) throw new StagedPieceNotFoundError();
  return key;
}
