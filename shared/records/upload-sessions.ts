import { sortableMs } from "../domain/identifiers.ts";
import type { StagedPiece } from "../ports/blobs.ts";
import type { Item, Key, Query, WriteOp } from "../ports/table.ts";
import { number, text, word } from "./attributes.ts";
import type { PageOptions } from "./pages.ts";

/**
 * An upload that grows by appending, of bytes whose digest comes last. A session that has not got its first byte
 * has no row: the ticket in its URL proves that it was begun.
 */
export interface UploadSession {
  readonly id: string;
  readonly registryId: string;
  readonly packageName: string;
  /** Bytes that have arrived; the next byte must be this one. */
  readonly offsetBytes: number;
  readonly pieceCount: number;
  /** `closed`: completed or cancelled; the row stays until expiry so that the same URL does not begin anew. */
  readonly state: "open" | "closed";
  readonly expiresAtMs: number;
}

export const uploadSessionKey = (id: string): Key => ({ pk: `US#${id}`, sk: "SESSION" });

const pieceKey = (id: string, number: number): Key => ({
  pk: `US#${id}`,
  sk: `PIECE#${String(number).padStart(6, "0")}`,
});

export function toUploadSession(item: Item): UploadSession {
  return {
    id: text(item, "id"),
    registryId: text(item, "registryId"),
    packageName: text(item, "packageName"),
    offsetBytes: number(item, "offsetBytes"),
    pieceCount: number(item, "pieceCount"),
    state: word(item, "state", ["open", "closed"]),
    expiresAtMs: number(item, "expiresAtMs"),
  };
}

export const toStagedPiece = (item: Item): StagedPiece => ({
  pieceId: text(item, "pieceId"),
  sizeBytes: number(item, "sizeBytes"),
  sha256: text(item, "sha256"),
});

/**
 * Appends a piece to the session as it was read. Of two writers that began at the same offset the transaction of
 * one holds, so that their bytes never mix.
 */
export function appendPieceOps(session: UploadSession, piece: StagedPiece): readonly WriteOp[] {
  const after: UploadSession = {
    ...session,
    offsetBytes: session.offsetBytes + piece.sizeBytes,
    pieceCount: session.pieceCount + 1,
  };
  return [
    {
      op: "put",
      item: {
        key: uploadSessionKey(session.id),
        index: expiryIndex(session),
        attributes: { ...after },
      },
      conditions: asRead(session),
    },
    {
      op: "put",
      item: { key: pieceKey(session.id, session.pieceCount), attributes: { ...piece } },
    },
  ];
}

/** Ends the session as it was read; fails when it has grown or ended since. */
export const closeUploadSessionOp = (session: UploadSession): WriteOp => ({
  op: "put",
  item: {
    key: uploadSessionKey(session.id),
    attributes: { ...session, state: "closed" },
    // Without pieces nothing has to be swept, so that the table's own expiry removes it.
    ...(session.pieceCount === 0
      ? { expiresAtSeconds: Math.ceil(session.expiresAtMs / 1000) }
      : { index: expiryIndex(session) }),
  },
  conditions: asRead(session),
});

const expiryIndex = (session: UploadSession) => ({
  pk: "UPLOAD-SESSIONS",
  sk: `${sortableMs(session.expiresAtMs)}#${session.id}`,
});

const asRead = (session: UploadSession) =>
  session.pieceCount === 0
    ? [{ kind: "absent" } as const]
    : [
        { kind: "equals", attribute: "pieceCount", value: session.pieceCount } as const,
        { kind: "equals", attribute: "state", value: "open" } as const,
      ];

/** The pieces of a session in their order. */
export const listPiecesQuery = (id: string, options: PageOptions): Query => ({
  pk: `US#${id}`,
  range: { prefix: "PIECE#" },
  ...options,
});

export const deleteRowOp = (key: Key): WriteOp => ({ op: "delete", key });

/** Sessions with pieces that have expired by `nowMs`, oldest first. */
export const expiredUploadSessionsQuery = (nowMs: number, limit: number): Query => ({
  pk: "UPLOAD-SESSIONS",
  index: true,
  range: { before: sortableMs(nowMs) },
  limit,
});
