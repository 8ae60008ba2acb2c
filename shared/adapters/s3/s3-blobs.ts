import {
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type {
  BlobPage,
  BlobStat,
  Blobs,
  ByteRange,
  ByteStream,
  DirectUpload,
  DownloadTicketOptions,
  MultipartUpload,
  PutOptions,
  StagedPiece,
  StoredBlob,
  Ticket,
  UploadedPart,
  UploadTicketOptions,
} from "../../ports/blobs.ts";
import {
  BlobsUnavailableError,
  BlobTooLargeError,
  DigestMismatchError,
  MultipartNotFoundError,
} from "../../ports/blobs.ts";
import { BlobHasher } from "../blob-hasher.ts";
import { headerText } from "../header-text.ts";
import { requirePartNumber, requireUploadSize } from "../upload-limits.ts";
import { takeDirectUpload } from "./s3-direct.ts";
import { type Retention, retainBlobs } from "./retention.ts";
import { unlessS3Says } from "./s3-errors.ts";
import { blobKey, parseUploadId, type S3Bucket, type S3Upload } from "./s3-keys.ts";
import {
  abortInterruptedPuts,
  abortUpload,
  beginUpload,
  findParts,
  joinParts,
  listUploads,
  requireUpload,
} from "./s3-multipart.ts";
import { promote, putToS3, removeObject, removeStaged } from "./s3-put.ts";
import { listBlobs, openObject, removeStaleStaging } from "./s3-read.ts";
import { commitPieces, discardPiece, stagePiece } from "./s3-staged.ts";

/** What {@link S3Blobs} needs. */
export interface S3BlobsOptions {
  /** Must exist. The caller needs `s3:ListBucket` on it: without, S3 answers 403 for what is absent. */
  readonly bucket: string;
  /** Region, endpoint, credentials, retries, request handler. Presigned URLs name the same endpoint. */
  readonly client?: S3ClientConfig;
  /**
   * `leave`: staged objects that are done with stay until a sweep or the bucket's lifecycle takes them, for callers
   * without `s3:DeleteObject`. Default: `remove`.
   */
  readonly leftovers?: "remove" | "leave";
  /** Locks blobs when they are written, in a bucket with Object Lock. Absent: does not. */
  readonly retention?: Retention;
}

/**
 * {@link Blobs} in an S3 bucket: blobs at `blobs/sha256/<hex>`, what is unfinished under `staging/`.
 * Times are S3's own, in whole seconds.
 */
export class S3Blobs implements Blobs {
  readonly #bucket: S3Bucket;
  #isBucketKnown = false;

  constructor(options: S3BlobsOptions) {
    const client = new S3Client({
      ...options.client,
      // The default puts a CRC32 of no bytes into presigned URLs, and S3 refuses every part sent with
      // them. Where we send bytes ourselves we give their sha256.
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
    });
    if (options.retention !== undefined) retainBlobs(client, options.retention);
    this.#bucket = { client, name: options.bucket, leftovers: options.leftovers ?? "remove" };
  }

  async put(body: ByteStream | Uint8Array, options: PutOptions = {}): Promise<StoredBlob> {
    return putToS3(this.#bucket, body, options);
  }

  async open(sha256: string, range?: ByteRange): Promise<ByteStream | undefined> {
    return openObject(this.#bucket, blobKey(sha256), range);
  }

  async read(sha256: string, range?: ByteRange): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const body = await openObject(this.#bucket, blobKey(sha256), range);
    return body === undefined ? undefined : new Uint8Array(await new Response(body).arrayBuffer());
  }

  async stat(sha256: string): Promise<BlobStat | undefined> {
    const { client, name } = this.#bucket;
    const found = await unlessS3Says(["NotFound", "NoSuchKey"], () =>
      client.send(new HeadObjectCommand({ Bucket: name, Key: blobKey(sha256) })),
    );
    if (found === undefined) {
      // An answer to HEAD has no body, so that a missing bucket looks like a missing object.
      if (!this.#isBucketKnown) await this.ping();
      return undefined;
    }
    return { sizeBytes: found.ContentLength ?? 0, storedAtMs: found.LastModified?.getTime() ?? 0 };
  }

  async remove(sha256: string): Promise<void> {
    await removeObject(this.#bucket, blobKey(sha256));
  }

  async list(options: { readonly limit: number; readonly cursor?: string }): Promise<BlobPage> {
    return listBlobs(this.#bucket, options);
  }

  async uploadTicket(options: UploadTicketOptions): Promise<Ticket> {
    requireUploadSize(options.sizeBytes);
    const checksum = Buffer.from(options.sha256, "hex").toString("base64");
    const command = new PutObjectCommand({
      Bucket: this.#bucket.name,
      Key: blobKey(options.sha256),
      ContentLength: options.sizeBytes,
      ChecksumSHA256: checksum,
    });
    const headers = {
      "content-length": String(options.sizeBytes),
      "x-amz-checksum-sha256": checksum,
    };
    return this.#ticket("PUT", options, headers, (signing) =>
      // Hoisted into the query, the checksum would be a parameter that S3 does not look at.
      getSignedUrl(this.#bucket.client, command, {
        ...signing,
        unhoistableHeaders: new Set(["x-amz-checksum-sha256"]),
      }),
    );
  }

  async downloadTicket(options: DownloadTicketOptions): Promise<Ticket> {
    const { contentType, contentDisposition, contentEncoding } = options;
    const command = new GetObjectCommand({
      Bucket: this.#bucket.name,
      Key: blobKey(options.sha256),
      ResponseContentType: contentType && headerText(contentType),
      ResponseContentDisposition: contentDisposition && headerText(contentDisposition),
      ResponseContentEncoding: contentEncoding && headerText(contentEncoding),
    });
    return this.#ticket("GET", options, {}, (signing) =>
      getSignedUrl(this.#bucket.client, command, signing),
    );
  }

  async beginMultipart(): Promise<MultipartUpload> {
    return beginUpload(this.#bucket);
  }

  async partTicket(options: {
    readonly uploadId: string;
    readonly partNumber: number;
    readonly sizeBytes: number;
    readonly expiresInSeconds: number;
  }): Promise<Ticket> {
    requireUploadSize(options.sizeBytes);
    requirePartNumber(options.partNumber);
    const { key, id } = requireUpload(options.uploadId);
    const command = new UploadPartCommand({
      Bucket: this.#bucket.name,
      Key: key,
      UploadId: id,
      PartNumber: options.partNumber,
      ContentLength: options.sizeBytes,
    });
    const headers = { "content-length": String(options.sizeBytes) };
    return this.#ticket("PUT", options, headers, (signing) =>
      getSignedUrl(this.#bucket.client, command, signing),
    );
  }

  async listParts(uploadId: string): Promise<readonly UploadedPart[]> {
    const parts = await findParts(this.#bucket, requireUpload(uploadId));
    if (parts === undefined) throw new MultipartNotFoundError();
    return parts;
  }

  async completeMultipart(
    uploadId: string,
    options: PutOptions & { readonly partCount: number },
  ): Promise<StoredBlob> {
    const upload = requireUpload(uploadId);
    await joinParts(this.#bucket, upload, options.partCount);
    try {
      const blob = await this.#readBack(upload, options);
      await promote(this.#bucket, upload.key, blob);
      return blob;
    } catch (error) {
      if (error instanceof DigestMismatchError || error instanceof BlobTooLargeError) {
        await removeStaged(this.#bucket, upload.key);
      }
      throw error;
    }
  }

  async abortMultipart(uploadId: string): Promise<void> {
    const upload = parseUploadId(uploadId);
    if (upload !== undefined) await abortUpload(this.#bucket, upload);
  }

  async listMultipart(): Promise<readonly MultipartUpload[]> {
    return listUploads(this.#bucket);
  }

  async stage(
    body: ByteStream,
    options: { readonly maxSizeBytes?: number } = {},
  ): Promise<StagedPiece> {
    return stagePiece(this.#bucket, body, options);
  }

  async commitStaged(
    pieces: readonly StagedPiece[],
    options: PutOptions = {},
  ): Promise<StoredBlob> {
    return commitPieces(this.#bucket, pieces, options);
  }

  async discardStaged(pieceId: string): Promise<void> {
    await discardPiece(this.#bucket, pieceId);
  }

  async takeDirect(upload: DirectUpload): Promise<StoredBlob | undefined> {
    return takeDirectUpload(this.#bucket, upload);
  }

  async sweep(olderThanMs: number): Promise<void> {
    await abortInterruptedPuts(this.#bucket, olderThanMs);
    await removeStaleStaging(this.#bucket, olderThanMs);
  }

  async ping(): Promise<void> {
    try {
      await this.#bucket.client.send(new HeadBucketCommand({ Bucket: this.#bucket.name }));
      this.#isBucketKnown = true;
    } catch (error) {
      throw new BlobsUnavailableError("the bucket does not answer", { cause: error });
    }
  }

  async #readBack(upload: S3Upload, options: PutOptions): Promise<StoredBlob> {
    const body = await openObject(this.#bucket, upload.key);
    if (body === undefined) throw new MultipartNotFoundError();
    const hasher = new BlobHasher(options);
    for await (const chunk of body) hasher.update(chunk);
    return hasher.finish();
  }

  async #ticket(
    method: "PUT" | "GET",
    options: { readonly expiresInSeconds: number },
    headers: Readonly<Record<string, string>>,
    sign: (signing: {
      readonly expiresIn: number;
      readonly signingDate: Date;
      readonly signableHeaders: Set<string>;
    }) => Promise<string>,
  ): Promise<Ticket> {
    const signingDate = new Date();
    const signableHeaders = new Set(["host", ...Object.keys(headers)]);
    const url = await sign({ expiresIn: options.expiresInSeconds, signingDate, signableHeaders });
    const expiresAtSeconds = Math.floor(signingDate.getTime() / 1000) + options.expiresInSeconds;
    return { method, url, headers, expiresAtSeconds };
  }
}
