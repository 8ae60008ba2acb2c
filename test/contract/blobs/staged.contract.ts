import { expect, test } from "vitest";
import { DigestMismatchError, StagedPieceNotFoundError } from "../../../shared/ports/blobs.ts";
import {
  bytesOf,
  failingStream,
  freshBytes,
  type GetStore,
  MIB,
  sha256Of,
  streamOf,
} from "./harness.ts";

/** Pieces of blobs whose digest is known only at the end. */
export function stagedContract(store: GetStore): void {
  test("a single piece becomes the blob that it is, and is gone as a piece", async () => {
    const { blobs } = store();
    const bytes = freshBytes(9 * MIB);
    const piece = await blobs.stage(streamOf(bytes));
    expect(piece).toMatchObject({ sha256: sha256Of(bytes), sizeBytes: bytes.length });
    expect(await blobs.stat(piece.sha256)).toBeUndefined();
    const blob = await blobs.commitStaged([piece], { expected: { sha256: sha256Of(bytes) } });
    expect(blob.sizeBytes).toBe(bytes.length);
    expect((await bytesOf(await blobs.open(blob.sha256)))?.equals(bytes)).toBe(true);
    expect(await store().leftovers()).toEqual([]);
    await expect(blobs.commitStaged([piece])).rejects.toBeInstanceOf(StagedPieceNotFoundError);
  });

  test("several pieces of any size become one blob in their order", async () => {
    const { blobs } = store();
    const parts = [freshBytes(3), freshBytes(2 * MIB), freshBytes(1)];
    const pieces = [];
    for (const part of parts) pieces.push(await blobs.stage(streamOf(part)));
    const whole = Buffer.concat(parts);
    const blob = await blobs.commitStaged(pieces, { algorithms: ["sha512"] });
    expect(blob.sha256).toBe(sha256Of(whole));
    expect(blob.digests.sha512).toHaveLength(128);
    expect((await bytesOf(await blobs.open(blob.sha256)))?.equals(whole)).toBe(true);
    expect(await store().leftovers()).toEqual([]);
  });

  test("pieces with another digest than expected stay, and no blob appears", async () => {
    const { blobs } = store();
    const bytes = freshBytes(100);
    const piece = await blobs.stage(streamOf(bytes));
    const wrong = { expected: { sha256: "0".repeat(64) } };
    await expect(blobs.commitStaged([piece], wrong)).rejects.toBeInstanceOf(DigestMismatchError);
    const wrong512 = { expected: { sha512: "0".repeat(128) } };
    await expect(blobs.commitStaged([piece], wrong512)).rejects.toBeInstanceOf(DigestMismatchError);
    expect(await blobs.stat(sha256Of(bytes))).toBeUndefined();
    await blobs.discardStaged(piece.pieceId);
    await blobs.discardStaged(piece.pieceId);
    expect(await store().leftovers()).toEqual([]);
  });

  test("a piece whose stream fails leaves nothing", async () => {
    const { blobs } = store();
    await expect(blobs.stage(failingStream(freshBytes(9 * MIB)))).rejects.toThrow();
    await expect(blobs.stage(failingStream(freshBytes(10)))).rejects.toThrow();
    expect(await store().leftovers()).toEqual([]);
  });

  test("an id that is none of ours is an unknown piece", async () => {
    const { blobs } = store();
    const piece = { pieceId: "../x", sizeBytes: 1, sha256: "0".repeat(64) };
    await expect(blobs.commitStaged([piece])).rejects.toBeInstanceOf(StagedPieceNotFoundError);
    await blobs.discardStaged("../x");
  });
}
