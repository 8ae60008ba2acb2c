import { describe, expect, it } from "vitest";
import {
  BlobTooLargeError,
  DigestMismatchError,
  MultipartNotFoundError,
} from "../../../shared/ports/blobs.ts";
import { bytesOf, freshBytes, type GetStore, MIB, sha256Of, sleep, useTicket } from "./harness.ts";

const UNKNOWN_UPLOAD_IDS = [
  "",
  ".",
  "..",
  "../..",
  "../../etc/passwd",
  "\0",
  "0000000000000-0123456789abcdef0123456789abcdeF",
  "0000000000000-0123456789abcdef0123456789abcdef",
  "01234567-0123-0123-0123-0123456789ab.AAAA/../..",
  "01234567-0123-0123-0123-0123456789ab.AAAA",
  "01234567-0123-0123-0123-0123456789ab.Li4vLi4v",
  "01234567-0123-0123-0123-0123456789ab.dW5rbm93bg",
];

export function multipartContract(store: GetStore): void {
  const send = async (uploadId: string, partNumber: number, body: Uint8Array) => {
    const ticket = await store().blobs.partTicket({
      uploadId,
      partNumber,
      sizeBytes: body.byteLength,
      expiresInSeconds: 60,
    });
    return useTicket(store(), ticket, { body });
  };

  describe("multipart", () => {
    it("joins parts that came out of order, one of them twice", async () => {
      const { blobs } = store();
      const parts = [freshBytes(5 * MIB), freshBytes(5 * MIB + 1), freshBytes(3)] as const;
      const whole = Buffer.concat(parts);
      const { uploadId } = await blobs.beginMultipart();
      expect(uploadId).toMatch(/^[A-Za-z0-9._-]+$/);
      expect(await blobs.listParts(uploadId)).toEqual([]);

      await send(uploadId, 3, parts[2]);
      await send(uploadId, 1, freshBytes(6 * MIB));
      await send(uploadId, 2, parts[1]);
      const resent = await send(uploadId, 1, parts[0]);
      expect(resent.status).toBe(200);

      const listed = await blobs.listParts(uploadId);
      expect(listed.map((part) => [part.partNumber, part.sizeBytes])).toEqual([
        [1, 5 * MIB],
        [2, 5 * MIB + 1],
        [3, 3],
      ]);
      expect(listed[0]?.etag).toBe(resent.headers.get("etag"));

      const stored = await blobs.completeMultipart(uploadId, {
        partCount: 3,
        algorithms: ["md5"],
        expected: { sha256: sha256Of(whole) },
        expectedSizeBytes: whole.byteLength,
      });
      expect(stored).toMatchObject({ sha256: sha256Of(whole), sizeBytes: whole.byteLength });
      expect(stored.digests.md5).toMatch(/^[0-9a-f]{32}$/);
      expect((await bytesOf(await blobs.open(stored.sha256)))?.equals(whole)).toBe(true);
      expect(await store().leftovers()).toEqual([]);
      await expect(blobs.listParts(uploadId)).rejects.toThrow(MultipartNotFoundError);
      await expect(blobs.completeMultipart(uploadId, { partCount: 3 })).rejects.toThrow(
        MultipartNotFoundError,
      );
    });

    it("stores what it turns out to be when no digest is expected", async () => {
      const { blobs } = store();
      const bytes = freshBytes(10);
      const { uploadId } = await blobs.beginMultipart();
      await send(uploadId, 1, bytes);
      const stored = await blobs.completeMultipart(uploadId, { partCount: 1 });
      expect(stored.sha256).toBe(sha256Of(bytes));
      expect(await blobs.stat(stored.sha256)).toMatchObject({ sizeBytes: 10 });
    });

    it.each([
      [{ expected: { sha256: sha256Of(Buffer.from("other")) } }, DigestMismatchError],
      [{ expected: { md5: "0".repeat(32) } }, DigestMismatchError],
      [{ expectedSizeBytes: 11 }, DigestMismatchError],
      [{ maxSizeBytes: 9 }, BlobTooLargeError],
    ])("forgets everything when the bytes are not %j", async (options, errorClass) => {
      const { blobs } = store();
      const { uploadId } = await blobs.beginMultipart();
      await send(uploadId, 1, freshBytes(10));
      await expect(blobs.completeMultipart(uploadId, { ...options, partCount: 1 })).rejects.toThrow(
        errorClass,
      );
      await nothingIsLeft();
      await expect(blobs.listParts(uploadId)).rejects.toThrow(MultipartNotFoundError);
    });

    it("says which part is missing, and takes it then", async () => {
      const { blobs } = store();
      const parts = [freshBytes(5 * MIB), freshBytes(3)] as const;
      const { uploadId } = await blobs.beginMultipart();
      await send(uploadId, 2, parts[1]);
      await expect(blobs.completeMultipart(uploadId, { partCount: 2 })).rejects.toMatchObject({
        name: "MultipartPartError",
        partNumber: 1,
        problem: "missing",
      });
      await send(uploadId, 1, parts[0]);
      const stored = await blobs.completeMultipart(uploadId, { partCount: 2 });
      expect(stored.sha256).toBe(sha256Of(Buffer.concat(parts)));
    });

    it("says which part is too small to have another after it", async () => {
      const { blobs } = store();
      const { uploadId } = await blobs.beginMultipart();
      await send(uploadId, 1, freshBytes(5 * MIB - 1));
      await send(uploadId, 2, freshBytes(1));
      await expect(blobs.completeMultipart(uploadId, { partCount: 2 })).rejects.toMatchObject({
        partNumber: 1,
        problem: "too-small",
      });
      await blobs.abortMultipart(uploadId);
    });

    it("refuses a part of another length", async () => {
      const { blobs } = store();
      const { uploadId } = await blobs.beginMultipart();
      const ticket = await blobs.partTicket({
        uploadId,
        partNumber: 1,
        sizeBytes: 10,
        expiresInSeconds: 60,
      });
      for (const size of [9, 11]) {
        const headers = { "content-length": String(size) };
        const response = await useTicket(store(), ticket, { body: freshBytes(size), headers });
        expect(response.status).toBe(403);
      }
      const url = ticket.url.replace(/(\/1\?|partNumber=1&)/, (text) => text.replace("1", "2"));
      expect(url).not.toBe(ticket.url);
      const moved = await useTicket(store(), { ...ticket, url }, { body: freshBytes(10) });
      expect(moved.status).toBe(403);
      expect(await blobs.listParts(uploadId)).toEqual([]);
      await blobs.abortMultipart(uploadId);
    });

    it("lists unfinished uploads and forgets the aborted", async () => {
      const { blobs } = store();
      const begun = await Promise.all([blobs.beginMultipart(), blobs.beginMultipart()]);
      const [first, second] = begun;
      await send(first.uploadId, 1, freshBytes(10));
      const listed = await blobs.listMultipart();
      expect(listed.map((upload) => upload.uploadId).sort()).toEqual(
        begun.map((upload) => upload.uploadId).sort(),
      );
      for (const { startedAtMs } of listed) {
        expect(Math.abs(startedAtMs - Date.now())).toBeLessThan(60_000);
      }
      const ticket = await blobs.partTicket({
        uploadId: first.uploadId,
        partNumber: 2,
        sizeBytes: 10,
        expiresInSeconds: 60,
      });
      await blobs.abortMultipart(first.uploadId);
      await blobs.abortMultipart(first.uploadId);
      expect((await blobs.listMultipart()).map((upload) => upload.uploadId)).toEqual([
        second.uploadId,
      ]);
      const late = await useTicket(store(), ticket, { body: freshBytes(10) });
      expect(late.status).toBe(404);
      expect(await late.text()).toContain("<Code>NoSuchUpload</Code>");
      await expect(blobs.listParts(first.uploadId)).rejects.toThrow(MultipartNotFoundError);
      await blobs.abortMultipart(second.uploadId);
      await nothingIsLeft();
    });

    it("keeps unfinished uploads through a sweep: they are the sweeper's to judge", async () => {
      const { blobs } = store();
      const { uploadId } = await blobs.beginMultipart();
      await send(uploadId, 1, freshBytes(10));
      await blobs.sweep(Date.now() + 60_000);
      expect(await blobs.listParts(uploadId)).toHaveLength(1);
      await blobs.abortMultipart(uploadId);
    });

    it("numbers parts from 1 to 10,000", async () => {
      const { blobs } = store();
      const { uploadId } = await blobs.beginMultipart();
      for (const partNumber of [0, -1, 1.5, 10_001, Number.NaN]) {
        await expect(
          blobs.partTicket({ uploadId, partNumber, sizeBytes: 1, expiresInSeconds: 60 }),
        ).rejects.toThrow(RangeError);
      }
      await blobs.abortMultipart(uploadId);
    });

    it.each(UNKNOWN_UPLOAD_IDS)("knows no upload %j", async (uploadId) => {
      const { blobs } = store();
      await expect(blobs.listParts(uploadId)).rejects.toThrow(MultipartNotFoundError);
      await expect(blobs.completeMultipart(uploadId, { partCount: 1 })).rejects.toThrow(
        MultipartNotFoundError,
      );
      await blobs.abortMultipart(uploadId);
    });

    it("leaves unfinished puts of the last moments to themselves when it sweeps", async () => {
      const { blobs } = store();
      let release = () => {};
      const gate = new Promise<void>((resolve) => {
        release = resolve;
      });
      const bytes = freshBytes(9 * MIB);
      const body = new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            controller.enqueue(bytes);
            await gate;
            controller.close();
          },
        },
        { highWaterMark: 0 },
      );
      const putting = blobs.put(body);
      await sleep(300);
      await blobs.sweep(Date.now() - 60_000);
      release();
      expect((await putting).sha256).toBe(sha256Of(bytes));
    });
  });

  async function nothingIsLeft(): Promise<void> {
    expect(await store().blobs.list({ limit: 10 })).toEqual({ blobs: [] });
    expect(await store().leftovers()).toEqual([]);
  }
}
