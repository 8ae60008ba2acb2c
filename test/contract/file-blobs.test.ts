import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ServerType, serve } from "@hono/node-server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBlobRoutes } from "../../cli/serve/blob-routes.ts";
import { FileBlobs } from "../../shared/adapters/filesystem/file-blobs.ts";
import { BlobsUnavailableError } from "../../shared/ports/blobs.ts";
import {
  type BlobsUnderTest,
  bytesOf,
  freshBytes,
  MIB,
  sha256Of,
  sleep,
  useTicket,
} from "./blobs/harness.ts";
import { blobsContract } from "./blobs.contract.ts";

const open = (folder: string) => FileBlobs.open({ folder, ticketKey: new Uint8Array(32) });
const newFolder = () => mkdtemp(join(tmpdir(), "entrepot-blobs-"));

/**
 * The contract hands `../..` to code that removes folders. Should its validation ever break, that must
 * remove a folder of the test and not the machine's `/tmp`, so the store lies deeper than any such id climbs.
 */
const deepIn = (folder: string) => join(folder, "a", "b", "c", "d", "store");

describe("FileBlobs", () => {
  let temporary = "";
  let folder = "";
  let server: ServerType;
  let store: BlobsUnderTest;

  beforeAll(async () => {
    temporary = await newFolder();
    folder = deepIn(temporary);
    const blobs = await open(folder);
    const origin = await new Promise<string>((resolve) => {
      const { fetch } = createBlobRoutes(blobs);
      server = serve({ fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) =>
        resolve(`http://127.0.0.1:${port}`),
      );
    });
    const leftovers = async () => [
      ...(await readdir(join(folder, "tmp"))),
      ...(await readdir(join(folder, "multipart"))),
    ];
    store = { blobs, origin, leftovers, clockStepMs: 1 };
  });

  afterAll(async () => {
    server.close();
    await rm(temporary, { recursive: true, force: true });
  });

  blobsContract(() => store);

  describe("its tickets", () => {
    it("are refused by a store with another key", async () => {
      const bytes = freshBytes(10);
      const other = await FileBlobs.open({ folder, ticketKey: randomBytes(32) });
      const ticket = await other.uploadTicket({
        sha256: sha256Of(bytes),
        sizeBytes: 10,
        expiresInSeconds: 60,
      });
      expect((await useTicket(store, ticket, { body: bytes })).status).toBe(403);
    });

    it("answer HEAD, If-None-Match and If-Range", async () => {
      const { sha256 } = await store.blobs.put(freshBytes(1000));
      const ticket = await store.blobs.downloadTicket({ sha256, expiresInSeconds: 60 });
      const head = await useTicket(store, ticket, { method: "HEAD" });
      expect([head.status, head.headers.get("content-length")]).toEqual([200, "1000"]);
      const etag = head.headers.get("etag") ?? "";
      const ask = async (headers: Record<string, string>) =>
        (await useTicket(store, ticket, { headers })).status;
      expect(await ask({ "if-none-match": etag })).toBe(304);
      expect(await ask({ range: "bytes=0-1", "if-range": etag })).toBe(206);
      expect(await ask({ range: "bytes=0-1", "if-range": '"other"' })).toBe(200);
      expect(await ask({ range: "bytes=0-1,3-4" })).toBe(200);
    });

    it("allow PUT, GET and HEAD only", async () => {
      const { sha256 } = await store.blobs.put(freshBytes(10));
      const ticket = await store.blobs.downloadTicket({ sha256, expiresInSeconds: 60 });
      for (const method of ["POST", "DELETE", "PATCH"]) {
        const response = await useTicket(store, ticket, { method });
        expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD, PUT"]);
      }
    });

    it("ask for a Content-Length", async () => {
      const bytes = freshBytes(10);
      const ticket = await store.blobs.uploadTicket({
        sha256: sha256Of(bytes),
        sizeBytes: 10,
        expiresInSeconds: 60,
      });
      const body = new Blob([Uint8Array.from(bytes)]).stream();
      const url = new URL(ticket.url, store.origin);
      const response = await fetch(url, { method: "PUT", body, duplex: "half" });
      expect(response.status).toBe(411);
    });

    it("are not signed with a short key", async () => {
      await expect(FileBlobs.open({ folder, ticketKey: new Uint8Array(31) })).rejects.toThrow(
        RangeError,
      );
    });
  });

  it("leaves nothing of an upload whose client goes away", async () => {
    const bytes = freshBytes(4 * MIB);
    const ticket = await store.blobs.uploadTicket({
      sha256: sha256Of(bytes),
      sizeBytes: bytes.byteLength,
      expiresInSeconds: 60,
    });
    const aborting = new AbortController();
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(bytes.subarray(0, 2 * MIB));
      },
    });
    const url = new URL(ticket.url, store.origin);
    const { signal } = aborting;
    const init = { method: "PUT", body, signal, headers: ticket.headers } as const;
    const sending = fetch(url, { ...init, duplex: "half" });
    sending.catch(() => undefined);
    await expect.poll(() => store.leftovers()).toHaveLength(1);
    aborting.abort();
    await expect(sending).rejects.toThrow();
    await expect.poll(() => store.leftovers()).toEqual([]);
    expect(await store.blobs.stat(sha256Of(bytes))).toBeUndefined();
  });

  it("gives storedAtMs by the clock it was given", async () => {
    const clock = () => 1_700_000_000_123;
    const blobs = await FileBlobs.open({ folder, ticketKey: new Uint8Array(32), clock });
    for (const size of [10, 2 * MIB]) {
      const { sha256 } = await blobs.put(freshBytes(size));
      expect((await blobs.stat(sha256))?.storedAtMs).toBe(clock());
    }
  });

  it("repairs a file that lost bytes when they are put again", async () => {
    const bytes = freshBytes(1000);
    const { sha256 } = await store.blobs.put(bytes);
    const path = join(folder, "sha256", sha256.slice(0, 2), sha256);
    await truncate(path, 10);
    await store.blobs.put(bytes);
    expect((await bytesOf(await store.blobs.open(sha256)))?.equals(bytes)).toBe(true);
  });

  it("says that it is unavailable when its folder is gone", async () => {
    const gone = await newFolder();
    const blobs = await open(gone);
    await blobs.ping();
    await rm(gone, { recursive: true });
    await expect(blobs.ping()).rejects.toThrow(BlobsUnavailableError);
    await expect(blobs.put(freshBytes(10))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("never shows a part of a blob after kill -9", async () => {
    const crashing = await newFolder();
    const script = join(import.meta.dirname, "fixtures", "put-until-killed.ts");
    for (let round = 0; round < 5; round += 1) {
      const child = spawn(process.execPath, [script, crashing], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await once(child.stdout, "data");
      await sleep(20 + Math.random() * 150);
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    const blobs = await open(crashing);
    const { blobs: found } = await blobs.list({ limit: 100_000 });
    expect(found.length).toBeGreaterThan(10);
    for (const { sha256 } of found) {
      const bytes = await bytesOf(await blobs.open(sha256));
      expect(bytes && sha256Of(bytes)).toBe(sha256);
    }
    expect((await readdir(join(crashing, "tmp"))).length).toBeGreaterThan(0);
    await blobs.sweep(Date.now() + 60_000);
    expect(await readdir(join(crashing, "tmp"))).toEqual([]);
    await rm(crashing, { recursive: true });
  });
});
