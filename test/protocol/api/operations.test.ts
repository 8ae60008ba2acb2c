import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTestRegistry } from "../../support/services.ts";
import { type ApiClient, openApi } from "./client.ts";

let api: ApiClient;
beforeEach(async () => {
  api = await openApi();
  await api.registry.createRegistry({ slug: "files", ecosystem: "generic" });
});
afterEach(async () => api.close());

async function put(path: string, body = path): Promise<void> {
  const response = await api.registry.request(`/generic/files/${path}`, { method: "PUT", body });
  expect(response.status).toBe(201);
}

const actions = (body: unknown): unknown =>
  Object(body).items.map(({ action }: { action: string }) => action);

describe("the audit log", () => {
  test("tells newest first who did what", async () => {
    await put("tool/1/a");
    const { body } = await api.call("GET", "/audit");
    expect(actions(body)).toEqual(["version.publish", "registry.create"]);
    expect(body).toMatchObject({
      items: [
        {
          actor: "admin",
          registry: "files",
          package: "tool",
          version: "1",
          address: "192.0.2.1",
          requestId: "test-request",
        },
        {},
      ],
    });
  });

  test("can be of one actor, of one package, and of a time", async () => {
    await put("tool/1/a");
    await put("other/1/a");
    const of = async (query: string): Promise<unknown> =>
      actions((await api.call("GET", `/audit?${query}`)).body);
    expect(await of("registry=files&package=tool")).toEqual(["version.publish"]);
    expect(await of("actor=nobody")).toEqual([]);
    expect(await of("actor=admin")).toHaveLength(3);
    expect(await of("to=2001-01-01T00:00:00Z")).toEqual([]);
    expect(await of("from=2001-01-01T00:00:00%2B02:00&limit=1")).toHaveLength(1);
  });

  test("pages to its end", async () => {
    for (const name of ["a", "b", "c"]) await put(`${name}/1/a`);
    const seen: unknown[] = [];
    let query = "?limit=1";
    for (let pages = 0; pages < 20; pages++) {
      const { items, nextCursor } = Object((await api.call("GET", `/audit${query}`)).body);
      seen.push(...items);
      if (nextCursor === undefined) break;
      query = `?limit=1&cursor=${nextCursor}`;
    }
    expect(seen).toHaveLength(4);
  });

  test.each([
    "registry=files",
    "package=tool",
    "actor=a&registry=files&package=tool",
    "from=2001-01-02T00:00:00Z&to=2001-01-01T00:00:00Z",
    "from=yesterday",
    "cursor=x",
    "cursor=0-1-x",
    "cursor=0-999999999999999-2026-01-01.",
  ])("with ?%s is refused", async (query) => {
    expect(await api.call("GET", `/audit?${query}`)).toMatchObject({ status: 400 });
  });

  test("needs its scope, and all of it a token that is bound to nothing", async () => {
    await put("tool/1/a");
    const call = async (query: string, token: string | null): Promise<number> =>
      (await api.call("GET", `/audit${query}`, { token })).status;
    expect(await call("", null)).toBe(401);
    expect(await call("", await api.tokenFor({ scopes: ["packages:read"] }))).toBe(403);
    const bound = await api.tokenFor({
      scopes: ["audit:read", "packages:read"],
      registries: ["files"],
    });
    expect(await call("", bound)).toBe(403);
    expect(await call("?registry=files&package=tool", bound)).toBe(200);
    const auditor = await api.tokenFor({ scopes: ["audit:read"] });
    expect(await call("?registry=files&package=tool", auditor)).toBe(200);
    const file = await api.registry.request("/generic/files/tool/1/a", { token: auditor });
    expect(file.status).toBeOneOf([403, 404]);
  });
});

test("where bytes may not be removed, garbage collection is refused before a blob is marked", async () => {
  const registry = await openTestRegistry({ mayRemoveBytes: false });
  try {
    const blob = await registry.stores.blobs.put(Buffer.from("garbage"));
    const refused = await registry.request("/api/v1/maintenance/collect-garbage", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ graceSeconds: 0 }),
    });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ detail: expect.stringContaining('"garbage"') });
    await registry.services.collector.awaitUsable([blob.sha256]);
    expect(await registry.stores.blobs.stat(blob.sha256)).toBeDefined();
  } finally {
    await registry.close();
  }
});

