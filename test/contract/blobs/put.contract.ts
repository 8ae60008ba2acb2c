import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { BlobTooLargeError, DigestMismatchError } from "../../../shared/ports/blobs.ts";
import {
  bytesOf,
  failingStream,
  freshBytes,
  type GetStore,
  KIB,
  MIB,
  sha256Of,
  sleep,
  streamOf,
} from "./harness.ts";

/** One for each way a store may take: in memory, streamed, and in parts. */
const SIZES = [0, 1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 2 * MIB + 1, 9 * MIB];
const REFUSED_SIZES = [100 * KIB, 2 * MIB, 9 * MIB];
const ALGORITHMS = ["md5", "sha1", "sha256", "sha512"] as const;

export function putContract(store: GetStore): void {
  describe("put", () => {
    it.each(SIZES)("gives back %d bytes that came as a stream or as an array", async (size) => {
      const { blobs } = store();
      for (const shape of [streamOf, (bytes: Uint8Array) => bytes]) {
        const bytes = freshBytes(size);
        const stored = await blobs.put(shape(bytes));
        expect(stored).toMatchObject({ sha256: sha256Of(bytes), sizeBytes: size });
        expect((await bytesOf(await blobs.open(stored.sha256)))?.equals(bytes)).toBe(true);
        expect(await blobs.stat(stored.sha256)).toMatchObject({ sizeBytes: size });
      }
      expect(await store().leftovers()).toEqual([]);
    });

    it.each([10 * KIB, 9 * MIB])("computes the digests asked for of %d bytes", async (size) => {
      const bytes = freshBytes(size);
      const { digests } = await store().blobs.put(streamOf(bytes), { algorithms: ALGORITHMS });
      for (const name of ALGORITHMS) {
        expect(digests[name]).toBe(createHash(name).update(bytes).digest("hex"));
      }
    });

    it("computes sha256 only when nothing else is asked for", async () => {
      const { digests } = await store().blobs.put(freshBytes(10));
      expect(Object.keys(digests)).toEqual(["sha256"]);
    });

    it("takes many very small chunks, and empty ones", async () => {
      const bytes = freshBytes(1100 * KIB);
      const chunks = [...bytes.subarray(0, 5000)].map((byte) => Uint8Array.of(byte));
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(new Uint8Array());
          for (const chunk of chunks) controller.enqueue(chunk);
          controller.enqueue(bytes.subarray(5000));
          controller.close();
        },
      });
      expect(await store().blobs.put(body)).toMatchObject({ sha256: sha256Of(bytes) });
      expect((await bytesOf(await store().blobs.open(sha256Of(bytes))))?.equals(bytes)).toBe(true);
    });

    it.each(ALGORITHMS)("accepts bytes with the expected %s", async (name) => {
      for (const size of [10, 9 * MIB]) {
        const bytes = freshBytes(size);
        const expected = { [name]: createHash(name).update(bytes).digest("hex") };
        const stored = await store().blobs.put(streamOf(bytes), {
          expected,
          expectedSizeBytes: size,
        });
        expect(stored.sha256).toBe(sha256Of(bytes));
        expect(await store().leftovers()).toEqual([]);
      }
    });

    for (const size of REFUSED_SIZES) {
      it.each(ALGORITHMS)(`refuses ${size} bytes with another %s`, async (name) => {
        const bytes = freshBytes(size);
        const expected = { [name]: createHash(name).update("other").digest("hex") };
        for (const body of [bytes, streamOf(bytes)]) {
          await expect(store().blobs.put(body, { expected })).rejects.toThrow(DigestMismatchError);
        }
        await nothingIsLeft(store, bytes);
      });

      it(`refuses ${size} bytes when another number is expected`, async () => {
        const bytes = freshBytes(size);
        for (const expectedSizeBytes of [size - 1, size + 1, 0]) {
          await expect(
            store().blobs.put(streamOf(bytes), { expectedSizeBytes }),
          ).rejects.toMatchObject({ name: "DigestMismatchError", algorithm: "size" });
        }
        await nothingIsLeft(store, bytes);
      });

      it(`refuses ${size} bytes when fewer are allowed, and takes exactly so many`, async () => {
        const bytes = freshBytes(size);
        for (const body of [bytes, streamOf(bytes)]) {
          await expect(store().blobs.put(body, { maxSizeBytes: size - 1 })).rejects.toThrow(
            BlobTooLargeError,
          );
        }
        await nothingIsLeft(store, bytes);
        await store().blobs.put(streamOf(bytes), { maxSizeBytes: size });
        expect(await store().blobs.stat(sha256Of(bytes))).toMatchObject({ sizeBytes: size });
      });

      it(`leaves nothing of a stream that fails after ${size} bytes`, async () => {
        const bytes = freshBytes(size);
        await expect(store().blobs.put(failingStream(bytes))).rejects.toThrow("went away");
        await nothingIsLeft(store, bytes);
      });
    }

    it.each([100 * KIB, 9 * MIB])("takes the same %d bytes twice at once", async (size) => {
      const bytes = freshBytes(size);
      const puts = [1, 2, 3].map(() => store().blobs.put(streamOf(bytes)));
      for (const stored of await Promise.all(puts)) expect(stored.sha256).toBe(sha256Of(bytes));
      expect((await bytesOf(await store().blobs.open(sha256Of(bytes))))?.equals(bytes)).toBe(true);
      expect(await store().leftovers()).toEqual([]);
    });

    it.each([100 * KIB, 9 * MIB])("refreshes storedAtMs of %d bytes", async (size) => {
      const { blobs, clockStepMs } = store();
      const bytes = freshBytes(size);
      const { sha256 } = await blobs.put(streamOf(bytes));
      const before = await blobs.stat(sha256);
      await sleep(clockStepMs + 20);
      await blobs.put(streamOf(bytes));
      const after = await blobs.stat(sha256);
      expect(after?.storedAtMs).toBeGreaterThan(before?.storedAtMs ?? Number.NaN);
      expect(Math.abs((after?.storedAtMs ?? 0) - Date.now())).toBeLessThan(60_000);
    });

    it("keeps memory flat however long a stream is", async () => {
      const chunk = freshBytes(64 * KIB);
      const before = process.memoryUsage().rss;
      let peak = before;
      let left = (300 * MIB) / chunk.byteLength;
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (left-- === 0) return controller.close();
          if (left % 64 === 0) peak = Math.max(peak, process.memoryUsage().rss);
          controller.enqueue(chunk);
        },
      });
      const { sizeBytes, sha256 } = await store().blobs.put(body);
      expect(sizeBytes).toBe(300 * MIB);
      expect((peak - before) / MIB).toBeLessThan(160);
      await store().blobs.remove(sha256);
    });
  });
}

async function nothingIsLeft(store: GetStore, bytes: Uint8Array): Promise<void> {
  expect(await store().blobs.stat(sha256Of(bytes))).toBeUndefined();
  expect(await store().blobs.list({ limit: 10 })).toEqual({ blobs: [] });
  expect(await store().leftovers()).toEqual([]);
}
