import { expect, test } from "vitest";
import { ADMIN_TOKEN } from "../../support/services.ts";
import { BASE_URL, openNpmRegistry } from "./npm-registry.ts";

const USER = "/-/user/org.couchdb.user:ann";

test("ping and whoami answer", async () => {
  await using npm = await openNpmRegistry();
  expect(await npm.send("/-/ping")).toMatchObject({ status: 200, json: {} });
  expect(await npm.send("/-/ping", { token: null })).toMatchObject({ status: 200, json: {} });
  expect((await npm.send("/-/whoami")).json).toEqual({ username: "admin" });
  expect((await npm.send("/-/whoami", { token: null })).status).toBe(401);
});

test("a login with a token as the password gives a session token of the same rights", async () => {
  await using npm = await openNpmRegistry();
  const password = await npm.token(["packages:write"], { owner: "ann" });
  const body = {
    _id: "org.couchdb.user:ann",
    name: "ann",
    password,
    type: "user",
    roles: [],
    date: "2026-01-01",
  };
  const answer = await npm.send(USER, { method: "PUT", body, token: null });
  expect(answer).toMatchObject({ status: 201, json: { ok: true, id: "org.couchdb.user:ann" } });
  const { token } = answer.json;
  expect(token).toMatch(/^ep_st_/);
  expect((await npm.send("/-/whoami", { token })).json).toEqual({ username: "ann" });
  expect((await npm.publish({ name: "left-pad", version: "1.0.0" }, { token })).status).toBe(201);
  expect((await npm.send("/left-pad/-rev/1-0", { method: "DELETE", token })).status).toBe(403);
});

test("a wrong password is 401 with a challenge that npm understands", async () => {
  await using npm = await openNpmRegistry();
  const answer = await npm.send(USER, {
    method: "PUT",
    body: { name: "ann", password: "wrong" },
    token: null,
  });
  expect(answer.status).toBe(401);
  expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer realm="Entrepot"/);
  expect(answer.json.error).toContain("not a token of this registry");
  for (const body of [{}, { name: "ann" }, { password: 5 }, "x", []]) {
    expect((await npm.send(USER, { method: "PUT", body, token: null })).status).toBe(400);
  }
});

test("guessing passwords is slowed down", async () => {
  await using npm = await openNpmRegistry();
  const statuses = [];
  for (let guess = 0; guess < 25; guess++) {
    const body = { name: "ann", password: `guess-${guess}` };
    statuses.push((await npm.send(USER, { method: "PUT", body, token: null })).status);
  }
  expect(statuses[0]).toBe(401);
  expect(statuses.at(-1)).toBe(429);
});

test("a client that sends its expired token with the login is let in", async () => {
  await using npm = await openNpmRegistry();
  const body = { name: "ann", password: ADMIN_TOKEN };
  const expired = "ep_at_aaaaaaaaaaaa_bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbcccccc";
  expect((await npm.send("/-/whoami", { token: expired })).status).toBe(401);
  expect((await npm.send(USER, { method: "PUT", body, token: expired })).status).toBe(201);
  expect((await npm.send("/-/v1/login", { method: "POST", body: {}, token: expired })).status).toBe(
    200,
  );
});

test("a logout ends the token, and one that has ended is no error", async () => {
  await using npm = await openNpmRegistry();
  const body = { name: "ann", password: ADMIN_TOKEN };
  const { token } = (await npm.send(USER, { method: "PUT", body, token: null })).json;
  expect((await npm.send(`/-/user/token/${token}`, { method: "DELETE", token })).status).toBe(200);
  expect((await npm.send("/-/whoami", { token })).status).toBe(401);
  expect((await npm.send(`/-/user/token/${token}`, { method: "DELETE", token })).status).toBe(200);
  const notice = await npm.send(`/-/user/token/${ADMIN_TOKEN}`, { method: "DELETE" });
  expect(notice.headers.get("npm-notice")).toContain("stays valid");
  expect((await npm.send("/-/whoami")).status).toBe(200);
});

