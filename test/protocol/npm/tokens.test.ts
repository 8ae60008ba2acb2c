import { expect, test } from "vitest";
import { openNpmRegistry } from "./npm-registry.ts";

const TOKENS = "/-/npm/v1/tokens";

test("a token is created as npm 10 asks for it, listed and revoked", async () => {
  await using npm = await openNpmRegistry();
  const body = { password: "whatever", readonly: true, cidr_whitelist: [] };
  const created = await npm.send(TOKENS, { method: "POST", body });
  expect(created.status).toBe(201);
  const { token, key } = created.json;
  expect(token.startsWith("ep_at_")).toBe(true);
  expect(created.json).toMatchObject({ readonly: true, cidr_whitelist: null });
  expect((await npm.publish({ name: "left-pad", version: "1.0.0" }, { token })).status).toBe(403);
  const list = (await npm.send(TOKENS)).json;
  expect(list).toMatchObject({ total: 1, urls: {}, objects: [{ key, readonly: true }] });
  expect(token.startsWith(list.objects[0].token)).toBe(true);
  expect(JSON.stringify(list)).not.toContain(token);
  expect((await npm.send(`${TOKENS}/token/${key}`, { method: "DELETE" })).status).toBe(204);
  expect((await npm.send("/-/whoami", { token })).status).toBe(401);
  expect((await npm.send(`${TOKENS}/token/${key}`, { method: "DELETE" })).status).toBe(404);
});

test("a token can be revoked by its own text, as npm does", async () => {
  await using npm = await openNpmRegistry();
  const { token } = (await npm.send(TOKENS, { method: "POST", body: { password: "x" } })).json;
  expect((await npm.send(`${TOKENS}/token/${token}`, { method: "DELETE" })).status).toBe(204);
  expect((await npm.send("/-/whoami", { token })).status).toBe(401);
});

test("a token is created as npm 11 asks for it, with null for what it was not told", async () => {
  await using npm = await openNpmRegistry();
  const created = await npm.send(TOKENS, { method: "POST", body: { name: null, password: "x" } });
  expect(created.json).toMatchObject({ name: "npm token", expires: null, readonly: false });
});

test("a token is limited as npm 11 asks for it", async () => {
  await using npm = await openNpmRegistry();
  const body = {
    name: "ci",
    password: "x",
    expires: 7,
    packages: ["left-pad"],
    scopes: ["@acme"],
    packages_and_scopes_permission: "read-write",
  };
  const { token, expires } = (await npm.send(TOKENS, { method: "POST", body })).json;
  expect(Date.parse(expires) - Date.now()).toBeGreaterThan(6.9 * 86_400_000);
  expect((await npm.publish({ name: "left-pad", version: "1.0.0" }, { token })).status).toBe(201);
  expect((await npm.publish({ name: "@acme/x", version: "1.0.0" }, { token })).status).toBe(201);
  expect((await npm.publish({ name: "other", version: "1.0.0" }, { token })).status).toBe(404);
  npm.test.clock.aheadMs = 8 * 86_400_000;
  expect((await npm.send("/-/whoami", { token })).status).toBe(401);
});

test("a token can do no more than the one that creates it, and only at its registry", async () => {
  await using npm = await openNpmRegistry();
  await npm.test.createRegistry({ slug: "other", ecosystem: "npm" });
  const creator = await npm.token(["packages:write", "tokens:write"], { owner: "ann" });
  const { token } = (
    await npm.send(TOKENS, { method: "POST", body: { password: "x" }, token: creator })
  ).json;
  await npm.publish({ name: "left-pad", version: "1.0.0" });
  expect((await npm.send("/left-pad/-rev/1-0", { method: "DELETE", token })).status).toBe(403);
  expect((await npm.test.request("/npm/other/left-pad", { token })).status).toBe(404);
  const reader = await npm.token(["packages:read"]);
  expect(
    (await npm.send(TOKENS, { method: "POST", body: { password: "x" }, token: reader })).status,
  ).toBe(403);
});

test.each<[unknown, number]>([
  [{ password: "x", cidr_whitelist: ["10.0.0.0/8"] }, 400],
  [{ password: "x", readonly: "yes" }, 400],
  [{ password: "x", expires: -1 }, 400],
  ["no json", 400],
])("%j is refused", async (body, status) => {
  await using npm = await openNpmRegistry();
  expect((await npm.send(TOKENS, { method: "POST", body })).status).toBe(status);
  expect((await npm.send(TOKENS)).json.objects).toEqual([]);
});

test("tokens are nobody's business without one, nor those of others", async () => {
  await using npm = await openNpmRegistry();
  const ann = await npm.token(["packages:read", "tokens:write", "tokens:delete"], { owner: "ann" });
  const { key } = (await npm.send(TOKENS, { method: "POST", body: { password: "x" } })).json;
  for (const method of ["GET", "POST"])
    expect((await npm.send(TOKENS, { method, token: null })).status).toBe(401);
  expect((await npm.send(`${TOKENS}/token/${key}`, { method: "DELETE", token: null })).status).toBe(
    401,
  );
  expect((await npm.send(`${TOKENS}/token/${key}`, { method: "DELETE", token: ann })).status).toBe(
    404,
  );
  const { objects } = (await npm.send(TOKENS, { token: ann })).json;
  expect(objects).toHaveLength(1);
});
