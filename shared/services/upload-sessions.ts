import { NotFoundError, TooLargeError } from "../errors.ts";
import type { Digests } from "../domain/digest.ts";
import type { ByteStream, StagedPiece, StoredBlob } from "../ports/blobs.ts";
import { DigestMismatchError, StagedPieceNotFoundError } from "../ports/blobs.ts";
import { ConditionFailedError } from "../ports/table.ts";
import {
  appendPieceOps,
  closeUploadSessionOp,
  deleteRowOp,
  expiredUploadSessionsQuery,
  listPiecesQuery,
  toStagedPiece,
  toUploadSession,
  type UploadSession,
  uploadSessionKey,
} from "../records/upload-sessions.ts";
import type { BlobLinks } from "./blob-links.ts";
import { queryAll } from "./queries.ts";
import type { Stores } from "./stores.ts";

/** Pieces of one session; a client that sends so many sends very small ones. */
const MAX_PIECES = 20_000;

/** What the ticket in a session's URL says. */
export type SessionTicket = Pick<
  UploadSession,
  "id" | "registryId" | "packageName" | "expiresAtMs"
>;

export interface Appended {
  /** False when another writer was faster: nothing was appended, and `session` is as the other left it. */
  readonly appended: boolean;
  readonly session: UploadSession;
}

export interface Completion {
  /** Digest as the client names it, and as the store checks it. */
  readonly digest: string;
  readonly expected: Partial<Digests>;
  /** The last bytes; absent when all have arrived. */
  readonly body?: ByteStream;
  /** Length of `body` where it is known. */
  readonly bodyBytes?: number;
  /** Most bytes that the blob may have. */
  readonly maxSizeBytes: number;
}

/**
 * Uploads that grow by appending and get their digest last. Each request's bytes are a piece of their own in blob
 * storage; what counts is the row, which names the pieces in their order and changes only as it was read. So two
 * writers never mix, a request that dies leaves nothing that counts, and no lock has to time out.
 */
export class UploadSessions {
  readonly #stores: Stores;
  readonly #links: BlobLinks;

  constructor(stores: Stores, links: BlobLinks) {
    this.#stores = stores;
    this.#links = links;
  }

  /** The session of a ticket. @throws {NotFoundError} when it was completed, cancelled or has expired. */
  async get(ticket: SessionTicket): Promise<UploadSession> {
    const item = await this.#stores.table.get(uploadSessionKey(ticket.id));
    const session: UploadSession =
      item === undefined
        ? { ...ticket, offsetBytes: 0, pieceCount: 0, state: "open" }
        : toUploadSession(item);
    const isTheirs =
      session.registryId === ticket.registryId && session.packageName === ticket.packageName;
    if (!isTheirs || session.state !== "open" || session.expiresAtMs <= this.#stores.now()) {
      throw new NotFoundError("upload", ticket.id);
    }
    return session;
  }

  /**
   * Appends a stream to the session as it was read; `sizeBytes` is its length where the client said it.
   *
   * @throws {TooLargeError} beyond `maxSizeBytes` in all; whatever the stream throws. Nothing is appended then.
   */
  async append(
    session: UploadSession,
    body: ByteStream,
    limits: { readonly maxSizeBytes: number; readonly sizeBytes?: number },
  ): Promise<Appended> {
    const piece = await this.#stage(session, body, limits);
    if (limits.sizeBytes !== undefined && limits.sizeBytes !== piece.sizeBytes) {
      await this.#stores.blobs.discardStaged(piece.pieceId);
      throw new DigestMismatchError("size", String(limits.sizeBytes), String(piece.sizeBytes));
    }
    if (piece.sizeBytes === 0) {
      await this.#stores.blobs.discardStaged(piece.pieceId);
      return { appended: true, session };
    }
    try {
      await this.#stores.table.write(appendPieceOps(session, piece));
    } catch (error) {
      await this.#stores.blobs.discardStaged(piece.pieceId);
      if (!(error instanceof ConditionFailedError)) throw error;
      return { appended: false, session: await this.get(session) };
    }
    const { sizeBytes } = piece;
    return {
      appended: true,
      session: {
        ...session,
        offsetBytes: session.offsetBytes + sizeBytes,
        pieceCount: session.pieceCount + 1,
      },
    };
  }

