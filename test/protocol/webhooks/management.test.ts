import { beforeEach, describe, expect, test } from "vitest";
import { ADMIN_TOKEN } from "../../support/services.ts";
import type { ApiClient } from "../api/client.ts";
import { openWorld, type WebhookWorld } from "./builders.ts";

let world: WebhookWorld;
let api: ApiClient;
beforeEach(async () => {
  world = await openWorld({ webhooksPrivate: false });
  api = world.api;
});

const NEW = { registry: "files", url: "https://ci.example.com/hook?key=s3cret" };

const statusOf = async (
  method: string,
  path: string,
  token: string | null,
  body?: object,
): Promise<number> =>
  (await api.call(method, path, { token, ...(body === undefined ? {} : { body }) })).status;

describe("a new webhook", () => {
  test("shows its secret once, and never again", async () => {
    const made = await api.call("POST", "/webhooks", { body: NEW });
    expect(made).toMatchObject({
      status: 201,
      body: { ...NEW, events: [], packages: [], enabled: true, createdBy: "admin" },
    });
    expect(made.headers.get("cache-control")).toBe("no-store");
    const { secret, id } = Object(made.body);
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(made.headers.get("location")).toBe(`/api/v1/webhooks/${id}`);
    for (const path of [`/webhooks/${id}`, "/webhooks", "/webhooks?registry=files"]) {
      const { body } = await api.call("GET", path);
      expect(JSON.stringify(body)).toContain(NEW.url);
      expect(JSON.stringify(body)).not.toMatch(/whsec|"secret"/);
    }
    const { table } = api.registry.stores;
    const row = await table.get({ pk: `WEBHOOK#${id}`, sk: "WEBHOOK" });
    expect(JSON.stringify(row)).not.toContain(String(secret).slice(6, 30));
  });

  test("has a secret of its own", async () => {
    const [one, two] = [await world.make(NEW), await world.make(NEW)];
    expect(one.secret).not.toBe(two.secret);
  });

  test("and every later change stand in the audit log, without the URL's secret", async () => {
    const { id } = await world.make(NEW);
    await api.call("PATCH", `/webhooks/${id}`, { body: { description: "CI" } });
    await api.call("POST", `/webhooks/${id}/rotate-secret`);
    await api.call("DELETE", `/webhooks/${id}`);
    const { body } = await api.call("GET", "/audit?limit=4");
    expect(body).toMatchObject({
      items: [
        { action: "webhook.delete", registry: "files", detail: `${id} ci.example.com` },
        { action: "webhook.update", detail: `${id} ci.example.com: secret` },
        { action: "webhook.update", detail: `${id} ci.example.com: description` },
        { action: "webhook.create", actor: "admin" },
      ],
    });
    expect(JSON.stringify(body)).not.toContain("s3cret");
  });

  test.each([
    ["not a url", "is not a URL"],
    ["ftp://example.com/", "must start with https://"],
    ["javascript:alert(1)", "must start with https://"],
    ["http://example.com/", "--webhooks-private"],
    ["https://user:pass@example.com/", "user name or password"],
    ["https://example.com/#part", "fragment"],
    ["https://127.0.0.1/", "not a public address"],
    ["https://2130706433/", "not a public address"],
    ["https://[::1]/", "not a public address"],
    ["https://[::ffff:10.0.0.1]/", "not a public address"],
    ["https://169.254.169.254/latest/meta-data/", "metadata service"],
    [`https://example.com/${"a".repeat(2000)}`, "2000"],
    ["https://example.com/\u0000", "control characters"],
  ])("cannot lead to %s", async (url, words) => {
    const { status, body } = await api.call("POST", "/webhooks", { body: { ...NEW, url } });
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain(words);
    const { id } = await world.make(NEW);
    expect((await api.call("PATCH", `/webhooks/${id}`, { body: { url } })).status).toBe(400);
    expect((await api.call("GET", "/webhooks")).body).toMatchObject({ items: [{ url: NEW.url }] });
  });

  test.each([
    [{ events: ["version.explode"] }],
    [{ packages: Array.from({ length: 101 }, () => "a") }],
    [{ packages: ["a".repeat(221)] }],
    [{ secret: "mine" }],
    [{ registry: "nothing" }],
    [{ description: "a".repeat(2001) }],
  ])("cannot be made with %j", async (change) => {
    const body = { ...NEW, ...change };
    expect((await api.call("POST", "/webhooks", { body })).status).toBeOneOf([400, 404]);
    expect((await api.call("GET", "/webhooks")).body).toEqual({ items: [] });
  });

  test("is refused when there are fifty", async () => {
    const ids: string[] = [];
    for (let at = 0; at < 50; at++) ids.push((await world.make(NEW)).id);
    expect((await api.call("POST", "/webhooks", { body: NEW })).status).toBe(409);
    const elsewhere = await api.call("POST", "/webhooks", { body: { url: NEW.url } });
    expect(elsewhere.status).toBe(201);
    await api.call("DELETE", `/webhooks/${ids[0]}`);
    expect((await api.call("POST", "/webhooks", { body: NEW })).status).toBe(201);
  });
});

