import { rm, stat } from "node:fs/promises";
import { isDigest } from "../../domain/digest.ts";
import type {
  BlobPage,
  BlobStat,
  Blobs,
  ByteRange,
  ByteStream,
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
} from "../../ports/blobs.ts";
import { BlobHasher, hashBytes } from "../blob-hasher.ts";
import { takeHead } from "../stream-head.ts";
import { BlobFolder } from "./blob-folder.ts";
import { BlobTickets, type TicketClaims } from "./blob-tickets.ts";
import { unlessMissing } from "./errno.ts";
import { openFileStream, readFileBytes } from "./file-stream.ts";
import { PartFolder } from "./part-folder.ts";
import { StagedPieces } from "./staged-pieces.ts";
import { writeSmallFile, writeStreamToFile } from "./write-file.ts";

/** Up to here a body is hashed and written in one go, without a stream's machinery. More takes longer than the event loop should stand still. */
const SMALL_BYTES = 64 * 1024;

/** How {@link FileBlobs.open} finds its folder and signs its tickets. */
export interface FileBlobsOptions {
  /** Created when missing; on one file system. Several processes may use it at once. */
  readonly folder: string;
  /** At least 32 secret bytes, the same in every process that shares the folder. */
  readonly ticketKey: Uint8Array;
  /** Unix milliseconds; default `Date.now`. */
  readonly clock?: () => number;
}

/** {@link Blobs} in a folder: for one machine, with tickets that `cli/serve/blob-routes.ts` answers. */
export class FileBlobs implements Blobs {
  readonly #folder: BlobFolder;
  readonly #parts: PartFolder;
  readonly #pieces: StagedPieces;
  readonly #tickets: BlobTickets;
  readonly #clock: () => number;

  private constructor(folder: BlobFolder, parts: PartFolder, options: FileBlobsOptions) {
    this.#folder = folder;
    this.#parts = parts;
    this.#pieces = new StagedPieces(folder);
    this.#clock = options.clock ?? Date.now;
    this.#tickets = new BlobTickets(options.ticketKey, this.#clock);
  }

  /** Opens a folder, creating it when missing. @throws {RangeError} for a short key. */
  static async open(options: FileBlobsOptions): Promise<FileBlobs> {
    const parts = await PartFolder.open(options.folder);
    return new FileBlobs(await BlobFolder.open(options.folder), parts, options);
  }

  async put(body: ByteStream | Uint8Array, options: PutOptions = {}): Promise<StoredBlob> {
    if (body instanceof Uint8Array) {
      if (body.byteLength <= SMALL_BYTES) return this.#putSmall(body, options);
      return this.#putChunks(slices(body), options);
    }
    const head = await takeHead(body, SMALL_BYTES);
    return head.kind === "whole"
      ? this.#putSmall(head.bytes, options)
      : this.#putChunks(head.chunks, options);
  }