test("the profile is that of the token's owner", async () => {
  await using npm = await openNpmRegistry();
  const token = await npm.token(["packages:read"], { owner: "ann@example.com" });
  const profile = await npm.send("/-/npm/v1/user", { token });
  expect(profile.json).toMatchObject({
    name: "ann@example.com",
    email: "ann@example.com",
    tfa: false,
  });
  expect(
    (await npm.send("/-/npm/v1/user", { method: "POST", body: { fullname: "x" } })).status,
  ).toBe(403);
  expect((await npm.send("/-/npm/v1/user", { token: null })).status).toBe(401);
  expect((await npm.send(USER)).json).toMatchObject({
    _id: "org.couchdb.user:ann",
    name: "ann",
    email: "",
  });
});

test("a web login waits for a person, then gives the token once", async () => {
  await using npm = await openNpmRegistry();
  const headers = { "user-agent": "npm/11.0.0 node/v24 <b>linux</b>" };
  const { loginUrl, doneUrl } = (
    await npm.send("/-/v1/login", { method: "POST", body: {}, token: null, headers })
  ).json;
  const path = (url: string) => url.slice(`${BASE_URL}/npm/js`.length);
  const waiting = await npm.send(path(doneUrl), { token: null });
  expect(waiting.status).toBe(202);
  expect(Number(waiting.headers.get("retry-after"))).toBeGreaterThan(0);

  const page = await npm.send(path(loginUrl), { token: null });
  expect(page.status).toBe(200);
  expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(page.headers.get("content-security-policy")).not.toContain("unsafe");
  expect(page.text).toContain("npm 11.0.0 at 192.0.2.1");
  expect(page.text).toContain("registry.test");
  expect(page.text).toMatch(/<label for="token">/);
  expect(page.text).not.toContain("<script");

  const form = { "content-type": "application/x-www-form-urlencoded" };
  const submit = (token: string) =>
    npm.send(path(loginUrl), {
      method: "POST",
      body: `token=${encodeURIComponent(token)}`,
      headers: form,
      token: null,
    });
  const wrong = await submit("wrong");
  expect(wrong.status).toBe(403);
  expect(wrong.text).toContain('role="alert"');
  expect((await npm.send(path(doneUrl), { token: null })).status).toBe(202);
  const done = await submit(await npm.token(["packages:write"], { owner: "ann" }));
  expect(done.status).toBe(200);
  expect(done.text).toContain("You are logged in");
  expect((await submit(ADMIN_TOKEN)).status).toBe(404);

  const { token } = (await npm.send(path(doneUrl), { token: null })).json;
  expect((await npm.send("/-/whoami", { token })).json).toEqual({ username: "ann" });
  expect((await npm.send(path(doneUrl), { token: null })).status).toBe(404);
  expect((await npm.send(path(loginUrl), { token: null })).text).toContain("This login is over");
});

test("the page of a login shows the client's name as text", async () => {
  await using npm = await openNpmRegistry();
  const headers = { "user-agent": '<img/src="x"onerror=alert(1)>' };
  const { loginUrl } = (await npm.send("/-/v1/login", { method: "POST", body: {}, headers })).json;
  const page = await npm.send(loginUrl.slice(`${BASE_URL}/npm/js`.length), { token: null });
  expect(page.text).not.toContain("<img");
});

test("the page's address does not lead to the token, and nothing is found under made-up ones", async () => {
  await using npm = await openNpmRegistry();
  const { loginUrl } = (await npm.send("/-/v1/login", { method: "POST", body: {} })).json;
  const code = loginUrl.split("/").at(-1);
  expect((await npm.send(`/-/v1/done/${code}`)).status).toBe(404);
  expect((await npm.send("/-/v1/done/x")).status).toBe(404);
  expect((await npm.send("/-/v1/login/x")).status).toBe(404);
});

test("web logins that nobody answers cannot fill the disk", async () => {
  await using npm = await openNpmRegistry();
  const begin = () => npm.send("/-/v1/login", { method: "POST", body: {}, token: null });
  for (let login = 0; login < 60; login++) expect((await begin()).status).toBe(200);
  const refused = await begin();
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
});

test("a web login that nobody answers is over after ten minutes", async () => {
  await using npm = await openNpmRegistry();
  const { loginUrl } = (await npm.send("/-/v1/login", { method: "POST", body: {} })).json;
  npm.test.clock.aheadMs = 11 * 60_000;
  expect((await npm.send(loginUrl.slice(`${BASE_URL}/npm/js`.length))).status).toBe(404);
});
