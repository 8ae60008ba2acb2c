import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { Cli } from "../../support/cli.ts";
import { startServer, type TestServer } from "../../support/server.ts";
import { type ApiClient, openApi } from "../api/client.ts";
import { bytesOf, digestOf, Repository } from "./builders.ts";

const STARTED = z.object({
  id: z.string(),
  partSizeBytes: z.int(),
  parts: z.array(z.object({ url: z.url(), sizeBytes: z.int(), partNumber: z.int() })),
});
type Started = z.infer<typeof STARTED>;

/** What announces a blob as an upload. */
function announced(bytes: Uint8Array): Record<string, unknown> {
  const digest = digestOf(bytes);
  return {
    registry: "images",
    package: "team/app",
    version: digest,
    path: `blobs/${digest}`,
    sizeBytes: bytes.length,
    sha256: digest.slice("sha256:".length),
  };
}

describe("A blob that is uploaded by ticket", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ args: ["--limits", "lambda"] });
    await server.createRegistry({ slug: "images", ecosystem: "oci" });
  });
  afterAll(async () => server.stop());

  async function begin(bytes: Uint8Array): Promise<Started> {
    const body = JSON.stringify(announced(bytes));
    const response = await server.api("/uploads", { method: "POST", body });
    expect(response.status).toBe(201);
    return STARTED.parse(await response.json());
  }

  async function send({ parts, partSizeBytes }: Started, bytes: Uint8Array): Promise<void> {
    for (const { url, partNumber, sizeBytes } of parts) {
      const start = (partNumber - 1) * partSizeBytes;
      const body = Buffer.from(bytes.subarray(start, start + sizeBytes));
      expect((await fetch(url, { method: "PUT", body })).status).toBe(200);
    }
  }

  async function pull(digest: string, image = "team/app"): Promise<Response> {
    const headers = { authorization: `Bearer ${server.adminToken}` };
    return fetch(`${server.url}/v2/images/${image}/blobs/${digest}`, { method: "HEAD", headers });
  }

  test("belongs to its image when it is complete, and to no other", async () => {
    const bytes = randomBytes(17 * 1024 * 1024);
    const upload = await begin(bytes);
    await send(upload, bytes);
    expect((await pull(digestOf(bytes))).status).toBe(404);
    const done = await server.api(`/uploads/${upload.id}/complete`, { method: "POST" });
    expect(done.status).toBe(201);
    const path = `/v2/images/team/app/blobs/${digestOf(bytes)}`;
    expect(done.headers.get("location")).toBe(path);
    expect(await done.json()).toMatchObject({
      sizeBytes: bytes.length,
      downloadUrl: server.url + path,
    });
    const found = await pull(digestOf(bytes));
    expect([found.status, found.headers.get("content-length")]).toEqual([200, "17825792"]);
    expect((await pull(digestOf(bytes), "team/other")).status).toBe(404);
    const again = await server.api(`/uploads/${upload.id}/complete`, { method: "POST" });
    expect(again.status).toBe(404);
  });

  test("is linked to nothing when its bytes are not what was announced", async () => {
    const upload = await begin(bytesOf("right"));
    await send(upload, bytesOf("wrong"));
    const done = await server.api(`/uploads/${upload.id}/complete`, { method: "POST" });
    expect(done.status).toBe(400);
    expect(await done.json()).toMatchObject({ type: "urn:entrepot:error:digest-mismatch" });
    expect((await pull(digestOf("right"))).status).toBe(404);
    expect((await pull(digestOf("wrong"))).status).toBe(404);
  });

  test("is not to be had by knowing the digest of what another image has", async () => {
    const bytes = bytesOf("a secret of another image");
    const other = new Repository({ request: fetchFrom(server) }, "images/other");
    await other.pushBlob(bytes);
    const upload = await begin(bytes);
    const done = await server.api(`/uploads/${upload.id}/complete`, { method: "POST" });
    expect(done.status).toBe(400);
    expect((await pull(digestOf(bytes))).status).toBe(404);
  });

  test("is no file for entrepot push, whatever its path", async () => {
    const digest = digestOf("x");
    const flags = ["--package", "app", "--version", digest, "--path", `blobs/${digest}`];
    const cli = Cli.of(server, server.folder, server.url);
    const { code, stderr } = await cli.run(["push", "images", import.meta.filename, ...flags]);
    expect(code).toBe(2);
    expect(stderr).toContain("OCI client");
  });
});

describe("An upload to an oci registry", () => {
  let api: ApiClient;
  beforeEach(async () => {
    api = await openApi();
    await api.registry.createRegistry({ slug: "images", ecosystem: "oci" });
  });
  afterEach(async () => api.close());

  test("is refused unless it is a blob by its sha256, before its bytes are sent", async () => {
    const body = announced(bytesOf("layer"));
    const other = digestOf("other");
    const problems = await Promise.all(
      [
        { path: "layer.tar" },
        { path: `blobs/${other}` },
        { version: other },
        { sha256: other.slice(7) },
        { version: digestOf("layer", "sha512") },
        { package: "Team/App" },
        { sizeBytes: 6 * 1024 ** 4 },
      ].map(async (change) => {
        const answer = await api.call("POST", "/uploads", { body: { ...body, ...change } });
        return z.object({ type: z.string() }).parse(answer.body).type.split(":").at(-1);
      }),
    );
    const [unsupported, invalid] = ["unsupported", "invalid-input"];
    expect(problems).toEqual([...Array(5).fill(unsupported), invalid, invalid]);
    expect(await api.registry.stores.blobs.listMultipart()).toEqual([]);
  });

  test("needs the right to write to the image", async () => {
    const body = announced(bytesOf("layer"));
    const reader = await api.tokenFor({ scopes: ["packages:read"] });
    const elsewhere = await api.tokenFor({ scopes: ["packages:write"], packages: ["other/*"] });
    expect(await api.call("POST", "/uploads", { body, token: reader })).toMatchObject({
      status: 403,
    });
    const refused = await api.call("POST", "/uploads", { body, token: elsewhere });
    expect(refused.status).toBeGreaterThanOrEqual(403);
    expect(await api.call("POST", "/uploads", { body, token: null })).toMatchObject({
      status: 401,
    });
    expect(await api.registry.stores.blobs.listMultipart()).toEqual([]);
  });

  test("that was abandoned is swept with its parts", async () => {
    const started = await api.call("POST", "/uploads", { body: announced(bytesOf("layer")) });
    expect(started.status).toBe(201);
    expect(await api.registry.stores.blobs.listMultipart()).toHaveLength(1);
    api.registry.clock.aheadMs = 25 * 3_600_000;
    expect(await api.call("POST", "/maintenance/sweep-uploads")).toMatchObject({
      body: { uploads: 1 },
    });
    expect(await api.registry.stores.blobs.listMultipart()).toEqual([]);
  });

  test("is begun with the limit of a request, only where there is one", async () => {
    const limit = async (at: ApiClient): Promise<string | null> => {
      const path = "/v2/images/app/blobs/uploads/";
      const response = await at.registry.request(path, { method: "POST" });
      expect(response.status).toBe(202);
      return response.headers.get("entrepot-upload-limit");
    };
    expect(await limit(api)).toBeNull();
    const small = await openApi({ maxBodyBytes: 1000 });
    await small.registry.createRegistry({ slug: "images", ecosystem: "oci" });
    expect(await limit(small)).toBe("1000");
    await small.close();
  });
});

/** Requests of the administrator to a real server. */
function fetchFrom({ url, adminToken }: TestServer) {
  return async (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${adminToken}`);
    return fetch(url + path, { ...init, headers });
  };
}