  async open(sha256: string, range?: ByteRange): Promise<ByteStream | undefined> {
    return openFileStream(this.#folder.pathOf(sha256), range);
  }

  async read(sha256: string, range?: ByteRange): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return readFileBytes(this.#folder.pathOf(sha256), range);
  }

  async stat(sha256: string): Promise<BlobStat | undefined> {
    const path = this.#folder.pathOf(sha256);
    const found = await unlessMissing(() => stat(path));
    return found && { sizeBytes: found.size, storedAtMs: Math.round(found.mtimeMs) };
  }

  async remove(sha256: string): Promise<void> {
    await rm(this.#folder.pathOf(sha256), { force: true });
  }

  async list(options: { readonly limit: number; readonly cursor?: string }): Promise<BlobPage> {
    const blobs: (BlobStat & { sha256: string })[] = [];
    for await (const sha256 of this.#folder.digestsAfter(options.cursor ?? "")) {
      const last = blobs.at(-1);
      if (blobs.length >= options.limit && last) return { blobs, cursor: last.sha256 };
      const found = await this.stat(sha256);
      if (found !== undefined) blobs.push({ sha256, ...found });
    }
    return { blobs };
  }

  async uploadTicket(options: UploadTicketOptions): Promise<Ticket> {
    const { sha256, sizeBytes, expiresInSeconds } = options;
    return this.#tickets.issue({ kind: "upload", sha256, sizeBytes }, expiresInSeconds);
  }

  async downloadTicket(options: DownloadTicketOptions): Promise<Ticket> {
    const { sha256, expiresInSeconds, ...headers } = options;
    return this.#tickets.issue({ kind: "download", sha256, headers }, expiresInSeconds);
  }

  /** What a ticket's URL allows, for the routes that answer tickets. */
  verifyTicket(url: string): TicketClaims | "invalid" | "expired" {
    return this.#tickets.verify(url);
  }

  async beginMultipart(): Promise<MultipartUpload> {
    return this.#parts.begin(this.#clock());
  }

  async partTicket(options: {
    readonly uploadId: string;
    readonly partNumber: number;
    readonly sizeBytes: number;
    readonly expiresInSeconds: number;
  }): Promise<Ticket> {
    const { expiresInSeconds, ...part } = options;
    await this.#parts.requireUpload(part.uploadId);
    return this.#tickets.issue({ kind: "part", ...part }, expiresInSeconds);
  }

  /**
   * Stores one part, for the routes that answer tickets; gives its ETag, quoted.
   *
   * @throws {MultipartNotFoundError} | {@link DigestMismatchError} when it is not `sizeBytes` long.
   */
  async putPart(
    part: { readonly uploadId: string; readonly partNumber: number; readonly sizeBytes: number },
    body: AsyncIterable<Uint8Array>,
  ): Promise<string> {
    return `"${await this.#parts.putPart(part, body, this.#folder.tempPath())}"`;
  }

  async listParts(uploadId: string): Promise<readonly UploadedPart[]> {
    return this.#parts.list(uploadId);
  }

  async completeMultipart(
    uploadId: string,
    options: PutOptions & { readonly partCount: number },
  ): Promise<StoredBlob> {
    const chunks = await this.#parts.join(uploadId, options.partCount);
    try {
      const stored = await this.#putChunks(chunks, options);
      await this.#parts.remove(uploadId);
      return stored;
    } catch (error) {
      if (error instanceof DigestMismatchError || error instanceof BlobTooLargeError) {
        await this.#parts.remove(uploadId);
      }
      throw error;
    }
  }

  async abortMultipart(uploadId: string): Promise<void> {
    await this.#parts.remove(uploadId);
  }

  async listMultipart(): Promise<readonly MultipartUpload[]> {
    return this.#parts.listUploads();
  }

  async stage(
    body: ByteStream,
    options: { readonly maxSizeBytes?: number } = {},
  ): Promise<StagedPiece> {
    return this.#pieces.stage(body, options);
  }

  async commitStaged(
    pieces: readonly StagedPiece[],
    options: PutOptions = {},
  ): Promise<StoredBlob> {
    const [only] = pieces;
    if (only !== undefined && pieces.length === 1) {
      const blob = await this.#pieces.verify(only, options);
      await this.#pieces.promote(only, this.#clock());
      return blob;
    }
    const stored = await this.#putChunks(this.#pieces.read(pieces), options);
    for (const { pieceId } of pieces) await this.#pieces.discard(pieceId);
    return stored;
  }

  async discardStaged(pieceId: string): Promise<void> {
    await this.#pieces.discard(pieceId);
  }

  /** Nothing: the embedded server's edge completes uploads itself. */
  async takeDirect(): Promise<StoredBlob | undefined> {
    return undefined;
  }

  async sweep(olderThanMs: number): Promise<void> {
    await this.#folder.sweepTemp(olderThanMs);
  }

  async ping(): Promise<void> {
    try {
      await this.#folder.probe();
    } catch (error) {
      throw new BlobsUnavailableError("the folder of blobs cannot be written to", { cause: error });
    }
  }

  async #putSmall(bytes: Uint8Array, options: PutOptions): Promise<StoredBlob> {
    const said = options.expected?.sha256;
    if (said !== undefined && isDigest("sha256", said) && !this.#folder.has(said)) {
      return this.#putNew(bytes, options);
    }
    const blob = hashBytes(bytes, options);
    if (await this.#folder.refresh(blob.sha256, blob.sizeBytes, this.#clock())) return blob;
    const temp = this.#folder.tempPath();
    await writeSmallFile(temp, bytes);
    await this.#commit(temp, blob.sha256);
    return blob;
  }

  /** Hashes bytes that are not there yet, as they say of themselves, while the disk takes them. */
  async #putNew(bytes: Uint8Array, options: PutOptions): Promise<StoredBlob> {
    const temp = this.#folder.tempPath();
    const written = writeSmallFile(temp, bytes);
    // Met below; the hash may fail before.
    written.catch(() => undefined);
    const blob = await orRemove(temp, async () => {
      const hashed = hashBytes(bytes, options);
      await written;
      return hashed;
    });
    await this.#commit(temp, blob.sha256);
    return blob;
  }

  async #putChunks(
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    options: PutOptions,
  ): Promise<StoredBlob> {
    const temp = this.#folder.tempPath();
    const hasher = new BlobHasher(options);
    await writeStreamToFile(temp, chunks, (chunk) => hasher.update(chunk));
    const blob = await orRemove(temp, async () => hasher.finish());
    await this.#commit(temp, blob.sha256);
    return blob;
  }

  async #commit(temp: string, sha256: string): Promise<void> {
    await orRemove(temp, () => this.#folder.commit(temp, sha256, this.#clock()));
  }
}

async function orRemove<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.byteLength; start += SMALL_BYTES) {
    yield bytes.subarray(start, start + SMALL_BYTES);
  }
}
