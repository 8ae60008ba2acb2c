import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type RunningProxy, startProxy } from "../../../cli/proxy/run-proxy.ts";
import { Proxy, type Verdict } from "../../support/proxy.ts";
import { startServer, type TestServer } from "../../support/server.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/temporary-folder.ts";
import { digestOf, errorOf } from "./builders.ts";

const MIB = 1024 * 1024;
/** Two parts. */
const LAYER_BYTES = 20 * MIB;

let server: TestServer;
let folder: TemporaryFolder;
/** In front of the server: takes no large blobs, as functions without an edge. */
let gateway: Proxy;
let proxy: RunningProxy;
beforeAll(async () => {
  server = await startServer();
  await server.createRegistry({ slug: "images", ecosystem: "oci", kind: "source" });
});
afterAll(async () => server.stop());
beforeEach(async () => {
  folder = await temporaryFolder("proxy-tickets");
  const spoolFolder = join(folder.path, "spool");
  await mkdir(spoolFolder);
  gateway = await Proxy.open(server.url);
  refuseUploads();
  const options = { port: 0, spoolFolder, spoolLimitBytes: 100 * MIB, warn: () => {} };
  proxy = await startProxy({ url: gateway.url, token: server.adminToken }, options);
});
afterEach(async () => {
  await proxy.stop();
  await gateway[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const isBlobPut = ({ method, path }: { method: string; path: string }): boolean =>
  method === "PUT" && path.includes("/blobs/uploads/");

/** 413 for blobs, and `parts` decides about the parts of uploads by ticket. */
function refuseUploads(parts: (path: string) => Verdict = () => "pass"): void {
  gateway.judge = (seen) => {
    if (isBlobPut(seen)) return { status: 413, body: '{"message":"Request Too Long"}' };
    return seen.method === "PUT" && seen.path.startsWith("/_blobs/") ? parts(seen.path) : "pass";
  };
}

/** POST, PATCH, PUT; gives the last answer. */
async function push(
  bytes: Uint8Array<ArrayBuffer>,
  {
    digest = digestOf(bytes),
    headers = {},
  }: { digest?: string; headers?: Readonly<Record<string, string>> } = {},
): Promise<Response> {
  const started = await fetch(`${proxy.url}/v2/images/app/blobs/uploads/`, {
    method: "POST",
    headers,
  });
  if (started.status !== 202) return started;
  const location = proxy.url + (started.headers.get("location") ?? "");
  expect((await fetch(location, { method: "PATCH", body: bytes, headers })).status).toBe(202);
  return fetch(`${location}?digest=${digest}`, { method: "PUT", headers });
}

async function pulledStatus(digest: string): Promise<number> {
  const headers = { authorization: `Bearer ${server.adminToken}` };
  const url = `${server.url}/v2/images/app/blobs/${digest}`;
  return (await fetch(url, { method: "HEAD", headers })).status;
}

/** Ascending. */
const sentParts = (): readonly number[] => gateway.sentParts().toSorted((a, b) => a - b);

async function tokenFor(scopes: readonly string[]): Promise<string> {
  const body = JSON.stringify({ description: "test", scopes });
  const made = await server.api("/tokens", { method: "POST", body });
  const { token }: { token: string } = JSON.parse(await made.text());
  return token;
}

describe("The push proxy, where nothing takes large blobs", () => {
  test("sends a refused blob in parts, by tickets", async () => {
    const layer = randomBytes(LAYER_BYTES);
    const response = await push(layer);
    expect(response.status).toBe(201);
    expect(response.headers.get("docker-content-digest")).toBe(digestOf(layer));
    expect(response.headers.get("location")).toBe(`/v2/images/app/blobs/${digestOf(layer)}`);
    expect(await pulledStatus(digestOf(layer))).toBe(200);
    expect(sentParts()).toEqual([1, 2]);
  });

  test("tickets go without the token, which is not the blob storage's to know", async () => {
    await push(randomBytes(MIB));
    const parts = gateway.seen.filter(({ path }) => path.startsWith("/_blobs/parts/"));
    expect(parts.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  test("sends a part again after a lost connection", async () => {
    let losses = 2;
    refuseUploads((path) => (path.includes("/2?") && losses-- > 0 ? "reset" : "pass"));
    const layer = randomBytes(LAYER_BYTES);
    expect((await push(layer)).status).toBe(201);
    expect(gateway.sentParts().filter((number) => number === 1)).toHaveLength(1);
    expect(gateway.sentParts().filter((number) => number === 2)).toHaveLength(3);
  });

  test("sends a whole blob again after a lost connection", async () => {
    let losses = 1;
    gateway.judge = (seen) => (isBlobPut(seen) && losses-- > 0 ? "reset" : "pass");
    const layer = randomBytes(LAYER_BYTES);
    expect((await push(layer)).status).toBe(201);
    expect(gateway.seen.filter(isBlobPut)).toHaveLength(2);
    expect(await pulledStatus(digestOf(layer))).toBe(200);
  });

  test("goes on where a broken push of the same blob stopped", async () => {
    const layer = randomBytes(LAYER_BYTES);
    let isFirstThere = false;
    refuseUploads((path) => {
      if (!path.includes("/2?")) return "pass";
      isFirstThere = true;
      return { status: 400, body: "<Error><Code>BadDay</Code></Error>" };
    });
    expect((await push(layer)).status).toBe(400);
    expect(isFirstThere).toBe(true);
    const before = new Set(await arrived());
    gateway.seen.length = 0;
    refuseUploads();
    expect((await push(layer)).status).toBe(201);
    expect(sentParts()).toEqual([1, 2].filter((number) => !before.has(number)));
    expect(gateway.sentParts()).toContain(2);
  });

  /** Parts of the upload that was begun last. */
  async function arrived(): Promise<readonly number[]> {
    const [, id = ""] =
      gateway.seen.map(({ path }) => /\/api\/v1\/uploads\/(\w+)/.exec(path)).findLast(Boolean) ??
      [];
    if (id === "") return [];
    const progress = await server.api(`/uploads/${id}`);
    const { arrived: parts }: { arrived: { partNumber: number }[] } = JSON.parse(
      await progress.text(),
    );
    return parts.map(({ partNumber }) => partNumber);
  }

  test("finds a blob whose completion was done, though its answer got lost", async () => {
    const layer = randomBytes(MIB);
    const judge = gateway.judge;
    gateway.judge = (seen) =>
      seen.path.endsWith("/complete") ? { cutAfterBytes: 1 } : judge(seen);
    expect((await push(layer)).status).toBe(201);
    expect(await pulledStatus(digestOf(layer))).toBe(200);
  });

  test("refuses a blob of another digest, and links nothing", async () => {
    const layer = randomBytes(MIB);
    const response = await push(layer, { digest: digestOf("another") });
    expect([response.status, (await errorOf(response)).code]).toEqual([400, "DIGEST_INVALID"]);
    expect(await pulledStatus(digestOf(layer))).toBe(404);
    expect(await pulledStatus(digestOf("another"))).toBe(404);
    expect(gateway.sentParts()).toEqual([]);
  });

  test("says what the blob storage found when bytes were damaged on the way", async () => {
    const layer = randomBytes(MIB);
    const judge = gateway.judge;
    const body = JSON.stringify({ type: "urn:entrepot:error:digest-mismatch", detail: "wrong" });
    gateway.judge = (seen) =>
      seen.path.endsWith("/complete") ? { status: 400, body } : judge(seen);
    const response = await push(layer);
    expect([response.status, (await errorOf(response)).code]).toEqual([400, "DIGEST_INVALID"]);
    expect(await pulledStatus(digestOf(layer))).toBe(404);
  });

  test("lets a token without the right to write send nothing", async () => {
    const headers = { authorization: `Bearer ${await tokenFor(["packages:read"])}` };
    const response = await push(randomBytes(MIB), { headers });
    expect([response.status, (await errorOf(response)).code]).toEqual([403, "DENIED"]);
    expect(gateway.seen.filter(({ method }) => method === "PUT")).toEqual([]);
  });

  test("uses a client's own token, as Basic too, before its own", async () => {
    const basic = Buffer.from(`me:${await tokenFor(["packages:write", "packages:read"])}`);
    const headers = { authorization: `Basic ${basic.toString("base64")}` };
    expect((await push(randomBytes(MIB), { headers })).status).toBe(201);
    const token = headers.authorization.slice("Basic ".length);
    const used = gateway.seen.filter(({ path }) => path === "/api/v1/uploads");
    expect(used.map(({ authorization }) => authorization)).toEqual([
      `Bearer ${Buffer.from(token, "base64").toString().slice("me:".length)}`,
    ]);
  });

  test("tells a client with a short token of its own what to do", async () => {
    const authorization = `Bearer ${await tokenFor(["packages:write", "packages:read"])}`;
    const scope = "scope=repository:images/app:pull,push";
    const answer = await fetch(`${server.url}/v2/_token?${scope}`, { headers: { authorization } });
    const { token }: { token: string } = JSON.parse(await answer.text());
    const response = await push(randomBytes(MIB), {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(response.status).toBe(401);
    expect((await errorOf(response)).message).toContain("entrepot login");
  });

  test("passes the refusal of a blob named by sha512 on", async () => {
    const layer = randomBytes(MIB);
    const response = await push(layer, { digest: digestOf(layer, "sha512") });
    expect(response.status).toBe(413);
    expect(gateway.sentParts()).toEqual([]);
  });
});