describe("webhooks", () => {
  test("are listed by pages, newest first, and by registry", async () => {
    await api.registry.createRegistry({ slug: "other", ecosystem: "generic" });
    const everywhere = await world.make({ url: NEW.url });
    const [one, two] = [await world.make(NEW), await world.make(NEW)];
    const elsewhere = await world.make({ ...NEW, registry: "other" });
    const seen: string[] = [];
    for (let cursor = ""; ; ) {
      const { body } = await api.call("GET", `/webhooks?limit=2${cursor}`);
      const { items, nextCursor } = Object(body);
      seen.push(...items.map(({ id }: { id: string }) => id));
      if (nextCursor === undefined) break;
      cursor = `&cursor=${encodeURIComponent(nextCursor)}`;
    }
    expect([...seen].sort()).toEqual([everywhere.id, one.id, two.id, elsewhere.id].sort());
    const { items } = Object((await api.call("GET", "/webhooks?registry=files")).body);
    expect(items.map(({ id }: { id: string }) => id).sort()).toEqual([one.id, two.id].sort());
    expect((await api.call("GET", "/webhooks?registry=nothing")).status).toBe(404);
    expect((await api.call("GET", "/webhooks?cursor=wrong")).status).toBe(400);
  });

  test("change only in what is named", async () => {
    const { id } = await world.make({ ...NEW, packages: ["a"], events: ["tag.set"] });
    const { body } = await api.call("PATCH", `/webhooks/${id}`, { body: { packages: [] } });
    expect(body).toMatchObject({ ...NEW, packages: [], events: ["tag.set"], enabled: true });
    expect((await api.call("PATCH", `/webhooks/${id}`, { body: { registry: "b" } })).status).toBe(
      400,
    );
  });

  test("that are not there are 404 in every way", async () => {
    for (const [method, path] of [
      ["GET", ""],
      ["PATCH", ""],
      ["DELETE", ""],
      ["POST", "/ping"],
      ["POST", "/rotate-secret"],
      ["GET", "/deliveries"],
      ["GET", "/deliveries/abc"],
      ["POST", "/deliveries/abc/redeliver"],
    ] as const) {
      const body = method === "PATCH" ? { enabled: true } : undefined;
      expect(await statusOf(method, `/webhooks/nothing${path}`, ADMIN_TOKEN, body)).toBe(404);
    }
  });
});

describe("a token", () => {
  const PATHS = [
    ["GET", ""],
    ["GET", "/deliveries"],
    ["PATCH", ""],
    ["POST", "/ping"],
    ["POST", "/rotate-secret"],
    ["DELETE", ""],
  ] as const;

  async function answers(id: string, token: string | null): Promise<readonly number[]> {
    const statuses: number[] = [];
    for (const [method, path] of PATHS) {
      const body = method === "PATCH" ? { description: "x" } : undefined;
      statuses.push(await statusOf(method, `/webhooks/${id}${path}`, token, body));
    }
    return statuses;
  }

  test("that is missing is asked for", async () => {
    const { id } = await world.make(NEW);
    expect(await answers(id, null)).toEqual(PATHS.map(() => 401));
    expect(await statusOf("GET", "/webhooks", null)).toBe(401);
    expect(await statusOf("POST", "/webhooks", null, NEW)).toBe(401);
  });

  test("without the scope may do nothing, one that reads no more than that", async () => {
    const { id } = await world.make(NEW);
    const none = await api.tokenFor({ scopes: ["packages:write", "registries:write"] });
    expect(await answers(id, none)).toEqual(PATHS.map(() => 403));
    expect(await statusOf("GET", "/webhooks", none)).toBe(403);
    expect(await statusOf("POST", "/webhooks", none, NEW)).toBe(403);
    const reader = await api.tokenFor({ scopes: ["packages:read", "webhooks:read"] });
    expect(await answers(id, reader)).toEqual([200, 200, 403, 403, 403, 403]);
    expect(await statusOf("POST", "/webhooks", reader, NEW)).toBe(403);
    const writer = await api.tokenFor({ scopes: ["packages:read", "webhooks:write"] });
    expect(await statusOf("POST", "/webhooks", writer, NEW)).toBe(201);
    expect(await answers(id, writer)).toEqual([200, 200, 200, 202, 200, 204]);
  });

  test("of another registry knows nothing of it, nor of the deployment's", async () => {
    await api.registry.createRegistry({ slug: "other", ecosystem: "generic" });
    const token = await api.tokenFor({
      scopes: ["packages:read", "webhooks:write"],
      registries: ["other"],
    });
    const [one, all] = [await world.make(NEW), await world.make({ url: NEW.url })];
    for (const { id } of [one, all]) expect(await answers(id, token)).toEqual(PATHS.map(() => 404));
    expect((await api.call("GET", "/webhooks", { token })).body).toEqual({ items: [] });
    expect(await statusOf("GET", "/webhooks?registry=files", token)).toBe(404);
    expect(await statusOf("POST", "/webhooks", token, NEW)).toBe(404);
    expect(await statusOf("POST", "/webhooks", token, { url: NEW.url })).toBe(403);
    expect(await statusOf("POST", "/webhooks", token, { ...NEW, registry: "other" })).toBe(201);
  });

  test("that is bound to packages hears of no others by way of a webhook", async () => {
    const { id } = await world.make(NEW);
    const token = await api.tokenFor({
      scopes: ["packages:read", "webhooks:write"],
      packages: ["mine-*"],
    });
    const all = await world.make({ url: NEW.url });
    for (const found of [id, all.id]) {
      expect(await answers(found, token)).toEqual(PATHS.map(() => 404));
    }
    const own = { ...NEW, packages: ["mine-*"] };
    expect(await statusOf("POST", "/webhooks", token, own)).toBe(403);
    expect(await statusOf("POST", "/webhooks", token, { url: NEW.url })).toBe(403);
  });
});
