import { createHash, randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { buildTarball, publishBody } from "../../support/npm-package.ts";
import {
  ABBREVIATED,
  BASE_URL,
  buildArchive,
  buildTar,
  type Json,
  openNpmRegistry,
} from "./npm-registry.ts";

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

test("a second publish of a version is refused in npm's words and changes nothing", async () => {
  await using npm = await openNpmRegistry();
  await npm.publish({ ...LEFT_PAD, manifest: { description: "first" } });
  const before = await npm.blobs();
  const answer = await npm.publish({ ...LEFT_PAD, manifest: { description: "second" } });
  expect(answer.status).toBe(403);
  expect(answer.json.error).toBe(
    "You cannot publish over the previously published versions: 1.0.0.",
  );
  expect((await npm.packument("left-pad")).versions["1.0.0"].description).toBe("first");
  expect(await npm.blobs()).toEqual(before);
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

test.each([
  ["integrity", { integrity: `sha512-${Buffer.alloc(64).toString("base64")}` }],
  ["integrity", { integrity: `sha1-${Buffer.alloc(20).toString("base64")}` }],
  ["shasum", { shasum: "0".repeat(40) }],
])("a wrong %s is refused and leaves nothing behind", async (what, dist) => {
  await using npm = await openNpmRegistry();
  const answer = await npm.publishTarball(LEFT_PAD, await buildTarball(LEFT_PAD), (body) => {
    Object.assign(body.versions["1.0.0"].dist, dist);
    return body;
  });
  expect(answer.status).toBe(400);
  expect(answer.json.error).toContain(what);
  expect((await npm.send("/left-pad")).status).toBe(404);
  expect(await npm.blobs()).toEqual([]);
});

test.each<[string, (body: Json) => void]>([
  [
    "a length that is not that of the data",
    (body) => {
      body["_attachments"]["left-pad-1.0.0.tgz"].length = 5;
    },
  ],
  [
    "another name in the body",
    (body) => {
      body.name = "right-pad";
    },
  ],
  [
    "another name in the manifest",
    (body) => {
      body.versions["1.0.0"].name = "right-pad";
    },
  ],
  [
    "another version in the manifest",
    (body) => {
      body.versions["1.0.0"].version = "1.0.1";
    },
  ],
  [
    "no version",
    (body) => {
      body.versions = {};
    },
  ],
  [
    "two versions",
    (body) => {
      body.versions["2.0.0"] = body.versions["1.0.0"];
    },
  ],
  [
    "a version that is not canonical",
    (body) => {
      body.versions = { "v1.0.0": { ...body.versions["1.0.0"], version: "v1.0.0" } };
    },
  ],
  [
    "a version with build metadata",
    (body) => {
      body.versions = { "1.0.0+x": { ...body.versions["1.0.0"], version: "1.0.0+x" } };
    },
  ],
  [
    "a version of another length than npm's",
    (body) => {
      const v = `1.0.0-${"a".repeat(300)}`;
      body.versions = { [v]: { ...body.versions["1.0.0"], version: v } };
    },
  ],
  [
    "a tag that reads as a version",
    (body) => {
      body["dist-tags"] = { "1.0": "1.0.0" };
    },
  ],
  [
    "a tag that reads as a range",
    (body) => {
      body["dist-tags"] = { x: "1.0.0" };
    },
  ],
  [
    "a tag with a slash",
    (body) => {
      body["dist-tags"] = { "a/b": "1.0.0" };
    },
  ],
  [
    "a tag for another version",
    (body) => {
      body["dist-tags"] = { latest: "9.9.9" };
    },
  ],
  [
    "dependencies that are no object of texts",
    (body) => {
      body.versions["1.0.0"].dependencies = { a: 1 };
    },
  ],
  [
    "a manifest that is no object",
    (body) => {
      body.versions["1.0.0"] = [];
    },
  ],
  [
    "an attachment without data",
    (body) => {
      body["_attachments"] = { "left-pad-1.0.0.tgz": {} };
    },
  ],
  [
    "two tarballs",
    (body) => {
      body["_attachments"]["left-pad-1.0.1.tgz"] = body["_attachments"]["left-pad-1.0.0.tgz"];
    },
  ],
  [
    "an attachment of another kind",
    (body) => {
      body["_attachments"]["x.exe"] = { data: "AAAA" };
    },
  ],
  [
    "too many tags",
    (body) => {
      body["dist-tags"] = Object.fromEntries(
        Array.from({ length: 30 }, (_, n) => [`tag-${n}`, "1.0.0"]),
      );
    },
  ],
])("a publish with %s is refused and leaves nothing behind", async (_, edit) => {
  await using npm = await openNpmRegistry();
  const answer = await npm.publishTarball(LEFT_PAD, await buildTarball(LEFT_PAD), (body) => {
    edit(body);
    return body;
  });
  expect(answer.status, answer.text).toBe(400);
  expect(answer.json.error.length).toBeGreaterThan(20);
  expect((await npm.send("/left-pad")).status).toBe(404);
  expect(await npm.blobs()).toEqual([]);
});

test("a tarball of another package or version is refused", async () => {
  await using npm = await openNpmRegistry();
  for (const other of [
    { name: "right-pad", version: "1.0.0" },
    { name: "left-pad", version: "1.0.1" },
  ]) {
    const answer = await npm.publishTarball(LEFT_PAD, await buildTarball(other));
    expect(answer.status).toBe(400);
    expect(answer.json.error).toContain("package.json in the tarball");
  }
  expect(await npm.blobs()).toEqual([]);
});

test("a tarball whose version npm would clean is taken", async () => {
  await using npm = await openNpmRegistry();
  const answer = await npm.publishTarball(
    LEFT_PAD,
    await buildTarball({ name: "left-pad", version: "v1.0.0+build.5" }),
  );
  expect(answer.status, answer.text).toBe(201);
});

test.each([
  "_hidden",
  ".dotted",
  "-dash",
  "node_modules",
  "favicon.ico",
  "a b",
  "@acme/.dot",
  "a".repeat(215),
  "%2e%2e%2fetc",
])("the name %s is refused", async (name) => {
  await using npm = await openNpmRegistry();
  const body = { name, versions: {} };
  const answer = await npm.send(`/${encodeURIComponent(name)}`, { method: "PUT", body });
  expect([400, 404]).toContain(answer.status);
});

test("a name with capital letters, which npm has long had, is published as it is", async () => {
  await using npm = await openNpmRegistry();
  expect((await npm.publish({ name: "JSONStream", version: "1.0.0" })).status).toBe(201);
  expect((await npm.send("/jsonstream")).status).toBe(404);
  expect((await npm.packument("JSONStream")).name).toBe("JSONStream");
});

test("the abbreviated packument has what installs need, right", async () => {
  await using npm = await openNpmRegistry();
  const kept = {
    bin: "cli.js",
    directories: { lib: "lib" },
    engines: { node: ">=20" },
    os: ["linux"],
    cpu: ["x64"],
    libc: ["glibc"],
    funding: { url: "https://example.com" },
    dependencies: { a: "1" },
    devDependencies: { b: "1" },
    optionalDependencies: { c: "1" },
    peerDependencies: { d: "1" },
    peerDependenciesMeta: { d: { optional: true } },
    bundleDependencies: ["a"],
  };
  const manifest = {
    ...kept,
    description: "not for installs",
    scripts: { postinstall: "node x", test: "no" },
    _secret: "no",
    _nodeVersion: "24.0.0",
    readme: "# not per version",
  };
  await npm.publish({ ...LEFT_PAD, manifest, files: { "npm-shrinkwrap.json": "{}" } });
  const abbreviated = (await npm.packument("left-pad", ABBREVIATED)).versions["1.0.0"];
  expect(abbreviated).toEqual({
    ...kept,
    ...LEFT_PAD,
    bin: { "left-pad": "cli.js" },
    _hasShrinkwrap: true,
    hasInstallScript: true,
    dist: expect.objectContaining({ fileCount: 2 }),
  });
  const full = await npm.packument("left-pad");
  expect(full.versions["1.0.0"]).toMatchObject({
    description: "not for installs",
    scripts: manifest.scripts,
    _id: "left-pad@1.0.0",
    _nodeVersion: "24.0.0",
    _npmUser: { name: "admin", email: "" },
  });
  expect(full.versions["1.0.0"]).not.toHaveProperty("_secret");
  expect(full.versions["1.0.0"]).not.toHaveProperty("readme");
  expect(full.readme).toBe("# not per version");
});

test("an install script that only the tarball's package.json names is told too", async () => {
  await using npm = await openNpmRegistry();
  const tarball = await buildTarball({
    ...LEFT_PAD,
    manifest: { scripts: { install: "curl evil" } },
  });
  await npm.publishTarball(LEFT_PAD, tarball);
  expect((await npm.packument("left-pad", ABBREVIATED)).versions["1.0.0"].hasInstallScript).toBe(
    true,
  );
});

test("a package with a binding.gyp has an install script", async () => {
  await using npm = await openNpmRegistry();
  await npm.publish({ ...LEFT_PAD, files: { "binding.gyp": "{}" } });
  await npm.publish({ name: "left-pad", version: "1.0.1" });
  const { versions } = await npm.packument("left-pad", ABBREVIATED);
  expect(versions["1.0.0"].hasInstallScript).toBe(true);
  expect(versions["1.0.1"]).not.toHaveProperty("hasInstallScript");
});

test("the README comes from the tarball when the client sends none, and is that of latest", async () => {
  await using npm = await openNpmRegistry();
  await npm.publish({
    ...LEFT_PAD,
    files: { README: "plain", "README.md": "# one", "docs/README.md": "no" },
  });
  await npm.publish({
    name: "left-pad",
    version: "2.0.0-beta.1",
    tag: "beta",
    files: { "README.md": "# beta" },
  });
  expect((await npm.packument("left-pad")).readme).toBe("# one");
  await npm.publish({ name: "left-pad", version: "2.0.0", files: { "readme.markdown": "# two" } });
  expect((await npm.packument("left-pad")).readme).toBe("# two");
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

test("a tarball larger than the registry allows is refused", async () => {
  await using npm = await openNpmRegistry();
  const response = await npm.test.request("/api/v1/registries/js", {
    method: "PATCH",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ policies: { maxFileBytes: 1000 } }),
  });
  expect(response.status, await response.text()).toBe(200);
  const answer = await npm.publish({
    ...LEFT_PAD,
    files: { x: randomBytes(2000).toString("hex") },
  });
  expect(answer.status).toBe(413);
  expect(answer.json.error).toContain("1000 bytes");
  expect(await npm.blobs()).toEqual([]);
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
