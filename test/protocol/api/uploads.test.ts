import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { startServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  await server.createRegistry({ slug: "files", ecosystem: "generic" });
});
afterAll(async () => server.stop());

const PARTS = z.array(
  z.object({
    partNumber: z.int(),
    method: z.string(),
    url: z.url(),
    headers: z.record(z.string(), z.string()),
    sizeBytes: z.int(),
  }),
);
const STARTED = z.object({
  id: z.string(),
  partSizeBytes: z.int(),
  partCount: z.int(),
  parts: PARTS,
});
type Part = z.infer<typeof PARTS>[number];

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

async function call(method: string, path: string, body?: unknown): Promise<Response> {
  return server.api(path, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function read(path: string): Promise<Response> {
  return fetch(server.url + path, { headers: { authorization: `Bearer ${server.adminToken}` } });
}

async function begin(
  path: string,
  bytes: Uint8Array,
  change: object = {},
): Promise<z.infer<typeof STARTED>> {
  const response = await call("POST", "/uploads", {
    registry: "files",
    package: "big",
    version: "1.0.0",
    path,
    sizeBytes: bytes.length,
    sha256: sha256(bytes),
    ...change,
  });
  expect(response.status).toBe(201);
  return STARTED.parse(await response.json());
}

/** As any HTTP client would: without a token. */
async function send(part: Part, partSizeBytes: number, bytes: Uint8Array): Promise<number> {
  const start = (part.partNumber - 1) * partSizeBytes;
  const { "content-length": _, ...headers } = part.headers;
  const body = Buffer.from(bytes.subarray(start, start + part.sizeBytes));
  return (await fetch(part.url, { method: part.method, headers, body })).status;
}

describe("an upload", () => {
  test("in two parts becomes a file, once all have arrived", async () => {
    const bytes = Buffer.alloc(17 * 1024 * 1024, "entrepot ");
    const { id, parts, partCount, partSizeBytes } = await begin("docs/big.bin", bytes);
    expect(partCount).toBe(2);
    const [first, second] = parts;
    if (first === undefined || second === undefined) throw new Error("two tickets are needed");
    expect(await send(second, partSizeBytes, bytes)).toBe(200);
    expect((await call("POST", `/uploads/${id}/complete`)).status).toBe(400);
    const progress = await call("GET", `/uploads/${id}`);
    expect(await progress.json()).toMatchObject({
      arrived: [{ partNumber: 2, sizeBytes: 1024 * 1024 }],
    });

    const again = z
      .object({ parts: PARTS })
      .parse(await (await call("POST", `/uploads/${id}/parts`, { partNumbers: [1] })).json());
    expect(await send(again.parts[0] ?? first, partSizeBytes, bytes)).toBe(200);
    const done = await call("POST", `/uploads/${id}/complete`);
    expect(done.status).toBe(201);
    expect(await done.json()).toMatchObject({
      path: "docs/big.bin",
      sizeBytes: bytes.length,
      digests: { sha256: sha256(bytes) },
    });
    const file = await read("/generic/files/big/1.0.0/docs/big.bin");
    expect(sha256(Buffer.from(await file.arrayBuffer()))).toBe(sha256(bytes));
    expect((await call("GET", `/uploads/${id}`)).status).toBe(404);
  });

  test("whose publish was refused can be completed again, without sending its bytes again", async () => {
    const taken = await fetch(`${server.url}/generic/files/big/2.0.0/file`, {
      method: "PUT",
      headers: { authorization: `Bearer ${server.adminToken}` },
      body: "what is there already",
    });
    expect(taken.status).toBe(201);
    const bytes = Buffer.from("what is uploaded");
    const { id, parts, partSizeBytes } = await begin("file", bytes, { version: "2.0.0" });
    for (const part of parts) expect(await send(part, partSizeBytes, bytes)).toBe(200);
    expect((await call("POST", `/uploads/${id}/complete`)).status).toBe(409);
    const progress = await call("GET", `/uploads/${id}`);
    expect(await progress.json()).toMatchObject({ arrived: [{ partNumber: 1 }] });
    await call("PATCH", "/registries/files", { policies: { mutableFiles: true } });
    expect((await call("POST", `/uploads/${id}/complete`)).status).toBe(201);
    const file = await read("/generic/files/big/2.0.0/file");
    expect(await file.text()).toBe("what is uploaded");
    await call("PATCH", "/registries/files", { policies: { mutableFiles: false } });
  });

  test("of no bytes works like any other", async () => {
    const { id, parts, partSizeBytes } = await begin("empty", Buffer.alloc(0));
    for (const part of parts) expect(await send(part, partSizeBytes, Buffer.alloc(0))).toBe(200);
    expect((await call("POST", `/uploads/${id}/complete`)).status).toBe(201);
  });

  test("of other bytes than were announced is refused, and over", async () => {
    const { id, parts, partSizeBytes } = await begin("wrong", Buffer.from("right"));
    for (const part of parts) await send(part, partSizeBytes, Buffer.from("wrong"));
    const response = await call("POST", `/uploads/${id}/complete`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ type: "urn:entrepot:error:digest-mismatch" });
    expect((await call("GET", `/uploads/${id}`)).status).toBe(404);
    expect((await read("/generic/files/big/1.0.0/wrong")).status).toBe(404);
  });

  test("can be given up", async () => {
    const { id, parts, partSizeBytes } = await begin("aborted", Buffer.from("bytes"));
    expect((await call("DELETE", `/uploads/${id}`)).status).toBe(204);
    for (const part of parts)
      expect(await send(part, partSizeBytes, Buffer.from("bytes"))).toBe(404);
  });

  test("of a name that cannot be is refused before its bytes are sent", async () => {
    const upload = {
      registry: "files",
      package: "big",
      version: "1.0.0",
      path: "a",
      sizeBytes: 1,
      sha256: "0".repeat(64),
    };
    for (const change of [
      { path: "../a" },
      { path: "a//b" },
      { package: "a/b" },
      { version: "latest" },
      { sizeBytes: -1 },
      { sha256: "0" },
      { contentType: "a\nb" },
    ]) {
      expect([change, (await call("POST", "/uploads", { ...upload, ...change })).status]).toEqual([
        change,
        400,
      ]);
    }
    expect((await call("POST", "/uploads", { ...upload, registry: "none" })).status).toBe(404);
  });

  test("is nobody else's", async () => {
    const { id } = await begin("mine", Buffer.from("bytes"));
    const made = await call("POST", "/tokens", {
      description: "other",
      scopes: ["packages:write"],
      registries: [],
      owner: "other",
    });
    const { token } = z.object({ token: z.string() }).parse(await made.json());
    const headers = { authorization: `Bearer ${token}` };
    for (const [method, path] of [
      ["GET", ""],
      ["POST", "/complete"],
      ["DELETE", ""],
    ] as const) {
      const response = await fetch(`${server.url}/api/v1/uploads/${id}${path}`, {
        method,
        headers,
      });
      expect(response.status).toBe(404);
    }
  });
});
