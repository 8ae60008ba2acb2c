import type { DigestAlgorithm, Digests } from "../domain/digest.ts";

/** Bytes as they travel: a web stream, so that routes can hand a request body straight to a store. */
export type ByteStream = ReadableStream<Uint8Array>;

export interface StoredBlob {
  readonly sha256: string;
  readonly sizeBytes: number;
  /** Those that were asked for in `put`, and always sha256. */
  readonly digests: Partial<Digests>;
}

export interface PutOptions {
  /** Digests to compute besides sha256 while the bytes pass. Default: none. */
  readonly algorithms?: readonly DigestAlgorithm[];
  /** What the bytes must turn out to be; anything else is {@link DigestMismatchError} and nothing is kept. */
  readonly expected?: Partial<Digests>;
  readonly expectedSizeBytes?: number;
  /** More bytes than this are {@link BlobTooLargeError}, and nothing is kept. */
  readonly maxSizeBytes?: number;
}

export interface BlobStat {
  readonly sizeBytes: number;
  /** Unix milliseconds of the last `put`, or upload by ticket, of these bytes. */
  readonly storedAtMs: number;
}

/** Inclusive byte positions, as in HTTP. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** A request that a client makes to the store itself (S3, or `/_blobs/` when embedded), without our credentials. */
export interface Ticket {
  readonly method: "PUT" | "GET";
  /** Absolute for S3; a path on our own host when embedded. */
  readonly url: string;
  /** Headers the client must send as they are. */
  readonly headers: Readonly<Record<string, string>>;
  readonly expiresAtSeconds: number;
}

export interface UploadTicketOptions {
  readonly sha256: string;
  /** Exact; at most {@link MAX_SINGLE_UPLOAD_BYTES}. */
  readonly sizeBytes: number;
  readonly expiresInSeconds: number;
}

export interface DownloadTicketOptions {
  readonly sha256: string;
  readonly expiresInSeconds: number;
  /** Response headers that the store sends with the bytes. */
  readonly contentType?: string;
  readonly contentDisposition?: string;
  readonly contentEncoding?: string;
}

export interface UploadedPart {
  readonly partNumber: number;
  readonly etag: string;
  readonly sizeBytes: number;
}

export interface MultipartUpload {
  /** Ours, opaque, safe in a path. */
  readonly uploadId: string;
  readonly startedAtMs: number;
}

/** Bytes that arrived as one piece of a blob whose digest is not known yet. */
export interface StagedPiece {
  /** Ours, opaque: letters, digits and dashes. */
  readonly pieceId: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** An upload that an edge in front of us sent straight to the store, on the strength of a ticket. */
export interface DirectUpload {
  /** What the ticket is for, as it says itself: 1 to 64 letters, digits, `-` and `_`. */
  readonly stage: string;
  readonly sha256: string;
  readonly maxSizeBytes: number;
}

export interface BlobPage {
  readonly blobs: readonly (BlobStat & { readonly sha256: string })[];
  /** Absent on the last page. */
  readonly cursor?: string;
}

/**
 * Content-addressed bytes by sha256 (lower-case hexadecimal). Bytes first, record second: a blob that no
 * record points at is garbage, a record never points at a missing blob.
 *
 * Text that is not a sha256 where one belongs is the caller's mistake and throws TypeError, before it
 * reaches a path or a key; an `uploadId` that we did not give is an unknown one. What the store itself
 * fails to do (S3 throttles, the network is down) is {@link BlobsUnavailableError} or the system's error.
 */
export interface Blobs {
  /**
   * Stores a stream of any length with flat memory, hashing while it writes; durable when it resolves.
   * Storing bytes that are there already refreshes `storedAtMs`. A stream that fails leaves nothing.
   *
   * @throws {DigestMismatchError} | {@link BlobTooLargeError}; whatever the stream throws.
   */
  put(body: ByteStream | Uint8Array, options?: PutOptions): Promise<StoredBlob>;
  /** The bytes, or `undefined` when absent. A range outside the blob is the caller's mistake and throws RangeError. */
  open(sha256: string, range?: ByteRange): Promise<ByteStream | undefined>;
  /** As {@link Blobs.open}, all in memory: for what is known to be small, where a stream would be most of the work. */
  read(sha256: string, range?: ByteRange): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** `undefined` when absent. */
  stat(sha256: string): Promise<BlobStat | undefined>;
  /** Absent blobs are removed successfully. */
  remove(sha256: string): Promise<void>;
  /** Every blob, in no promised order, at most `limit` a page. */
  list(options: { readonly limit: number; readonly cursor?: string }): Promise<BlobPage>;

  /** The store refuses other bytes and, where it can, another length (400 from S3 and from us). */
  uploadTicket(options: UploadTicketOptions): Promise<Ticket>;
  downloadTicket(options: DownloadTicketOptions): Promise<Ticket>;