test("where a request has a bounded time, maintenance does part of its work and goes on at the next call", async () => {
  const registry = await openTestRegistry({ requestBudgetMs: 0 });
  try {
    await registry.createRegistry({ slug: "files", ecosystem: "generic" });
    const path = "/generic/files/tool/1/a";
    await registry.request(path, { method: "PUT", body: "bytes" });
    await registry.request("/api/v1/registries/files/packages/tool", { method: "DELETE" });
    registry.clock.aheadMs = 8 * 86_400_000;
    const answer = await registry.request("/api/v1/maintenance/reclaim", { method: "POST" });
    expect([answer.status, await answer.json()]).toEqual([200, { versions: 0, packages: 0 }]);
    expect(await registry.services.reclaimer.reclaimVersions({ budgetMs: 60_000 })).toBe(1);
  } finally {
    await registry.close();
  }
});

test("an upload larger than can be read back in time is refused before its bytes are sent", async () => {
  const registry = await openTestRegistry({ maxUploadBytes: 1000 });
  try {
    await registry.createRegistry({ slug: "files", ecosystem: "generic" });
    const begin = async (sizeBytes: number) =>
      registry.request("/api/v1/uploads", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          registry: "files",
          package: "tool",
          version: "1",
          path: "a.bin",
          sizeBytes,
          sha256: "0".repeat(64),
        }),
      });
    expect((await begin(1000)).status).toBe(201);
    const refused = await begin(1001);
    expect(refused.status).toBe(413);
    expect(await refused.json()).toMatchObject({ detail: expect.stringContaining("1000 bytes") });
    expect(await registry.stores.blobs.listMultipart()).toHaveLength(1);
  } finally {
    await registry.close();
  }
});

describe("maintenance", () => {
  test("removes what nothing refers to, and says how much", async () => {
    await api.registry.stores.blobs.put(Buffer.from("garbage"));
    await put("tool/1/a", "kept");
    const collect = (graceSeconds: number) =>
      api.call("POST", "/maintenance/collect-garbage", { body: { graceSeconds } });
    expect(await collect(60)).toMatchObject({ status: 200, body: { blobs: 0, bytes: 0 } });
    api.registry.clock.aheadMs = 1000;
    expect(await collect(0)).toMatchObject({ status: 200, body: { blobs: 1, bytes: 7 } });
    expect(await (await api.registry.request("/generic/files/tool/1/a")).text()).toBe("kept");
  });

  test("ends restore windows that are over", async () => {
    await put("tool/1/a");
    await api.call("DELETE", "/registries/files/packages/tool");
    api.registry.clock.aheadMs = 8 * 86_400_000;
    expect(await api.call("POST", "/maintenance/reclaim")).toMatchObject({
      status: 200,
      body: { versions: 1, packages: 0 },
    });
    expect(
      await api.call("POST", "/registries/files/packages/tool/versions/1/restore"),
    ).toMatchObject({ status: 409 });
  });

  test("aborts uploads that were not completed in time", async () => {
    const body = {
      registry: "files",
      package: "tool",
      version: "1",
      path: "a",
      sizeBytes: 1,
      sha256: "0".repeat(64),
    };
    expect(await api.call("POST", "/uploads", { body })).toMatchObject({ status: 201 });
    expect(await api.call("POST", "/maintenance/sweep-uploads")).toMatchObject({
      body: { uploads: 0 },
    });
    api.registry.clock.aheadMs = 25 * 3_600_000;
    expect(await api.call("POST", "/maintenance/sweep-uploads")).toMatchObject({
      body: { uploads: 1 },
    });
  });

  test("is for administrators of everything", async () => {
    const bound = await api.tokenFor({ scopes: ["admin"], registries: ["files"] });
    for (const [task, body] of [
      ["reclaim"],
      ["sweep-uploads"],
      ["collect-garbage", { graceSeconds: 0 }],
    ] as const) {
      const path = `/maintenance/${task}`;
      expect(await api.call("POST", path, { body, token: bound })).toMatchObject({ status: 403 });
      expect(await api.call("POST", path, { body, token: null })).toMatchObject({ status: 401 });
    }
    expect(await api.call("POST", "/maintenance/mine-bitcoin")).toMatchObject({ status: 404 });
  });
});
