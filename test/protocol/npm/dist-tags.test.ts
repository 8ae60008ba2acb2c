import { expect, test } from "vitest";
import { openNpmRegistry } from "./npm-registry.ts";

const TAGS = "/-/package/@acme%2fpad/dist-tags";

async function withTwoVersions() {
  const npm = await openNpmRegistry();
  await npm.publish({ name: "@acme/pad", version: "1.0.0" });
  await npm.publish({ name: "@acme/pad", version: "2.0.0" });
  return npm;
}

test("tags are listed, set, moved and removed, and the packument follows", async () => {
  await using npm = await withTwoVersions();
  expect((await npm.send(TAGS)).json).toEqual({ latest: "2.0.0" });
  expect(await npm.send(`${TAGS}/stable`, { method: "PUT", body: '"1.0.0"' })).toMatchObject({
    status: 201,
    json: { ok: true },
  });
  expect((await npm.packument("@acme/pad"))["dist-tags"]).toEqual({
    latest: "2.0.0",
    stable: "1.0.0",
  });
  await npm.send(`${TAGS}/stable`, { method: "POST", body: '"2.0.0"' });
  await npm.send(`${TAGS}/latest`, { method: "PUT", body: '"1.0.0"' });
  expect((await npm.send("/-/package/@acme/pad/dist-tags")).json).toEqual({
    latest: "1.0.0",
    stable: "2.0.0",
  });
  expect((await npm.send(`${TAGS}/stable`, { method: "DELETE" })).status).toBe(200);
  expect((await npm.packument("@acme/pad"))["dist-tags"]).toEqual({ latest: "1.0.0" });
});

test.each<[string, string, string, unknown, number]>([
  ["an unknown version", "PUT", `${TAGS}/x1`, '"9.0.0"', 404],
  ["what is no version", "PUT", `${TAGS}/beta`, '"one"', 400],
  ["what is no text", "PUT", `${TAGS}/beta`, "{}", 400],
  ["nothing", "PUT", `${TAGS}/beta`, "", 400],
  ["a tag that is a range", "PUT", `${TAGS}/%5E1.0.0`, '"1.0.0"', 400],
  ["a tag with a slash", "PUT", `${TAGS}/a%2fb`, '"1.0.0"', 400],
  ["an unknown package", "PUT", "/-/package/nothing/dist-tags/beta", '"1.0.0"', 404],
  ["the removal of latest", "DELETE", `${TAGS}/latest`, undefined, 409],
  ["the removal of what is not there", "DELETE", `${TAGS}/beta`, undefined, 404],
])("%s is refused", async (_, method, path, body, status) => {
  await using npm = await withTwoVersions();
  const answer = await npm.send(path, { method, body });
  expect(answer.status, answer.text).toBe(status);
  expect((await npm.send(TAGS)).json).toEqual({ latest: "2.0.0" });
});

test("tags of an unknown package are not found", async () => {
  await using npm = await openNpmRegistry();
  expect((await npm.send("/-/package/nothing/dist-tags")).status).toBe(404);
});
