import { describe, expect, it } from "vitest";
import { bytesOf, freshBytes, type GetStore, KIB, MIB, sha256Of } from "./harness.ts";

const HOSTILE_DIGESTS = [
  "",
  "../..",
  "../../etc/passwd",
  `${"a".repeat(63)}\0`,
  `${"a".repeat(63)}/`,
  "A".repeat(64),
  "a".repeat(63),
  "a".repeat(65),
  `${"a".repeat(64)}\n`,
  `../../${"a".repeat(58)}`,
];

const OUTSIDE_TEN_BYTES = [
  [0, 10],
  [10, 10],
  [10, 20],
  [5, 4],
  [-1, 4],
  [0.5, 4],
  [0, Number.NaN],
] as const;

export function readContract(store: GetStore): void {
  const absent = sha256Of(Buffer.from("never stored"));

  describe("open", () => {
    it("gives undefined for what is absent, with and without a range", async () => {
      expect(await store().blobs.open(absent)).toBeUndefined();
      expect(await store().blobs.open(absent, { start: 0, end: 0 })).toBeUndefined();
      expect(await store().blobs.stat(absent)).toBeUndefined();
    });

    it.each([10 * KIB, 3 * MIB])("gives any range of %d bytes", async (size) => {
      const bytes = freshBytes(size);
      const { sha256 } = await store().blobs.put(bytes);
      const ranges: [number, number][] = [
        [0, 0],
        [size - 1, size - 1],
        [0, size - 1],
        [1, size - 2],
        [size / 2 - 1, size / 2 + 1],
      ];
      for (const [start, end] of ranges) {
        const part = await bytesOf(await store().blobs.open(sha256, { start, end }));
        expect(part?.equals(bytes.subarray(start, end + 1))).toBe(true);
      }
    });

    it.each(OUTSIDE_TEN_BYTES)("throws RangeError for %d-%d of ten bytes", async (start, end) => {
      const { sha256 } = await store().blobs.put(freshBytes(10));
      await expect(store().blobs.open(sha256, { start, end })).rejects.toThrow(RangeError);
    });

    it("throws RangeError for any range of no bytes", async () => {
      const { sha256 } = await store().blobs.put(new Uint8Array());
      await expect(store().blobs.open(sha256, { start: 0, end: 0 })).rejects.toThrow(RangeError);
    });

    it("can be left unread, or in the middle", async () => {
      const { sha256 } = await store().blobs.put(freshBytes(5 * MIB));
      const reader = (await store().blobs.open(sha256))?.getReader();
      await reader?.read();
      await reader?.cancel();
      await (await store().blobs.open(sha256))?.cancel();
      expect(await store().blobs.stat(sha256)).toBeDefined();
    });
  });

  describe("read", () => {
    it("gives undefined for what is absent, with and without a range", async () => {
      expect(await store().blobs.read(absent)).toBeUndefined();
      expect(await store().blobs.read(absent, { start: 0, end: 0 })).toBeUndefined();
    });

    it.each([0, 1, 64 * KIB, 200 * KIB])("gives %d bytes and no more", async (size) => {
      const bytes = freshBytes(size);
      const { sha256 } = await store().blobs.put(bytes);
      expect(bytes.equals((await store().blobs.read(sha256)) ?? Buffer.from("nothing"))).toBe(true);
    });

    it("gives what nobody else writes to", async () => {
      const bytes = freshBytes(100);
      const { sha256 } = await store().blobs.put(bytes);
      (await store().blobs.read(sha256))?.fill(0);
      await store().blobs.put(freshBytes(100));
      expect(bytes.equals((await store().blobs.read(sha256)) ?? Buffer.alloc(0))).toBe(true);
    });

    it("gives any range", async () => {
      const bytes = freshBytes(10 * KIB);
      const { sha256 } = await store().blobs.put(bytes);
      for (const [start, end] of [
        [0, 0],
        [100, 200],
        [10 * KIB - 1, 10 * KIB - 1],
      ] as const) {
        const part = await store().blobs.read(sha256, { start, end });
        expect(part && bytes.subarray(start, end + 1).equals(part)).toBe(true);
      }
    });

    it.each(OUTSIDE_TEN_BYTES)("throws RangeError for %d-%d of ten bytes", async (start, end) => {
      const { sha256 } = await store().blobs.put(freshBytes(10));
      await expect(store().blobs.read(sha256, { start, end })).rejects.toThrow(RangeError);
    });
  });

  describe("remove", () => {
    it("removes a blob, and what is absent too", async () => {
      const { sha256 } = await store().blobs.put(freshBytes(10));
      await store().blobs.remove(sha256);
      await store().blobs.remove(sha256);
      expect(await store().blobs.stat(sha256)).toBeUndefined();
      expect(await store().blobs.list({ limit: 10 })).toEqual({ blobs: [] });
    });
  });

  describe("list", () => {
    it("pages through every blob once", async () => {
      const stored = new Map<string, number>();
      for (let size = 1; size <= 23; size += 1) {
        stored.set((await store().blobs.put(freshBytes(size))).sha256, size);
      }
      const seen: (readonly [string, number])[] = [];
      let cursor: string | undefined;
      do {
        const page = await store().blobs.list({ limit: 5, ...(cursor && { cursor }) });
        expect(page.blobs.length).toBeLessThanOrEqual(5);
        seen.push(...page.blobs.map((blob) => [blob.sha256, blob.sizeBytes] as const));
        cursor = page.cursor;
      } while (cursor !== undefined);
      expect(seen.length).toBe(23);
      expect(new Map(seen)).toEqual(stored);
    });

    it("says when each was stored", async () => {
      const { sha256 } = await store().blobs.put(freshBytes(10));
      const [only] = (await store().blobs.list({ limit: 10 })).blobs;
      expect(only).toEqual({ sha256, ...(await store().blobs.stat(sha256)) });
    });
  });

  describe("a digest that is none", () => {
    it.each(HOSTILE_DIGESTS)("is refused before it reaches the store: %j", async (sha256) => {
      const { blobs } = store();
      const expiresInSeconds = 60;
      const attempts = [
        () => blobs.open(sha256),
        () => blobs.open(sha256, { start: 0, end: 0 }),
        () => blobs.read(sha256),
        () => blobs.stat(sha256),
        () => blobs.remove(sha256),
        () => blobs.uploadTicket({ sha256, sizeBytes: 1, expiresInSeconds }),
        () => blobs.downloadTicket({ sha256, expiresInSeconds }),
      ];
      for (const attempt of attempts) await expect(attempt()).rejects.toThrow(TypeError);
    });

    it("is a mismatch where bytes are expected to have it", async () => {
      for (const sha256 of HOSTILE_DIGESTS) {
        for (const size of [10, 9 * MIB]) {
          await expect(
            store().blobs.put(freshBytes(size), { expected: { sha256 } }),
          ).rejects.toMatchObject({ name: "DigestMismatchError" });
        }
      }
      expect(await store().leftovers()).toEqual([]);
    });
  });

  it("answers a ping", async () => {
    await store().blobs.ping();
  });
}
