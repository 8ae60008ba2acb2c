import { rm, stat } from "node:fs/promises";
import {
  type ByteStream,
  type PutOptions,
  type StagedPiece,
  StagedPieceNotFoundError,
  type StoredBlob,
} from "../../ports/blobs.ts";
import { BlobHasher, needsBytes, verifyKnown } from "../blob-hasher.ts";
import type { BlobFolder } from "./blob-folder.ts";
import { isErrno, unlessMissing } from "./errno.ts";
import { openFileStream } from "./file-stream.ts";
import { writeStreamToFile } from "./write-file.ts";

/** Pieces of blobs to be: files in the temporary folder, so that a single one becomes its blob by a rename. */
export class StagedPieces {
  readonly #folder: BlobFolder;

  constructor(folder: BlobFolder) {
    this.#folder = folder;
  }

  /** As the port says. */
  async stage(body: ByteStream, options: { readonly maxSizeBytes?: number }): Promise<StagedPiece> {
    const { pieceId, path } = this.#folder.newPiece();
    const hasher = new BlobHasher(options);
    await writeStreamToFile(path, body, (chunk) => hasher.update(chunk));
    await this.#folder.syncTemp();
    const { sha256, sizeBytes } = hasher.finish();
    return { pieceId, sha256, sizeBytes };
  }

  /**
   * Judges a piece as the whole of a blob. Its sha256 is known from {@link StagedPieces.stage}; it is read again
   * only for other digests.
   *
   * @throws {StagedPieceNotFoundError} | {@link DigestMismatchError} | {@link BlobTooLargeError}
   */
  async verify(piece: StagedPiece, options: PutOptions): Promise<StoredBlob> {
    if (!needsBytes(options)) {
      const path = this.#requirePath(piece.pieceId);
      const found = await unlessMissing(() => stat(path));
      if (found?.size !== piece.sizeBytes) throw new StagedPieceNotFoundError();
      return verifyKnown(piece, options);
    }
    const hasher = new BlobHasher(options);
    for await (const chunk of this.read([piece])) hasher.update(chunk);
    return hasher.finish();
  }

  /** Makes a verified piece the blob that it is. @throws {StagedPieceNotFoundError} */
  async promote(piece: StagedPiece, storedAtMs: number): Promise<void> {
    try {
      await this.#folder.commit(this.#requirePath(piece.pieceId), piece.sha256, storedAtMs);
    } catch (error) {
      throw isErrno(error, "ENOENT") ? new StagedPieceNotFoundError() : error;
    }
  }

  /** The bytes of the pieces one after the other. @throws {StagedPieceNotFoundError} */
  async *read(pieces: readonly StagedPiece[]): AsyncGenerator<Uint8Array> {
    for (const { pieceId } of pieces) {
      const stream = await openFileStream(this.#requirePath(pieceId));
      if (stream === undefined) throw new StagedPieceNotFoundError();
      yield* stream;
    }
  }

  /** An unknown piece is no error. */
  async discard(pieceId: string): Promise<void> {
    const path = this.#folder.piecePath(pieceId);
    if (path !== undefined) await rm(path, { force: true });
  }

  #requirePath(pieceId: string): string {
    const path = this.#folder.piecePath(pieceId);
    if (path === undefined) throw new StagedPieceNotFoundError();
    return path;
  }
}
