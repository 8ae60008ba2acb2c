import { expect, test } from "vitest";
import { ABBREVIATED, openNpmRegistry } from "./npm-registry.ts";

async function withTwoVersions() {
  const npm = await openNpmRegistry();
  await npm.publish({ name: "left-pad", version: "1.0.0" });
  await npm.publish({ name: "left-pad", version: "1.1.0" });
  return npm;
}

test("a deprecation shows in both packuments, and goes again", async () => {
  await using npm = await withTwoVersions();
  const read = async () => (await npm.send("/left-pad?write=true")).json;
  const packument = await read();
  packument.versions["1.0.0"].deprecated = "use 1.1.0";
  expect((await npm.send("/left-pad", { method: "PUT", body: packument })).status).toBe(201);
  for (const headers of [{}, ABBREVIATED]) {
    const { versions } = await npm.packument("left-pad", headers);
    expect(versions["1.0.0"].deprecated).toBe("use 1.1.0");
    expect(versions["1.1.0"]).not.toHaveProperty("deprecated");
    expect(versions["1.0.0"].dist.signatures).toHaveLength(1);
  }
  const again = await read();
  again.versions["1.0.0"].deprecated = "";
  await npm.send("/left-pad", { method: "PUT", body: again });
  expect((await npm.packument("left-pad", ABBREVIATED)).versions["1.0.0"]).not.toHaveProperty(
    "deprecated",
  );
  expect(Object.keys((await npm.packument("left-pad")).time)).toContain("1.0.0");
});

test("versions that are missing in the packument stay", async () => {
  await using npm = await withTwoVersions();
  const body = { name: "left-pad", versions: { "1.0.0": { deprecated: "old" } } };
  expect((await npm.send("/left-pad", { method: "PUT", body })).status).toBe(201);
  const { versions } = await npm.packument("left-pad");
  expect(versions["1.0.0"].deprecated).toBe("old");
  expect(Object.keys(versions)).toEqual(["1.0.0", "1.1.0"]);
});

test("a packument that was changed meanwhile is refused, the same one twice is not", async () => {
  await using npm = await withTwoVersions();
  const first = (await npm.send("/left-pad?write=true")).json;
  const second = structuredClone(first);
  first.versions["1.0.0"].deprecated = "first";
  second.versions["1.0.0"].deprecated = "second";
  expect((await npm.send("/left-pad", { method: "PUT", body: first })).status).toBe(201);
  expect((await npm.send("/left-pad", { method: "PUT", body: first })).status).toBe(201);
  const answer = await npm.send("/left-pad", { method: "PUT", body: second });
  expect(answer.status).toBe(409);
  expect(answer.json.error).toContain("Document update conflict");
  expect((await npm.packument("left-pad")).versions["1.0.0"].deprecated).toBe("first");
});

test("a deprecation that is no short text, and one of an unknown package, are refused", async () => {
  await using npm = await withTwoVersions();
  for (const deprecated of [5, {}, "x".repeat(5000)]) {
    const body = { versions: { "1.0.0": { deprecated } } };
    expect((await npm.send("/left-pad", { method: "PUT", body })).status).toBe(400);
  }
  expect((await npm.send("/nothing", { method: "PUT", body: { versions: {} } })).status).toBe(404);
});

test("owners and stars are refused in words that say what to do", async () => {
  await using npm = await withTwoVersions();
  const { _id, _rev } = (await npm.send("/left-pad?write=true")).json;
  const owners = { _id, _rev, maintainers: [{ name: "bob", email: "" }] };
  const answer = await npm.send(`/left-pad/-rev/${_rev}`, { method: "PUT", body: owners });
  expect(answer.status).toBe(403);
  expect(answer.json.error).toContain("scopes and package patterns of tokens");
  const star = await npm.send("/left-pad", {
    method: "PUT",
    body: { _id, _rev, users: { admin: true } },
  });
  expect(star).toMatchObject({
    status: 400,
    json: { error: "Stars are not kept in this registry." },
  });
  expect(Object.keys((await npm.packument("left-pad")).versions)).toHaveLength(2);
});

test("more versions than fit one transaction are deprecated, and unpublished, with all of their tags", async () => {
  await using npm = await openNpmRegistry();
  const versions = Array.from({ length: 65 }, (_, n) => `1.0.${n}`);
  for (const version of versions) {
    await npm.publish({ name: "many", version });
    const path = `/-/package/many/dist-tags/at-${version.replaceAll(".", "-")}`;
    const body = JSON.stringify(version);
    expect((await npm.send(path, { method: "PUT", body })).status).toBeLessThan(300);
  }
  const packument = (await npm.send("/many?write=true")).json;
  for (const version of versions) packument.versions[version].deprecated = "all of it";
  expect((await npm.send("/many", { method: "PUT", body: packument })).status).toBe(201);
  const deprecated = await npm.packument("many");
  for (const version of versions) {
    expect(deprecated.versions[version].deprecated).toBe("all of it");
  }
  const { _rev } = (await npm.send("/many?write=true")).json;
  expect((await npm.send(`/many/-rev/${_rev}`, { method: "DELETE" })).status).toBeLessThan(300);
  expect((await npm.send("/many")).status).toBe(404);
});
