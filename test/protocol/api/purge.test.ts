import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  hangUp,
  type MisbehavingUpstream,
  slowBody,
  startUpstream,
} from "../../support/misbehaving-upstream.ts";
import { createComposite } from "../../support/upstreams.ts";
import {
  packumentOf,
  servePackage,
  tarballPath,
  type UpstreamVersion,
  upstreamVersion,
} from "../npm/upstream-packages.ts";
import type { Answer, ApiClient } from "./client.ts";
import { openNpmMirror } from "./npm-mirror.ts";

let upstream: MisbehavingUpstream;
let api: ApiClient;
let one: UpstreamVersion;
let two: UpstreamVersion;

beforeEach(async () => {
  upstream = await startUpstream();
  api = await openNpmMirror(upstream);
  one = await upstreamVersion("left-pad", "1.0.0");
  two = await upstreamVersion("left-pad", "1.1.0", { files: { "index.js": "two" } });
  servePackage(upstream, "left-pad", [one, two]);
  servePackage(upstream, "is-odd", [await upstreamVersion("is-odd", "3.0.0")]);
});
afterEach(async () => {
  await api.close();
  await upstream.close();
});

const purge = (body: object = {}, token?: string): Promise<Answer> =>
  api.call("POST", "/registries/mirror/purge", {
    body,
    ...(token === undefined ? {} : { token }),
  });
const get = (path: string): Promise<Response> => api.registry.request(`/npm/mirror${path}`);
const tarball = async (name: string, version: string): Promise<number> => {
  const response = await get(tarballPath(name, version));
  await response.arrayBuffer();
  return response.status;
};

/** Everything once, so that it is all here. */
async function install(): Promise<void> {
  for (const [name, version] of [
    ["left-pad", "1.0.0"],
    ["left-pad", "1.1.0"],
    ["is-odd", "3.0.0"],
  ] as const) {
    expect(await tarball(name, version)).toBe(200);
    expect((await get(`/${name}`)).status).toBe(200);
  }
}

/** Blobs that something refers to: the collector takes the others. */
async function collectGarbage(): Promise<unknown> {
  const { body } = await api.call("POST", "/maintenance/collect-garbage", {
    body: { graceSeconds: 0 },
  });
  return Object(body).blobs;
}

const NOTHING = { packages: 0, versions: 0, files: 0, documents: 0, sizeBytes: 0, remaining: 0 };

describe("a purge of a version", () => {
  test("removes its files, which are fetched again, and frees their bytes", async () => {
    await install();
    expect(await purge({ package: "left-pad", version: "1.0.0" })).toMatchObject({
      status: 200,
      body: { ...NOTHING, packages: 1, versions: 1, files: 1, sizeBytes: one.tarball.length },
    });
    expect(await collectGarbage()).toBe(1);
    expect(await tarball("left-pad", "1.0.0")).toBe(200);
    expect(await tarball("left-pad", "1.1.0")).toBe(200);
    expect(upstream.requests(tarballPath("left-pad", "1.0.0"))).toBe(2);
    expect(upstream.requests(tarballPath("left-pad", "1.1.0"))).toBe(1);
    // The document says what other versions there are, too.
    expect(upstream.requests("/left-pad")).toBe(1);
  });

  test("needs its package, and takes no documents", async () => {
    expect((await purge({ version: "1.0.0" })).status).toBe(400);
    const both = { package: "left-pad", version: "1.0.0", documents: true };
    expect(await purge(both)).toMatchObject({
      status: 400,
      body: { issues: [{ at: "/version" }] },
    });
  });
});

