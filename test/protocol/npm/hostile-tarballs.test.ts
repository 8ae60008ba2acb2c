import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { buildTarball } from "../../support/npm-package.ts";
import {
  type ArchiveEntry,
  buildArchive,
  buildTar,
  type NpmRegistry,
  openNpmRegistry,
} from "./npm-registry.ts";

const LEFT_PAD = { name: "left-pad", version: "1.0.0" } as const;

async function expectRefused(
  npm: NpmRegistry,
  tarball: Buffer,
  words: RegExp,
  status = 400,
): Promise<void> {
  const answer = await npm.publishTarball(LEFT_PAD, tarball);
  expect(answer.status, answer.text).toBe(status);
  expect(answer.json.error).toMatch(words);
  expect((await npm.send("/left-pad")).status).toBe(404);
  expect(await npm.blobs()).toEqual([]);
}

test.each<[string, ArchiveEntry, RegExp]>([
  ["an absolute path", { name: "/etc/passwd" }, /absolute/],
  ["a path that climbs", { name: "package/../../etc/passwd" }, /"\.\."/],
  ["a path that climbs at once", { name: "../package/x" }, /"\.\."/],
  ["a path that ends in climbing", { name: "package/x/.." }, /"\.\."/],
  ["a segment that is a dot", { name: "package/./x" }, /"\."/],
  ["a drive letter", { name: "C:/package/x" }, /drive letter/],
  ["a drive letter without a slash", { name: "c:x" }, /drive letter/],
  ["a backslash", { name: "package\\..\\..\\x" }, /backslash/],
  ["a second folder", { name: "other/x" }, /below one/],
  ["a file outside of a folder", { name: "package" }, /outside of a folder/],
  [
    "a link out of the package",
    { name: "package/l", type: "symlink", linkname: "../../etc/passwd" },
    /outside of the package/,
  ],
  [
    "a link to its own folder's parent",
    { name: "package/l", type: "symlink", linkname: ".." },
    /outside of the package/,
  ],
  ["an absolute link", { name: "package/l", type: "symlink", linkname: "/etc/passwd" }, /absolute/],
  [
    "a hard link out of the package",
    { name: "package/l", type: "link", linkname: "../etc/passwd" },
    /outside of the package/,
  ],
  ["a device", { name: "package/d", type: "character-device" }, /character-device/],
  ["a pipe", { name: "package/d", type: "fifo" }, /fifo/],
  [
    "a second package.json",
    { name: "package/package.json", content: "{}" },
    /more than one package\.json/,
  ],
])("a tarball with %s is refused and leaves nothing behind", async (_, entry, words) => {
  await using npm = await openNpmRegistry();
  await expectRefused(npm, await buildArchive(LEFT_PAD, [entry]), words);
});

test("a name with a NUL, by an extended header, is refused", async () => {
  await using npm = await openNpmRegistry();
  const tar = await buildTar([
    { name: "package/package.json", content: JSON.stringify(LEFT_PAD) },
    { name: "package/b", pax: { path: "package/a\0b" }, content: "x" },
  ]);
  await expectRefused(npm, gzipSync(tar), /NUL/);
});

test("bytes that are no gzip are refused", async () => {
  await using npm = await openNpmRegistry();
  await expectRefused(npm, Buffer.from("this is not a tarball"), /damaged or not a gzipped tar/);
  await expectRefused(npm, Buffer.from("PK\u0003\u0004zip"), /damaged or not a gzipped tar/);
  await expectRefused(
    npm,
    await buildTar([{ name: "package/package.json", content: "{}" }]),
    /damaged/,
  );
});

test("an empty tarball, and one with nothing in it, are refused", async () => {
  await using npm = await openNpmRegistry();
  await expectRefused(npm, gzipSync(""), /no package\/package\.json/);
  await expectRefused(npm, gzipSync(Buffer.alloc(1024)), /no package\/package\.json/);
  const answer = await npm.publishTarball(LEFT_PAD, Buffer.alloc(0));
  expect(answer.status, answer.text).toBe(400);
});

