import { createHash, randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { buildTarball, publishBody } from "../../support/npm-package.ts";
import { BASE_URL, buildArchive, buildTar, openNpmRegistry } from "./npm-registry.ts";

const LEFT_PAD = { name: "left-pad", version: "1.0.0" } as const;

test("a new package is published with what we computed of its tarball", async () => {
  await using npm = await openNpmRegistry();
  const published = { ...LEFT_PAD, files: { "index.js": "module.exports = 1\n" } };
  const tarball = await buildTarball(published);
  const answer = await npm.publishTarball(published, tarball, (body) => {
    body.versions["1.0.0"].dist = {
      fileCount: 99,
      unpackedSize: 1,
      tarball: "http://evil.example/x.tgz",
      extra: 1,
    };
    return body;
  });
  expect(answer).toMatchObject({ status: 201, json: { ok: true } });
  const { dist } = (await npm.packument("left-pad")).versions["1.0.0"];
  expect(dist).toEqual({
    integrity: `sha512-${createHash("sha512").update(tarball).digest("base64")}`,
    shasum: createHash("sha1").update(tarball).digest("hex"),
    fileCount: 2,
    unpackedSize: JSON.stringify({ name: "left-pad", version: "1.0.0" }).length + 19,
    signatures: [{ keyid: expect.stringMatching(/^SHA256:/), sig: expect.any(String) }],
    tarball: `${BASE_URL}/npm/js/left-pad/-/left-pad-1.0.0.tgz`,
  });
});

test("the tarball that is served is the one that was sent, byte for byte", async () => {
  await using npm = await openNpmRegistry();
  const tarball = await buildTarball(LEFT_PAD);
  await npm.publishTarball(LEFT_PAD, tarball);
  const response = await npm.test.request("/npm/js/left-pad/-/left-pad-1.0.0.tgz");
  expect(Buffer.from(await response.arrayBuffer()).equals(tarball)).toBe(true);
});

test("a scoped package is published under either spelling of its slash", async () => {
  await using npm = await openNpmRegistry();
  for (const [version, path] of [
    ["1.0.0", "/@acme%2fpad"],
    ["1.0.1", "/@acme%2Fpad"],
    ["1.0.2", "/@acme/pad"],
  ] as const) {
    const published = { name: "@acme/pad", version };
    const body = publishBody(published, await buildTarball(published));
    expect((await npm.send(path, { method: "PUT", body })).status).toBe(201);
  }
  const packument = await npm.packument("@acme/pad");
  expect(Object.keys(packument.versions)).toEqual(["1.0.0", "1.0.1", "1.0.2"]);
  expect(packument.versions["1.0.0"].dist.tarball).toBe(
    `${BASE_URL}/npm/js/@acme/pad/-/pad-1.0.0.tgz`,
  );
});

test("the first version of a package becomes latest whatever its tag, later ones only when they say so", async () => {
  await using npm = await openNpmRegistry();
  await npm.publish({ ...LEFT_PAD, tag: "beta" });
  await npm.publish({ name: "left-pad", version: "1.1.0", tag: "beta" });
  expect((await npm.packument("left-pad"))["dist-tags"]).toEqual({
    beta: "1.1.0",
    latest: "1.0.0",
  });
  await npm.publish({ name: "left-pad", version: "1.2.0" });
  expect((await npm.packument("left-pad"))["dist-tags"]).toEqual({
    beta: "1.1.0",
    latest: "1.2.0",
  });
});

test("a repeated request of the same run of npm succeeds, with other bytes it does not", async () => {
  await using npm = await openNpmRegistry();
  const run = { headers: { "npm-session": "0123456789abcdef" } };
  const tarball = await buildTarball(LEFT_PAD);
  const send = (bytes: Buffer, headers: Record<string, string>) =>
    npm.send("/left-pad", { method: "PUT", body: publishBody(LEFT_PAD, bytes), headers });
  expect((await send(tarball, run.headers)).status).toBe(201);
  expect((await send(tarball, run.headers)).status).toBe(201);
  expect((await send(tarball, { "npm-session": "another" })).status).toBe(403);
  expect((await send(tarball, {})).status).toBe(403);
  const other = await buildTarball({ ...LEFT_PAD, files: { x: "y" } });
  expect((await send(other, run.headers)).status).toBe(403);
  const someone = await npm.token(["packages:write"], { owner: "someone" });
  const answer = await npm.send("/left-pad", {
    method: "PUT",
    body: publishBody(LEFT_PAD, tarball),
    headers: run.headers,
    token: someone,
  });
  expect(answer.status).toBe(403);
});

test("of two publishes of one version at once, exactly one wins", async () => {
  await using npm = await openNpmRegistry();
  const answers = await Promise.all(
    ["a", "b", "c", "d"].map((description) =>
      npm.publish({ ...LEFT_PAD, manifest: { description } }),
    ),
  );
  expect(answers.filter(({ status }) => status === 403)).toHaveLength(3);
  const winner = ["a", "b", "c", "d"][answers.findIndex(({ status }) => status === 201)];
  expect((await npm.packument("left-pad")).versions["1.0.0"].description).toBe(winner);
});

test("different versions published at once are all there", async () => {
  await using npm = await openNpmRegistry();
  const versions = Array.from({ length: 8 }, (_, minor) => `1.${minor}.0`);
  const answers = await Promise.all(
    versions.map((version) => npm.publish({ name: "left-pad", version })),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
  expect(Object.keys((await npm.packument("left-pad")).versions).sort()).toEqual(versions);
});

test("a tarball whose version npm would clean is taken", async () => {
  await using npm = await openNpmRegistry();
  const answer = await npm.publishTarball(
    LEFT_PAD,
    await buildTarball({ name: "left-pad", version: "v1.0.0+build.5" }),
  );
  expect(answer.status, answer.text).toBe(201);
});

test("a tarball with another folder than package is taken, as DefinitelyTyped packs them", async () => {
  await using npm = await openNpmRegistry();
  const tar = await buildTar([
    { name: "node", type: "directory" },
    { name: "node/package.json", content: JSON.stringify(LEFT_PAD) },
    { name: "node/link", type: "symlink", linkname: "package.json" },
    { name: `node/${"long/".repeat(40)}name.txt`, content: "x" },
  ]);
  const answer = await npm.publishTarball(LEFT_PAD, gzipSync(tar));
  expect(answer.status, answer.text).toBe(201);
  expect((await npm.packument("left-pad")).versions["1.0.0"].dist.fileCount).toBe(2);
});

test("a large tarball is streamed through and checked to its end", async () => {
  await using npm = await openNpmRegistry();
  const content = randomBytes(12 * 1024 * 1024);
  const tarball = await buildArchive(LEFT_PAD, [{ name: "package/big.bin", content }]);
  const answer = await npm.publishTarball(LEFT_PAD, tarball);
  expect(answer.status, answer.text).toBe(201);
  const { dist } = (await npm.packument("left-pad")).versions["1.0.0"];
  expect(dist.integrity).toBe(`sha512-${createHash("sha512").update(tarball).digest("base64")}`);
});

test("a version that was unpublished cannot be published again", async () => {
  await using npm = await openNpmRegistry();
  await npm.publish(LEFT_PAD);
  await npm.publish({ name: "left-pad", version: "1.0.1" });
  await npm.send("/left-pad/-rev/2-0", { method: "DELETE" });
  expect((await npm.publish(LEFT_PAD)).status).toBe(403);
  expect((await npm.publish({ name: "left-pad", version: "1.0.2" })).status).toBe(201);
  const packument = await npm.packument("left-pad");
  expect(Object.keys(packument.versions)).toEqual(["1.0.2"]);
  expect(packument["dist-tags"]).toEqual({ latest: "1.0.2" });
});