describe("a purge of a package", () => {
  test("removes its documents and all of its files, and nothing of others", async () => {
    await install();
    expect(await purge({ package: "left-pad" })).toMatchObject({
      status: 200,
      body: { packages: 1, versions: 2, files: 2, documents: 1, remaining: 0 },
    });
    const { body } = await api.call("GET", "/registries/mirror/packages");
    expect(Object(body).items.map(({ name }: { name: string }) => name)).toEqual(["is-odd"]);
    expect(await collectGarbage()).toBe(2);
    upstream.on("/left-pad", hangUp);
    expect((await get("/left-pad")).status).toBe(502);
    expect((await get("/is-odd")).status).toBe(200);
    servePackage(upstream, "left-pad", [one, two]);
    expect((await get("/left-pad")).status).toBe(200);
    expect(await tarball("left-pad", "1.1.0")).toBe(200);
    const listed = await api.call("GET", "/registries/mirror/packages");
    expect(Object(listed.body).items).toHaveLength(2);
  });

  test("frees large documents, which are blobs", async () => {
    const manifest = { large: randomBytes(500_000).toString("base64") };
    servePackage(upstream, "large", [await upstreamVersion("large", "1.0.0", { manifest })]);
    expect((await get("/large")).status).toBe(200);
    expect(await collectGarbage()).toBe(0);
    await purge({ package: "large" });
    expect(await collectGarbage()).toBe(2);
  });

  test("of which nothing is here does nothing, and leaves no trace", async () => {
    expect(await purge({ package: "never-seen" })).toMatchObject({ status: 200, body: NOTHING });
    const { body } = await api.call("GET", "/audit");
    expect(JSON.stringify(body)).not.toContain("never-seen");
  });

  test("forgets that it is missing upstream", async () => {
    expect((await get("/later")).status).toBe(404);
    servePackage(upstream, "later", [await upstreamVersion("later", "1.0.0")]);
    expect((await get("/later")).status).toBe(404);
    await purge({ package: "later" });
    expect((await get("/later")).status).toBe(200);
  });

  test("stands in the audit log, with who did it", async () => {
    await install();
    await purge({ package: "left-pad" });
    const { body } = await api.call("GET", "/audit?registry=mirror&package=left-pad");
    expect(Object(body).items[0]).toMatchObject({
      action: "package.purge",
      registry: "mirror",
      package: "left-pad",
      actor: "admin",
    });
  });
});

describe("a purge of documents", () => {
  test("has them revalidated, and keeps them while the upstream fails", async () => {
    await install();
    expect(await purge({ documents: true })).toMatchObject({
      status: 200,
      body: { ...NOTHING, packages: 2, documents: 2 },
    });
    expect((await get("/left-pad")).status).toBe(200);
    expect(upstream.received.at(-1)).toMatchObject({
      path: "/left-pad",
      headers: { "if-none-match": expect.any(String) },
    });
    upstream.on("/is-odd", hangUp);
    const stale = await get("/is-odd");
    expect(stale.status).toBe(200);
    expect(stale.headers.get("warning")).toContain("does not answer");
    expect(await tarball("left-pad", "1.0.0")).toBe(200);
    expect(upstream.requests(tarballPath("left-pad", "1.0.0"))).toBe(1);
  });
});

describe("a purge of everything", () => {
  test("wants the slug, typed", async () => {
    await install();
    expect(await purge()).toMatchObject({
      status: 400,
      body: { type: "urn:entrepot:error:confirmation-required" },
    });
    expect((await purge({ confirm: "Mirror" })).status).toBe(400);
    expect(await tarball("is-odd", "3.0.0")).toBe(200);
    expect(upstream.requests(tarballPath("is-odd", "3.0.0"))).toBe(1);
  });

  test("leaves nothing for the registry's deletion or the collector to find", async () => {
    await install();
    expect(await purge({ confirm: "mirror" })).toMatchObject({
      status: 200,
      body: { packages: 2, versions: 3, files: 3, documents: 2, remaining: 0 },
    });
    expect(await collectGarbage()).toBe(3);
    const { body } = await api.call("GET", "/registries/mirror/packages");
    expect(Object(body).items).toEqual([]);
    expect(await purge({ confirm: "mirror" })).toMatchObject({ body: NOTHING });
    await install();
  });

  test("goes on with its cursor where its time was over", async () => {
    await api.close();
    api = await openNpmMirror(upstream, { requestBudgetMs: 1 });
    await install();
    let calls = 0;
    let files = 0;
    for (let cursor: unknown; calls < 100; calls++) {
      const { status, body } = await purge({
        confirm: "mirror",
        ...(cursor === undefined ? {} : { cursor }),
      });
      expect(status).toBe(200);
      files += Number(Object(body).files);
      cursor = Object(body).nextCursor;
      if (cursor === undefined) break;
      expect(Object(body).remaining).toBeGreaterThan(0);
    }
    expect(files).toBe(3);
    expect(await collectGarbage()).toBe(3);
  });

  test("refuses a cursor that is not its own", async () => {
    await install();
    expect(await purge({ confirm: "mirror", cursor: "x" })).toMatchObject({ status: 400 });
  });

  test("leaves packages that the token may not delete", async () => {
    await install();
    const token = await api.tokenFor({
      scopes: ["packages:delete", "packages:read"],
      packages: ["is-*"],
    });
    expect(await purge({ confirm: "mirror" }, token)).toMatchObject({
      status: 200,
      body: { packages: 1, files: 1 },
    });
    expect((await purge({ package: "left-pad" }, token)).status).toBe(404);
  });
});

