import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { buildTarball } from "../../support/npm-package.ts";
import { type Json, openNpmRegistry } from "./npm-registry.ts";

const LEFT_PAD = { name: "left-pad", version: "1.0.0" } as const;

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
