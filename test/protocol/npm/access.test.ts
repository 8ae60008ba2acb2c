import { expect, test } from "vitest";
import { type Json, openNpmRegistry } from "./npm-registry.ts";

const PAD = "/-/package/@acme%2fpad";

test("a package is as visible as its registry", async () => {
  for (const visibility of ["private", "public"] as const) {
    await using npm = await openNpmRegistry(visibility);
    await npm.publish({ name: "@acme/pad", version: "1.0.0" });
    const isPublic = visibility === "public";
    expect((await npm.send(`${PAD}/visibility`)).json).toMatchObject({ public: isPublic });
    expect((await npm.send(`${PAD}/access`)).json).toMatchObject({ public: isPublic });
    const set = async (access: string) =>
      (await npm.send(`${PAD}/access`, { method: "POST", body: { access } })).status;
    expect(await set("public")).toBe(isPublic ? 200 : 403);
    expect(await set("restricted")).toBe(isPublic ? 403 : 200);
    expect(await set("nonsense")).toBe(400);
  }
});

test("a second factor can be asked to be off, not on", async () => {
  await using npm = await openNpmRegistry();
  const set = async (body: unknown) =>
    (await npm.send(`${PAD}/access`, { method: "POST", body })).status;
  expect(await set({ publish_requires_tfa: false })).toBe(200);
  expect(await set({ publish_requires_tfa: true })).toBe(403);
});

test("collaborators are those who published", async () => {
  await using npm = await openNpmRegistry();
  await npm.publish({ name: "@acme/pad", version: "1.0.0" });
  const token = await npm.token(["packages:write"], { owner: "ann" });
  await npm.publish({ name: "@acme/pad", version: "1.0.1" }, { token });
  expect((await npm.send(`${PAD}/collaborators`)).json).toEqual({ admin: "write", ann: "write" });
  expect((await npm.send("/-/package/nothing/collaborators")).status).toBe(404);
  expect((await npm.send("/-/package/nothing/visibility")).status).toBe(404);
});

test("packages are listed by scope, and for the caller", async () => {
  await using npm = await openNpmRegistry();
  for (const name of ["@acme/a", "@acme/b", "@acmeother/c", "d"])
    await npm.publish({ name, version: "1.0.0" });
  expect((await npm.send("/-/org/acme/package")).json).toEqual({
    "@acme/a": "write",
    "@acme/b": "write",
  });
  expect((await npm.send("/-/org/nobody/package")).status).toBe(404);
  expect((await npm.send("/-/org/..%2f/package")).status).toBe(400);
  expect(Object.keys((await npm.send("/-/user/admin/package")).json)).toHaveLength(4);
  expect((await npm.send("/-/user/bob/package")).status).toBe(403);
  const token = await npm.token(["packages:read"], { owner: "ann", packages: ["@acme/*"] });
  expect((await npm.send("/-/user/ann/package", { token })).json).toEqual({
    "@acme/a": "read",
    "@acme/b": "read",
  });
});

test("a private registry tells strangers nothing, not even that it is there", async () => {
  await using npm = await openNpmRegistry();
  await npm.publish({ name: "left-pad", version: "1.0.0" });
  const paths = [
    "/left-pad",
    "/nothing",
    "/left-pad/1.0.0",
    "/left-pad/-/left-pad-1.0.0.tgz",
    "/-/v1/search?text=left",
    "/-/package/left-pad/dist-tags",
    "/-/npm/v1/keys",
    "/-/org/acme/package",
  ];
  for (const path of paths) {
    const answer = await npm.send(path, { token: null });
    expect(answer.status, path).toBe(401);
    expect(answer.headers.get("www-authenticate")).toContain("Bearer");
    const missing = await npm.test.request(`/npm/missing${path}`, { token: null });
    expect([missing.status, await missing.text()], path).toEqual([401, answer.text]);
  }
  expect((await npm.publish({ name: "x", version: "1.0.0" }, { token: null })).status).toBe(401);
  const stranger = await npm.token(["packages:write"], { registries: ["elsewhere"] });
  for (const path of paths)
    expect((await npm.send(path, { token: stranger })).status, path).toBe(404);
});

test("a public registry is read by anybody and written with a token", async () => {
  await using npm = await openNpmRegistry("public");
  await npm.publish({ name: "left-pad", version: "1.0.0" });
  expect((await npm.send("/left-pad", { token: null })).status).toBe(200);
  expect((await npm.send("/left-pad/-/left-pad-1.0.0.tgz", { token: null })).status).toBe(200);
  for (const [method, path] of [
    ["PUT", "/left-pad"],
    ["DELETE", "/left-pad/-rev/1-0"],
    ["PUT", "/left-pad/-rev/1-0"],
    ["PUT", "/-/package/left-pad/dist-tags/x"],
  ] as const) {
    const answer = await npm.send(path, { method, body: { versions: {} }, token: null });
    expect(answer.status, `${method} ${path}`).toBe(401);
  }
  const reader = await npm.token(["packages:read"]);
  expect((await npm.publish({ name: "x", version: "1.0.0" }, { token: reader })).status).toBe(403);
});

test("a token for some packages reads and writes those only", async () => {
  await using npm = await openNpmRegistry();
  await npm.publish({ name: "other", version: "1.0.0" });
  const token = await npm.token(["packages:write"], { packages: ["@acme/*"] });
  expect((await npm.publish({ name: "@acme/pad", version: "1.0.0" }, { token })).status).toBe(201);
  expect((await npm.send("/@acme%2fpad", { token })).status).toBe(200);
  expect((await npm.send("/other", { token })).status).toBe(404);
  expect((await npm.publish({ name: "other", version: "1.0.1" }, { token })).status).toBe(404);
  expect(
    (await npm.send("/-/v1/search?text=", { token })).json.objects.map(
      (one: Json) => one.package.name,
    ),
  ).toEqual(["@acme/pad"]);
});

test("a registry of another ecosystem says where to go", async () => {
  await using npm = await openNpmRegistry();
  await npm.test.createRegistry({ slug: "files", ecosystem: "generic" });
  const response = await npm.test.request("/npm/files/left-pad");
  expect(response.status).toBe(400);
  expect(await response.text()).toContain("/generic/files/");
});

test.each([
  ["POST", "/@acme%2fpad", "GET, HEAD, PUT"],
  ["DELETE", "/@acme/pad", "GET, HEAD, PUT"],
  ["PUT", "/@acme%2fpad/-/pad-1.0.0.tgz", "GET, HEAD"],
  ["DELETE", "/@acme%2fpad/1.0.0", "GET, HEAD"],
])("%s of %s is answered 405 with the methods that there are", async (method, path, allowed) => {
  await using npm = await openNpmRegistry();
  await npm.publish({ name: "@acme/pad", version: "1.0.0" });
  const answer = await npm.send(path, { method });
  expect(answer.status).toBe(405);
  expect(answer.headers.get("allow")).toBe(allowed);
  expect(answer.json.error).toContain(allowed);
});