  /** Starts an upload in parts, for what is larger than one PUT or must resume. */
  beginMultipart(): Promise<MultipartUpload>;
  /** Parts are numbered from 1 to 10,000, 5 MiB to 5 GiB each but for the last; a part may be sent again. */
  partTicket(options: {
    readonly uploadId: string;
    readonly partNumber: number;
    readonly sizeBytes: number;
    readonly expiresInSeconds: number;
  }): Promise<Ticket>;
  /** Parts that arrived so far, ascending. @throws {MultipartNotFoundError} */
  listParts(uploadId: string): Promise<readonly UploadedPart[]>;
  /**
   * Joins the parts 1..n, reads them back, checks them against `expected`, and stores the blob.
   * @throws {MultipartNotFoundError} | {@link MultipartPartError} (the part can still be sent) |
   * {@link DigestMismatchError} | {@link BlobTooLargeError} (the upload is then gone).
   */
  completeMultipart(
    uploadId: string,
    options: PutOptions & { readonly partCount: number },
  ): Promise<StoredBlob>;
  /** Forgets an upload and its parts; an unknown one is no error. */
  abortMultipart(uploadId: string): Promise<void>;
  /** Unfinished uploads, for the sweeper, at most 1,000. */
  listMultipart(): Promise<readonly MultipartUpload[]>;
  /**
   * Stores a stream of any length with flat memory as one piece of a blob to be, hashing while it writes;
   * durable when it resolves. A stream that fails leaves nothing. {@link Blobs.sweep} takes pieces that have
   * become too old, so whoever keeps one longer loses it.
   *
   * @throws {BlobTooLargeError}; whatever the stream throws.
   */
  stage(body: ByteStream, options?: { readonly maxSizeBytes?: number }): Promise<StagedPiece>;
  /**
   * Stores the pieces, in this order, as one blob, and removes them. A single piece becomes the blob as it is;
   * several are read and written once more. On failure the pieces stay.
   *
   * @throws {StagedPieceNotFoundError} | {@link DigestMismatchError} | {@link BlobTooLargeError}.
   */
  commitStaged(pieces: readonly StagedPiece[], options?: PutOptions): Promise<StoredBlob>;
  /** Removes a piece; an unknown one is no error. */
  discardStaged(pieceId: string): Promise<void>;

  /**
   * Stores what the edge received as a blob; `undefined` when nothing came for this stage, as always where there is
   * no such edge. May be repeated.
   *
   * @throws {DigestMismatchError} | {@link BlobTooLargeError}.
   */
  takeDirect(upload: DirectUpload): Promise<StoredBlob | undefined>;

  /** Removes leftovers of interrupted writes older than `olderThanMs` (Unix milliseconds). */
  sweep(olderThanMs: number): Promise<void>;

  /** Cheap proof that the store answers, for `/readyz`. Throws {@link BlobsUnavailableError}. */
  ping(): Promise<void>;
}

export const MAX_SINGLE_UPLOAD_BYTES = 5 * 1024 ** 3;
export const MIN_PART_BYTES = 5 * 1024 ** 2;
export const MAX_PARTS = 10_000;

export class DigestMismatchError extends Error {
  override readonly name = "DigestMismatchError";
  readonly algorithm: DigestAlgorithm | "size";
  readonly expected: string;
  readonly actual: string;
  constructor(algorithm: DigestAlgorithm | "size", expected: string, actual: string) {
    super(`expected ${algorithm} ${expected}, but the bytes have ${actual}`);
    this.algorithm = algorithm;
    this.expected = expected;
    this.actual = actual;
  }
}

export class BlobTooLargeError extends Error {
  override readonly name = "BlobTooLargeError";
  readonly maxSizeBytes: number;
  constructor(maxSizeBytes: number) {
    super(`more than ${maxSizeBytes} bytes`);
    this.maxSizeBytes = maxSizeBytes;
  }
}

export class MultipartNotFoundError extends Error {
  override readonly name = "MultipartNotFoundError";
  constructor() {
    super("there is no such upload; it was completed, aborted or has expired");
  }
}

export class MultipartPartError extends Error {
  override readonly name = "MultipartPartError";
  readonly partNumber: number;
  readonly problem: "missing" | "too-small";
  constructor(partNumber: number, problem: "missing" | "too-small") {
    super(
      problem === "missing"
        ? `part ${partNumber} was not uploaded`
        : `part ${partNumber} is smaller than ${MIN_PART_BYTES} bytes and not the last`,
    );
    this.partNumber = partNumber;
    this.problem = problem;
  }
}

export class StagedPieceNotFoundError extends Error {
  override readonly name = "StagedPieceNotFoundError";
  constructor() {
    super("a piece of the upload is gone; it was committed, discarded or has expired");
  }
}

export class BlobsUnavailableError extends Error {
  override readonly name = "BlobsUnavailableError";
}