  /**
   * Makes everything that has arrived one blob, lets the package serve it, and ends the session, all at once.
   *
   * @throws {DigestMismatchError} | {@link TooLargeError}; the session then goes on as it was.
   *   {@link NotFoundError} when somebody else ended it meanwhile.
   */
  async complete(session: UploadSession, completion: Completion): Promise<StoredBlob> {
    const blob = await this.#store(session, completion);
    const linked = await this.#links.link(
      session,
      { digest: completion.digest, sha256: blob.sha256, sizeBytes: blob.sizeBytes },
      [closeUploadSessionOp(session)],
    );
    if (!linked) throw new NotFoundError("upload", session.id);
    return blob;
  }

  /** Ends a session and forgets its bytes. @throws {NotFoundError} when it ended meanwhile. */
  async cancel(session: UploadSession): Promise<void> {
    try {
      await this.#stores.table.write([closeUploadSessionOp(session)]);
    } catch (error) {
      if (error instanceof ConditionFailedError) throw new NotFoundError("upload", session.id);
      throw error;
    }
    for (const { pieceId } of await this.#pieces(session)) {
      await this.#stores.blobs.discardStaged(pieceId);
    }
  }

  /** Removes what is left of sessions that have expired; gives their number. */
  async sweep(): Promise<number> {
    const { table, blobs, now } = this.#stores;
    const { items } = await table.query(expiredUploadSessionsQuery(now(), 1000));
    for (const item of items) {
      const { id } = toUploadSession(item);
      const rows = await queryAll(table, (page) => listPiecesQuery(id, page));
      for (const row of rows) await blobs.discardStaged(toStagedPiece(row).pieceId);
      // The session's own row goes last: it is how a sweep that died is found again.
      const keys = [...rows, item].map(({ key }) => key);
      for (let start = 0; start < keys.length; start += 100) {
        await table.write(keys.slice(start, start + 100).map(deleteRowOp));
      }
    }
    return items.length;
  }

  async #store(session: UploadSession, completion: Completion): Promise<StoredBlob> {
    const { blobs } = this.#stores;
    const { body, bodyBytes = 0, expected, maxSizeBytes } = completion;
    if (session.offsetBytes + bodyBytes > maxSizeBytes)
      throw new TooLargeError("The upload", maxSizeBytes);
    if (session.pieceCount === 0) {
      return blobs.put(body ?? new Uint8Array(), {
        expected,
        maxSizeBytes,
        ...(completion.bodyBytes === undefined ? {} : { expectedSizeBytes: bodyBytes }),
      });
    }
    const pieces = await this.#pieces(session);
    const last =
      body === undefined ? undefined : await this.#stage(session, body, { maxSizeBytes });
    try {
      const lastBytes = last?.sizeBytes ?? 0;
      if (completion.bodyBytes !== undefined && bodyBytes !== lastBytes) {
        throw new DigestMismatchError("size", String(bodyBytes), String(lastBytes));
      }
      const all = last === undefined || last.sizeBytes === 0 ? pieces : [...pieces, last];
      return await blobs.commitStaged(all, { expected, maxSizeBytes });
    } catch (error) {
      // Another request with the same digest completed it first.
      if (error instanceof StagedPieceNotFoundError) throw new NotFoundError("upload", session.id);
      throw error;
    } finally {
      if (last !== undefined) await blobs.discardStaged(last.pieceId);
    }
  }

  async #stage(
    session: UploadSession,
    body: ByteStream,
    limits: { readonly maxSizeBytes: number; readonly sizeBytes?: number },
  ): Promise<StagedPiece> {
    const { maxSizeBytes, sizeBytes = 0 } = limits;
    const room = maxSizeBytes - session.offsetBytes;
    // The body stays unread, not cancelled: who is still sending it shall see the answer, not a broken pipe.
    if (session.pieceCount >= MAX_PIECES) {
      throw new TooLargeError(
        "The upload in so many pieces",
        session.offsetBytes,
        "Send larger pieces.",
      );
    }
    if (sizeBytes > room) throw new TooLargeError("The upload", maxSizeBytes);
    return this.#stores.blobs.stage(body, { maxSizeBytes: room });
  }

  async #pieces(session: UploadSession): Promise<readonly StagedPiece[]> {
    if (session.pieceCount === 0) return [];
    const items = await queryAll(this.#stores.table, (page) => listPiecesQuery(session.id, page));
    return items.map(toStagedPiece).slice(0, session.pieceCount);
  }
}
