import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { buildTarball, packagePath, publishBody } from "../../support/npm-package.ts";
import { type ApiClient, openApi } from "./client.ts";

let api: ApiClient;
beforeEach(async () => {
  api = await openApi();
  await api.registry.createRegistry({ slug: "js", ecosystem: "npm" });
  await api.registry.createRegistry({ slug: "files", ecosystem: "generic" });
});
afterEach(async () => api.close());

const TOOL = "/registries/js/packages/@team%2ftool";

async function publish(name: string, version: string, manifest = {}): Promise<void> {
  const options = { name, version, manifest };
  const body = publishBody(options, await buildTarball(options));
  const response = await api.registry.request(packagePath("js", name), {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(response.status).toBeLessThan(300);
}

async function put(path: string): Promise<void> {
  const response = await api.registry.request(`/generic/files/${path}`, {
    method: "PUT",
    body: path,
  });
  expect(response.status).toBe(201);
}

const names = (body: unknown): unknown =>
  Object(body).items.map(({ name }: { name: string }) => name);
const versions = (body: unknown): unknown =>
  Object(body).items.map(({ version }: { version: string }) => version);

describe("packages", () => {
  test("are listed by name, by prefix, and found by words", async () => {
    await publish("@team/tool", "1.0.0", { description: "cuts wood" });
    await publish("saw", "1.0.0", { description: "cuts metal", keywords: ["blade"] });
    const list = async (query: string): Promise<unknown> =>
      names((await api.call("GET", `/registries/js/packages?${query}`)).body);
    expect(await list("")).toEqual(["@team/tool", "saw"]);
    expect(await list("prefix=@team%2f")).toEqual(["@team/tool"]);
    expect(await list("search=metal+cut")).toEqual(["saw"]);
    expect(await api.call("GET", "/registries/js/packages?search=a&prefix=b")).toMatchObject({
      status: 400,
    });
  });

  test("are named by one encoded segment, or with a raw slash", async () => {
    await publish("@team/tool", "1.0.0");
    for (const name of ["@team%2ftool", "@team/tool", "%40team%2Ftool", "%40team/tool"]) {
      const answer = await api.call("GET", `/registries/js/packages/${name}`);
      expect(answer).toMatchObject({
        status: 200,
        body: { name: "@team/tool", latestVersion: "1.0.0", versionCount: 1, state: "active" },
      });
      expect(await api.call("GET", `/registries/js/packages/${name}/versions/1.0.0`)).toMatchObject(
        { status: 200 },
      );
    }
  });

  test("can be deleted and brought back, and only those who may do so see them meanwhile", async () => {
    await publish("@team/tool", "1.0.0");
    const reader = await api.tokenFor({ scopes: ["packages:write"] });
    expect(await api.call("DELETE", TOOL, { token: reader })).toMatchObject({ status: 403 });
    expect(await api.call("DELETE", TOOL)).toMatchObject({ status: 204 });
    expect(await api.call("GET", TOOL, { token: reader })).toMatchObject({ status: 404 });
    expect(await api.call("GET", `${TOOL}/versions`, { token: reader })).toMatchObject({
      status: 404,
    });
    expect(await api.call("GET", TOOL)).toMatchObject({ status: 200, body: { state: "deleted" } });
    expect(await api.call("POST", `${TOOL}/restore`)).toMatchObject({
      status: 200,
      body: { state: "active" },
    });
    expect(await api.call("POST", `${TOOL}/restore`)).toMatchObject({ status: 404 });
  });

  test("whose names can never be are refused, and those that are not there are 404", async () => {
    expect(await api.call("GET", "/registries/js/packages/a%20b")).toMatchObject({ status: 400 });
    expect(await api.call("GET", "/registries/js/packages/none")).toMatchObject({ status: 404 });
    expect(await api.call("DELETE", "/registries/js/packages/none")).toMatchObject({ status: 404 });
  });

  test("that a token does not cover are not there for it", async () => {
    await publish("@team/tool", "1.0.0");
    await publish("saw", "1.0.0");
    const token = await api.tokenFor({ scopes: ["packages:read"], packages: ["@team/*"] });
    expect(names((await api.call("GET", "/registries/js/packages", { token })).body)).toEqual([
      "@team/tool",
    ]);
    expect(await api.call("GET", "/registries/js/packages/saw", { token })).toMatchObject({
      status: 404,
    });
  });
});

describe("versions", () => {
  test("are listed newest first with what they are", async () => {
    await publish("@team/tool", "1.0.0");
    await publish("@team/tool", "1.1.0");
    const { body } = await api.call("GET", `${TOOL}/versions?limit=1`);
    expect(body).toMatchObject({
      items: [
        { version: "1.1.0", state: "published", publishedBy: "admin", fileCount: 1, downloads: 0 },
      ],
    });
    const next = await api.call(
      "GET",
      `${TOOL}/versions?limit=1&cursor=${Object(body).nextCursor}`,
    );
    expect(versions(next.body)).toEqual(["1.0.0"]);
  });

  test("show their metadata and downloads in detail", async () => {
    await publish("@team/tool", "1.0.0", { license: "MIT" });
    const { body } = await api.call("GET", `${TOOL}/versions/1.0.0/files`);
    const { downloadUrl } = Object(body).items[0];
    const download = await api.registry.request(new URL(downloadUrl).pathname);
    expect(download.status).toBe(200);
    await download.arrayBuffer();
    await api.registry.services.downloads.flush();
    expect(await api.call("GET", `${TOOL}/versions/1.0.0`)).toMatchObject({
      body: { downloads: 1, metadata: { license: "MIT" } },
    });
  });

  test("can be deleted and restored, with the time until when", async () => {
    await publish("@team/tool", "1.0.0");
    await publish("@team/tool", "1.1.0");
    expect(await api.call("DELETE", `${TOOL}/versions/1.1.0`)).toMatchObject({ status: 204 });
    expect(versions((await api.call("GET", `${TOOL}/versions`)).body)).toEqual(["1.0.0"]);
    const { body } = await api.call("GET", `${TOOL}/versions?state=deleted`);
    expect(body).toMatchObject({ items: [{ version: "1.1.0", state: "deleted" }] });
    const { deletedAt, restoreUntil } = Object(body).items[0];
    expect(Date.parse(restoreUntil) - Date.parse(deletedAt)).toBe(7 * 86_400_000);
    const reader = await api.tokenFor({ scopes: ["packages:read"] });
    expect(
      await api.call("GET", `${TOOL}/versions?state=deleted`, { token: reader }),
    ).toMatchObject({ status: 403 });
    expect(await api.call("GET", `${TOOL}/versions/1.1.0`, { token: reader })).toMatchObject({
      status: 404,
    });
    expect(await api.call("POST", `${TOOL}/versions/1.1.0/restore`)).toMatchObject({
      status: 200,
      body: { state: "published" },
    });
  });

  test("can be deprecated, and that taken back", async () => {
    await publish("@team/tool", "1.0.0");
    const path = `${TOOL}/versions/1.0.0/deprecation`;
    expect(await api.call("PUT", path, { body: { message: "use 2" } })).toMatchObject({
      status: 200,
      body: { state: "deprecated", deprecation: "use 2" },
    });
    expect(await api.call("PUT", path, { body: { message: "" } })).toMatchObject({ status: 400 });
    expect(await api.call("DELETE", path)).toMatchObject({ status: 204 });
    expect(await api.call("GET", `${TOOL}/versions/1.0.0`)).toMatchObject({
      body: { state: "published" },
    });
    const none = `${TOOL}/versions/9.9.9/deprecation`;
    expect(await api.call("PUT", none, { body: { message: "x" } })).toMatchObject({ status: 404 });
  });
});

describe("files", () => {
  test("are listed and named by paths with slashes, raw or encoded", async () => {
    await put("tool/1.0/docs/a%20b.txt");
    await put("tool/1.0/z.txt");
    const base = "/registries/files/packages/tool/versions/1.0/files";
    expect(await api.call("GET", base)).toMatchObject({
      body: { items: [{ path: "docs/a b.txt" }, { path: "z.txt" }] },
    });
    for (const path of ["docs/a%20b.txt", "docs%2Fa%20b.txt"]) {
      expect(await api.call("GET", `${base}/${path}`)).toMatchObject({
        status: 200,
        body: {
          path: "docs/a b.txt",
          downloadUrl: "http://registry.test/generic/files/tool/1.0/docs/a%20b.txt",
        },
      });
    }
    expect(await api.call("GET", `${base}/none`)).toMatchObject({ status: 404 });
    expect(await api.call("DELETE", `${base}/z.txt`)).toMatchObject({ status: 409 });
  });

  test("can be deleted one by one where they are mutable", async () => {
    await api.call("PATCH", "/registries/files", { body: { policies: { mutableFiles: true } } });
    await put("tool/1.0/docs/a.txt");
    await put("tool/1.0/z.txt");
    const base = "/registries/files/packages/tool/versions/1.0/files";
    expect(await api.call("DELETE", `${base}/docs/a.txt`)).toMatchObject({ status: 204 });
    expect(await api.call("GET", base)).toMatchObject({ body: { items: [{ path: "z.txt" }] } });
  });
});

describe("tags", () => {
  test("can be listed, moved and removed, but for latest", async () => {
    await publish("@team/tool", "1.0.0");
    await publish("@team/tool", "1.1.0");
    expect(
      await api.call("PUT", `${TOOL}/tags/stable`, { body: { version: "1.0.0" } }),
    ).toMatchObject({
      status: 200,
      body: { name: "stable", version: "1.0.0" },
    });
    expect(await api.call("GET", `${TOOL}/tags`)).toMatchObject({
      body: {
        items: [
          { name: "latest", version: "1.1.0" },
          { name: "stable", version: "1.0.0" },
        ],
      },
    });
    expect(await api.call("DELETE", `${TOOL}/tags/stable`)).toMatchObject({ status: 204 });
    expect(await api.call("DELETE", `${TOOL}/tags/stable`)).toMatchObject({ status: 404 });
    expect(await api.call("DELETE", `${TOOL}/tags/latest`)).toMatchObject({ status: 409 });
  });

  test("cannot read as a version, point nowhere, or be where there are none", async () => {
    await publish("@team/tool", "1.0.0");
    const set = async (tag: string, version: string): Promise<number> =>
      (await api.call("PUT", `${TOOL}/tags/${tag}`, { body: { version } })).status;
    expect(await set("1.0", "1.0.0")).toBe(400);
    expect(await set("a%20b", "1.0.0")).toBe(400);
    expect(await set("stable", "2.0.0")).toBe(404);
    await put("tool/1.0/a.txt");
    const generic = await api.call("PUT", "/registries/files/packages/tool/tags/x", {
      body: { version: "1.0" },
    });
    expect(generic).toMatchObject({
      status: 400,
      body: { type: "urn:entrepot:error:unsupported" },
    });
  });
});
