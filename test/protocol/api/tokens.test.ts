import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ADMIN_TOKEN } from "../../support/services.ts";
import { type ApiClient, openApi } from "./client.ts";

let api: ApiClient;
beforeEach(async () => {
  api = await openApi();
  await api.registry.createRegistry({ slug: "files", ecosystem: "generic" });
});
afterEach(async () => api.close());

const NEW = {
  description: "CI",
  scopes: ["packages:read", "packages:write"],
  registries: ["files"],
};

describe("a new token", () => {
  test("shows its text once, and never again", async () => {
    const made = await api.call("POST", "/tokens", { body: NEW });
    expect(made).toMatchObject({
      status: 201,
      body: { ...NEW, kind: "access", owner: "admin", packages: [], rateLimitExempt: false },
    });
    expect(made.headers.get("cache-control")).toBe("no-store");
    const { token, id } = Object(made.body);
    expect(token).toMatch(/^ep_at_/);
    const listed = await api.call("GET", "/tokens");
    expect(listed.body).toMatchObject({ items: [{ id, hint: expect.stringContaining(id) }] });
    expect(JSON.stringify(listed.body)).not.toContain(token);
    expect(JSON.stringify(listed.body)).not.toContain("ecret");
  });

  test("does what its scopes and registries say, however it is sent", async () => {
    const token = await api.tokenFor(NEW);
    const path = "/generic/files/tool/1/file";
    expect((await api.registry.request(path, { method: "PUT", body: "x", token })).status).toBe(
      201,
    );
    for (const authorization of [
      `Basic ${btoa(`anyone:${token}`)}`,
      `Basic ${btoa(`${token}:`)}`,
      token,
    ]) {
      expect((await api.registry.request(path, { headers: { authorization } })).status).toBe(200);
    }
    expect((await api.registry.request(path, { method: "DELETE", token })).status).toBe(403);
  });

  test("says who it is", async () => {
    const token = await api.tokenFor({
      ...NEW,
      owner: "ci-bot",
      expiresAt: "2999-01-01T00:00:00Z",
    });
    expect(await api.call("GET", "/whoami", { token })).toMatchObject({
      status: 200,
      body: {
        kind: "token",
        owner: "ci-bot",
        scopes: NEW.scopes,
        registries: ["files"],
        expiresAt: "2999-01-01T00:00:00.000Z",
      },
    });
    expect(await api.call("GET", "/whoami", { token: null })).toMatchObject({ status: 401 });
    expect(await api.call("GET", "/whoami", { token: `${token}x` })).toMatchObject({ status: 401 });
  });

  test("can do no more than the token that makes it", async () => {
    const token = await api.tokenFor({
      scopes: ["tokens:write", "packages:read"],
      registries: ["files"],
    });
    const make = async (change: object): Promise<number> =>
      (
        await api.call("POST", "/tokens", {
          token,
          body: { ...NEW, scopes: ["packages:read"], ...change },
        })
      ).status;
    expect(await make({})).toBe(201);
    expect(await make({ scopes: ["packages:write"] })).toBe(403);
    expect(await make({ registries: ["files", "others"] })).toBe(403);
    expect(await make({ registries: ["*"] })).toBe(403);
    expect(await make({ owner: "somebody" })).toBe(403);
    expect(await make({ rateLimitExempt: true })).toBe(403);
  });

  test("that names no bounds has those of the token that makes it", async () => {
    const bounds = { registries: ["files"], packages: ["@acme/*"] };
    const expiresAt = "2999-01-01T00:00:00.000Z";
    const token = await api.tokenFor({ scopes: ["tokens:write"], ...bounds, expiresAt });
    const body = { description: "as far as I reach", scopes: ["tokens:write"] };
    expect(await api.call("POST", "/tokens", { token, body })).toMatchObject({
      status: 201,
      body: { ...bounds, expiresAt },
    });
  });

  test.each([
    ["@acme/*", 201],
    ["@acme/web-*", 201],
    ["@acme/web", 201],
    ["@acm*", 403],
    ["*", 403],
    ["*@acme/web", 403],
  ])("of a token for @acme/* may be for %s: %i", async (pattern, status) => {
    const token = await api.tokenFor({ scopes: ["tokens:write"], packages: ["@acme/*"] });
    const body = { description: "some", scopes: ["tokens:write"], packages: [pattern] };
    expect(await api.call("POST", "/tokens", { token, body })).toMatchObject({ status });
  });

  test.each([
    ["/scopes", { scopes: [] }],
    ["/scopes/0", { scopes: ["everything"] }],
    ["/registries/0", { registries: [7] }],
    ["/expiresAt", { expiresAt: "tomorrow" }],
    ["/description", { description: "" }],
    ["/secret", { secret: "mine" }],
  ])("is refused with a wrong %s", async (at, change) => {
    expect(await api.call("POST", "/tokens", { body: { ...NEW, ...change } })).toMatchObject({
      status: 400,
      body: { issues: [{ at }] },
    });
  });

  test("cannot have expired already", async () => {
    const body = { ...NEW, expiresAt: "2001-01-01T00:00:00Z" };
    expect(await api.call("POST", "/tokens", { body })).toMatchObject({ status: 400 });
  });
});

describe("revoking", () => {
  test("ends a token at once", async () => {
    const made = await api.call("POST", "/tokens", { body: NEW });
    const { token, id } = Object(made.body);
    expect(await api.call("GET", "/whoami", { token })).toMatchObject({ status: 200 });
    expect(await api.call("DELETE", `/tokens/${id}`)).toMatchObject({ status: 204 });
    expect(await api.call("GET", "/whoami", { token })).toMatchObject({ status: 401 });
    expect(await api.call("DELETE", `/tokens/${id}`)).toMatchObject({ status: 404 });
  });

  test("a token of somebody else is 404, and needs a scope for one's own", async () => {
    const admins = Object((await api.call("POST", "/tokens", { body: NEW })).body);
    const bot = await api.tokenFor({ scopes: ["tokens:delete"], owner: "bot" });
    expect(await api.call("DELETE", `/tokens/${admins.id}`, { token: bot })).toMatchObject({
      status: 404,
    });
    expect(
      await api.call("DELETE", `/tokens/${admins.id}`, {
        token: await api.tokenFor({ scopes: ["packages:read"] }),
      }),
    ).toMatchObject({ status: 403 });
    expect(await api.call("DELETE", "/tokens/a%2Fb")).toMatchObject({ status: 400 });
  });
});

test("an owner lists only their own tokens, with the scope for it", async () => {
  await api.tokenFor({ scopes: ["packages:read"] });
  const bot = await api.tokenFor({ scopes: ["tokens:read"], owner: "bot" });
  const list = await api.call("GET", "/tokens", { token: bot });
  expect(Object(list.body).items.map(({ owner }: { owner: string }) => owner)).toEqual(["bot"]);
  expect(
    await api.call("GET", "/tokens", { token: await api.tokenFor({ scopes: ["packages:read"] }) }),
  ).toMatchObject({ status: 403 });
  expect(await api.call("GET", "/tokens", { token: null })).toMatchObject({ status: 401 });
  expect(await api.call("GET", "/whoami", { token: ADMIN_TOKEN })).toMatchObject({
    body: { owner: "admin" },
  });
});