describe("who may purge what", () => {
  test("needs the scope packages:delete", async () => {
    const reader = await api.tokenFor({ scopes: ["packages:read"] });
    expect((await purge({ package: "left-pad" }, reader)).status).toBe(403);
    const stranger = await api.tokenFor({ scopes: ["packages:delete"], registries: ["other"] });
    expect((await purge({ package: "left-pad" }, stranger)).status).toBe(404);
  });

  test("is for proxies: composites keep no copies, and sources are no copies", async () => {
    await api.registry.createRegistry({ slug: "own", ecosystem: "npm" });
    await createComposite(api.registry, {
      slug: "team",
      ecosystem: "npm",
      upstreams: ["own", "mirror"],
      publishTo: "own",
    });
    for (const slug of ["own", "team"]) {
      const { status, body } = await api.call("POST", `/registries/${slug}/purge`, {
        body: { package: "left-pad" },
      });
      expect(status).toBe(400);
      expect(String(Object(body).detail)).toContain(slug);
    }
  });
});

describe("a purge beside fetches", () => {
  test("of a document that is being revalidated has it fetched whole", async () => {
    await install();
    api.registry.clock.aheadMs += 600_000;
    const unchanged = packumentOf(upstream, "left-pad", [one, two]);
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
    const { promise: purged, resolve: go } = Promise.withResolvers<void>();
    upstream.on("/left-pad", async (request, response) => {
      ask();
      await purged;
      if (request.headers["if-none-match"] !== undefined) response.writeHead(304).end();
      else response.end(unchanged);
    });
    const reading = get("/left-pad");
    await asked;
    await purge({ package: "left-pad" });
    go();
    expect((await reading).status).toBe(200);
    expect(upstream.requests("/left-pad")).toBe(3);
  });

  test("leaves a file whole or not at all, and refuses nobody for long", async () => {
    upstream.on(tarballPath("left-pad", "1.0.0"), slowBody(one.tarball, 1));
    const fetching = Promise.all([tarball("left-pad", "1.0.0"), tarball("left-pad", "1.1.0")]);
    for (let i = 0; i < 20; i++) {
      expect((await purge({ package: "left-pad" })).status).toBe(200);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await fetching).toEqual([200, 200]);
    const again = await get(tarballPath("left-pad", "1.0.0"));
    expect(Buffer.from(await again.arrayBuffer()).equals(one.tarball)).toBe(true);
    await purge({ confirm: "mirror" });
    const { body } = await api.call("GET", "/registries/mirror/packages");
    expect(Object(body).items).toEqual([]);
  });

  test("of many clients answers all of them with the right bytes, or asks them to come again", async () => {
    const reads = Array.from({ length: 40 }, async () => {
      const response = await get("/left-pad");
      await response.arrayBuffer();
      return response.status;
    });
    const files = Array.from({ length: 40 }, async () => tarball("left-pad", "1.1.0"));
    const purges = Array.from(
      { length: 15 },
      async () => (await purge({ package: "left-pad" })).status,
    );
    const statuses = new Set(await Promise.all([...reads, ...files]));
    statuses.delete(503);
    expect([...statuses]).toEqual([200]);
    expect(new Set(await Promise.all(purges))).toEqual(new Set([200]));
    expect((await get("/left-pad")).status).toBe(200);
    expect(await tarball("left-pad", "1.1.0")).toBe(200);
  });
});
