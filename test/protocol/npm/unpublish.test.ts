import { expect, test } from "vitest";
import { type NpmRegistry, openNpmRegistry } from "./npm-registry.ts";

async function withVersions(...versions: string[]): Promise<NpmRegistry> {
  const npm = await openNpmRegistry();
  for (const version of versions) await npm.publish({ name: "left-pad", version });
  return npm;
}

/** What npm sends to unpublish one version: libnpmpublish/lib/unpublish.js. */
async function unpublish(npm: NpmRegistry, version: string) {
  const packument = (await npm.send("/left-pad?write=true")).json;
  delete packument.versions[version];
  for (const [tag, target] of Object.entries(packument["dist-tags"])) {
    if (target === version) delete packument["dist-tags"][tag];
  }
  packument["dist-tags"].latest ??= Object.keys(packument.versions).pop();
  const put = await npm.send(`/left-pad/-rev/${packument["_rev"]}`, {
    method: "PUT",
    body: packument,
  });
  const { _rev } = (await npm.send("/left-pad?write=true")).json;
  const removed = await npm.send(`/left-pad/-/left-pad-${version}.tgz/-rev/${_rev}`, {
    method: "DELETE",
  });
  return { put, removed };
}

test("one version is unpublished, and latest moves to the one that the client chose", async () => {
  await using npm = await withVersions("1.0.0", "1.1.0", "1.2.0");
  const { put, removed } = await unpublish(npm, "1.2.0");
  expect([put.status, removed.status]).toEqual([201, 200]);
  const packument = await npm.packument("left-pad");
  expect(Object.keys(packument.versions)).toEqual(["1.0.0", "1.1.0"]);
  expect(packument["dist-tags"]).toEqual({ latest: "1.1.0" });
  expect(Object.keys(packument.time)).toEqual(["created", "modified", "1.0.0", "1.1.0"]);
});

test("a version that was published after the packument was read is never deleted", async () => {
  await using npm = await withVersions("1.0.0", "1.1.0");
  const packument = (await npm.send("/left-pad?write=true")).json;
  await npm.publish({ name: "left-pad", version: "1.2.0" });
  delete packument.versions["1.0.0"];
  const answer = await npm.send(`/left-pad/-rev/${packument["_rev"]}`, {
    method: "PUT",
    body: packument,
  });
  expect(answer.status).toBe(409);
  expect(Object.keys((await npm.packument("left-pad")).versions)).toEqual([
    "1.0.0",
    "1.1.0",
    "1.2.0",
  ]);
});

test("a whole package is unpublished with the revision that is current", async () => {
  await using npm = await withVersions("1.0.0", "1.1.0");
  expect((await npm.send("/left-pad/-rev/1-0", { method: "DELETE" })).status).toBe(409);
  expect((await npm.send("/left-pad/-rev/2-0", { method: "DELETE" })).status).toBe(200);
  expect((await npm.send("/left-pad")).status).toBe(404);
  expect((await npm.send("/left-pad/1.0.0")).status).toBe(404);
  expect((await npm.send("/-/package/left-pad/dist-tags")).status).toBe(404);
  expect((await npm.send("/left-pad/-rev/2-0", { method: "DELETE" })).status).toBe(404);
});

test("a packument without any version takes the package away", async () => {
  await using npm = await withVersions("1.0.0");
  const answer = await npm.send("/left-pad/-rev/1-0", { method: "PUT", body: { versions: {} } });
  expect(answer.status).toBe(201);
  expect((await npm.send("/left-pad")).status).toBe(404);
});

test("the tarball of a version that is still there is not removed", async () => {
  await using npm = await withVersions("1.0.0");
  const answer = await npm.send("/left-pad/-/left-pad-1.0.0.tgz/-rev/1-0", { method: "DELETE" });
  expect(answer.status).toBe(409);
  expect((await npm.send("/left-pad/-/left-pad-1.0.0.tgz")).status).toBe(200);
});

test("who may write but not delete cannot unpublish", async () => {
  await using npm = await withVersions("1.0.0", "1.1.0");
  const token = await npm.token(["packages:write"]);
  const packument = (await npm.send("/left-pad?write=true", { token })).json;
  delete packument.versions["1.0.0"];
  const answer = await npm.send(`/left-pad/-rev/${packument["_rev"]}`, {
    method: "PUT",
    body: packument,
    token,
  });
  expect(answer.status).toBe(403);
  expect(answer.json.error).toContain("packages:delete");
  expect((await npm.send("/left-pad/-rev/2-0", { method: "DELETE", token })).status).toBe(403);
  expect(Object.keys((await npm.packument("left-pad")).versions)).toHaveLength(2);
});

test("a version that is published after the package was unpublished stands alone", async () => {
  await using npm = await withVersions("1.0.0", "1.1.0");
  await npm.send("/left-pad/-rev/2-0", { method: "DELETE" });
  await npm.publish({ name: "left-pad", version: "2.0.0" });
  expect(Object.keys((await npm.packument("left-pad")).versions)).toEqual(["2.0.0"]);
});
