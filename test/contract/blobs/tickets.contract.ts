import { describe, expect, it } from "vitest";
import { bytesOf, freshBytes, type GetStore, MIB, sha256Of, sleep, useTicket } from "./harness.ts";

export function ticketsContract(store: GetStore): void {
  const ticketFor = (bytes: Uint8Array, expiresInSeconds = 60) =>
    store().blobs.uploadTicket({
      sha256: sha256Of(bytes),
      sizeBytes: bytes.byteLength,
      expiresInSeconds,
    });

  describe("an upload ticket", () => {
    it.each([0, 1, 100_000, 9 * MIB])("stores %d bytes", async (size) => {
      const body = freshBytes(size);
      const ticket = await ticketFor(body);
      expect(ticket.method).toBe("PUT");
      expect(Math.abs(ticket.expiresAtSeconds - Date.now() / 1000 - 60)).toBeLessThan(5);
      const response = await useTicket(store(), ticket, { body });
      expect(response.status).toBe(200);
      expect(response.headers.get("etag")).toMatch(/^".+"$/);
      const stored = await bytesOf(await store().blobs.open(sha256Of(body)));
      expect(stored?.equals(body)).toBe(true);
      expect(await store().leftovers()).toEqual([]);
    });

    it("can be used again with the same bytes", async () => {
      const body = freshBytes(10);
      const ticket = await ticketFor(body);
      expect((await useTicket(store(), ticket, { body })).status).toBe(200);
      expect((await useTicket(store(), ticket, { body })).status).toBe(200);
    });

    it.each([10, 9 * MIB])("answers 400 for %d other bytes and keeps nothing", async (size) => {
      const response = await useTicket(store(), await ticketFor(freshBytes(size)), {
        body: freshBytes(size),
      });
      expect(response.status).toBe(400);
      expect(await response.text()).toContain("<Code>BadDigest</Code>");
      await nothingIsLeft();
    });

    it.each([9, 11])("refuses %d bytes when it is for ten", async (size) => {
      const ticket = await ticketFor(freshBytes(10));
      const headers = { "content-length": String(size) };
      const response = await useTicket(store(), ticket, { body: freshBytes(size), headers });
      expect(response.status).toBe(403);
      await nothingIsLeft();
    });

    it("refuses other bytes with their own checksum", async () => {
      const other = freshBytes(10);
      const checksum = Buffer.from(sha256Of(other), "hex").toString("base64");
      const response = await useTicket(store(), await ticketFor(freshBytes(10)), {
        body: other,
        headers: { "x-amz-checksum-sha256": checksum },
      });
      expect(response.status).toBe(403);
      await nothingIsLeft();
    });

    it("is refused after it expired", async () => {
      const body = freshBytes(10);
      const ticket = await ticketFor(body, 1);
      await sleep(2100);
      expect((await useTicket(store(), ticket, { body })).status).toBe(403);
      await nothingIsLeft();
    });

    it("is refused when its URL was altered", async () => {
      const body = freshBytes(10);
      const ticket = await ticketFor(body);
      const other = sha256Of(freshBytes(10));
      const alterations = [
        ticket.url.replace(sha256Of(body), other),
        ticket.url.replace(/([?&]X-Amz-Expires=|[?&]expires=)(\d+)/, "$1$29"),
        ticket.url.replace(/(signature=.{4})(.)/i, (_, head: string, digit: string) =>
          digit === "a" ? `${head}b` : `${head}a`,
        ),
        ticket.url.replace(/([?&](X-Amz-)?signature=)[^&]*/i, "$1"),
        ticket.url.replace(/[?&](X-Amz-)?signature=[^&]*/i, ""),
        ticket.url.replace(/\?.*/, ""),
      ];
      for (const url of alterations) {
        expect(url).not.toBe(ticket.url);
        const { status } = await useTicket(store(), { ...ticket, url }, { body });
        expect([400, 401, 403]).toContain(status);
      }
      await nothingIsLeft();
    });

    it("is refused when it was rewritten for other bytes, which then fit it in every way", async () => {
      const ticket = await ticketFor(freshBytes(10));
      for (const size of [10, 20]) {
        const body = freshBytes(size);
        const honest = await ticketFor(body);
        const signature = /(?:X-Amz-)?signature=[^&]*/i;
        const stolen = signature.exec(ticket.url)?.[0] ?? "";
        const url = honest.url.replace(signature, stolen);
        expect(url).not.toBe(honest.url);
        const response = await useTicket(store(), { ...honest, url }, { body });
        expect(response.status).toBe(403);
      }
      await nothingIsLeft();
    });

    it("is not a download ticket, nor the other way round", async () => {
      const body = freshBytes(10);
      const ticket = await ticketFor(body);
      const { sha256 } = await store().blobs.put(body);
      expect((await useTicket(store(), { ...ticket, method: "GET" })).status).toBe(403);
      const download = await store().blobs.downloadTicket({ sha256, expiresInSeconds: 60 });
      const swapped = await useTicket(store(), { ...download, method: "PUT" }, { body });
      expect(swapped.status).toBe(403);
    });

    it("is for at most 5 GiB", async () => {
      const sha256 = sha256Of(freshBytes(1));
      for (const sizeBytes of [5 * 1024 ** 3 + 1, -1, 0.5, Number.NaN]) {
        await expect(
          store().blobs.uploadTicket({ sha256, sizeBytes, expiresInSeconds: 60 }),
        ).rejects.toThrow(RangeError);
      }
    });
  });

  describe("a download ticket", () => {
    it("gives the bytes with the headers it was made for", async () => {
      const bytes = freshBytes(100_000);
      const { sha256 } = await store().blobs.put(bytes);
      const ticket = await store().blobs.downloadTicket({
        sha256,
        expiresInSeconds: 60,
        contentType: "application/x-gtar; x=1",
        contentDisposition: `attachment; filename="a b&c=d.tgz"`,
        contentEncoding: "x-none",
      });
      const response = await useTicket(store(), ticket);
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe("application/x-gtar; x=1");
      expect(response.headers.get("content-disposition")).toBe(
        `attachment; filename="a b&c=d.tgz"`,
      );
      expect(response.headers.get("content-encoding")).toBe("x-none");
      expect(response.headers.get("content-length")).toBe("100000");
      expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
    });

    it("gives ranges, 206 and 416", async () => {
      const bytes = freshBytes(1000);
      const { sha256 } = await store().blobs.put(bytes);
      const ticket = await store().blobs.downloadTicket({ sha256, expiresInSeconds: 60 });
      const part = await useTicket(store(), ticket, { headers: { range: "bytes=990-2000" } });
      expect(part.status).toBe(206);
      expect(part.headers.get("content-range")).toBe("bytes 990-999/1000");
      expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(990))).toBe(true);
      const outside = await useTicket(store(), ticket, { headers: { range: "bytes=1000-" } });
      expect(outside.status).toBe(416);
    });

    it("answers 404 for absent bytes", async () => {
      const sha256 = sha256Of(freshBytes(10));
      const ticket = await store().blobs.downloadTicket({ sha256, expiresInSeconds: 60 });
      const response = await useTicket(store(), ticket);
      expect(response.status).toBe(404);
      expect(await response.text()).toContain("<Code>NoSuchKey</Code>");
    });

    it("is refused after it expired, and when it was altered", async () => {
      const { sha256 } = await store().blobs.put(freshBytes(10));
      const contentType = "text/plain";
      const ticket = await store().blobs.downloadTicket({
        sha256,
        contentType,
        expiresInSeconds: 1,
      });
      expect((await useTicket(store(), ticket)).status).toBe(200);
      const url = ticket.url.replace("plain", "html");
      expect(url).not.toBe(ticket.url);
      expect((await useTicket(store(), { ...ticket, url })).status).toBe(403);
      await sleep(2100);
      expect((await useTicket(store(), ticket)).status).toBe(403);
    });

    it("takes no header that could break out of its line", async () => {
      const sha256 = sha256Of(freshBytes(10));
      for (const contentType of ["text/plain\r\nset-cookie: a=b", "café", "a\0"]) {
        await expect(
          store().blobs.downloadTicket({ sha256, expiresInSeconds: 60, contentType }),
        ).rejects.toThrow(TypeError);
      }
    });
  });

  async function nothingIsLeft(): Promise<void> {
    expect(await store().blobs.list({ limit: 10 })).toEqual({ blobs: [] });
    expect(await store().leftovers()).toEqual([]);
  }
}