test("a tarball that is cut off anywhere is refused", async () => {
  await using npm = await openNpmRegistry();
  const whole = await buildTarball({
    ...LEFT_PAD,
    files: { x: randomBytes(3000).toString("hex") },
  });
  for (const length of [1, 10, 100, whole.length - 9, whole.length - 1]) {
    await expectRefused(npm, whole.subarray(0, length), /damaged or not a gzipped tar/);
  }
});

test("an archive that is cut off within its gzip is refused", async () => {
  await using npm = await openNpmRegistry();
  const tar = await buildTar([
    { name: "package/package.json", content: JSON.stringify(LEFT_PAD) },
    { name: "package/x", content: randomBytes(5000) },
  ]);
  await expectRefused(npm, gzipSync(tar.subarray(0, 3000)), /damaged/);
});

test("garbage behind the gzip, or behind the archive, is refused", async () => {
  await using npm = await openNpmRegistry();
  const tarball = await buildTarball(LEFT_PAD);
  await expectRefused(npm, Buffer.concat([tarball, Buffer.from("garbage")]), /damaged/);
  await expectRefused(npm, Buffer.concat([tarball, randomBytes(100_000)]), /damaged/);
  const tar = await buildTar([{ name: "package/package.json", content: JSON.stringify(LEFT_PAD) }]);
  await expectRefused(npm, gzipSync(Buffer.concat([tar, Buffer.from("x".repeat(512))])), /damaged/);
  await expectRefused(npm, gzipSync(Buffer.concat([tar, Buffer.from("xyz")])), /damaged/);
});

test("a broken checksum in a header is refused", async () => {
  await using npm = await openNpmRegistry();
  const tar = await buildTar([{ name: "package/package.json", content: JSON.stringify(LEFT_PAD) }]);
  tar.write("zz", 1);
  await expectRefused(npm, gzipSync(tar), /damaged/);
});

test("a decompression bomb is refused soon", async () => {
  await using npm = await openNpmRegistry();
  const bomb = await buildArchive(LEFT_PAD, [
    { name: "package/zeros", content: Buffer.alloc(220 * 1024 * 1024) },
  ]);
  await expectRefused(npm, bomb, /decompression bomb/);
}, 60_000);

test("too many entries are refused", async () => {
  await using npm = await openNpmRegistry();
  const header = await buildTar([{ name: "package/x" }]);
  const many = Buffer.alloc(512 * 100_002);
  for (let at = 0; at < many.length; at += 512) header.copy(many, at, 0, 512);
  await expectRefused(npm, gzipSync(many, { level: 1 }), /more than 100000 entries/);
}, 60_000);

test.each([
  ["is missing", [{ name: "package/other.json", content: "{}" }], /no package\/package\.json/],
  ["is no JSON", [{ name: "package/package.json", content: "{" }], /not valid JSON/],
  ["is no object", [{ name: "package/package.json", content: "[]" }], /not a JSON object/],
  ["has no name", [{ name: "package/package.json", content: "{}" }], /is of nothing/],
  [
    "is nested too deep",
    [{ name: "package/package.json", content: `{"a":${"[".repeat(200)}${"]".repeat(200)}}` }],
    /nested/,
  ],
  [
    "is a link",
    [{ name: "package/package.json", type: "symlink", linkname: "x" }],
    /no package\/package\.json/,
  ],
] as const)("a package.json that %s is refused", async (_, entries, words) => {
  await using npm = await openNpmRegistry();
  await expectRefused(npm, gzipSync(await buildTar(entries)), words);
});

test("a package.json of more than a megabyte is refused", async () => {
  await using npm = await openNpmRegistry();
  const content = JSON.stringify({ ...LEFT_PAD, x: "y".repeat(1024 * 1024) });
  const tarball = gzipSync(await buildTar([{ name: "package/package.json", content }]));
  await expectRefused(npm, tarball, /larger than/, 413);
});
