import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { readTarballManifest, tarballName } from "../../../cli/client/npm-tarball.ts";
import { buildTarball } from "../../support/npm-package.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

let path = "";
beforeEach(async () => {
  const folder = await temporaryFolder("cli-tarball");
  onTestFinished(() => folder[Symbol.asyncDispose]());
  path = join(folder.path, "package.tgz");
});

async function tarOf(entries: Readonly<Record<string, string>>): Promise<Buffer> {
  const archive = pack();
  for (const [name, content] of Object.entries(entries)) archive.entry({ name }, content);
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) {
    if (chunk instanceof Uint8Array) chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const MANIFEST = JSON.stringify({ name: "@acme/app", version: "1.0.0" });

test("the manifest is found behind other files, and in a folder of any name", async () => {
  const entries = {
    "app-main/lib/package.json": JSON.stringify({ name: "inner", version: "9.9.9" }),
    "app-main/a.js": "x".repeat(100_000),
    "app-main/package.json": MANIFEST,
    "app-main/z.js": "x".repeat(100_000),
  };
  await writeFile(path, gzipSync(await tarOf(entries)));
  expect(await readTarballManifest(path)).toMatchObject({ name: "@acme/app", version: "1.0.0" });
});

test("a package as npm packs it is understood", async () => {
  await writeFile(
    path,
    await buildTarball({ name: "app", version: "1.0.0", files: { "a.js": "" } }),
  );
  expect(await readTarballManifest(path)).toMatchObject({ name: "app", version: "1.0.0" });
});

test.each([
  ["is no gzip", async () => Buffer.from("hello")],
  [
    "is cut off",
    async () => (await buildTarball({ name: "app", version: "1.0.0" })).subarray(0, 60),
  ],
  ["is gzip of something else", async () => gzipSync("hello")],
  ["is empty", async () => Buffer.alloc(0)],
  ["has no package.json", async () => gzipSync(await tarOf({ "package/a.js": "1" }))],
  ["has a broken package.json", async () => gzipSync(await tarOf({ "package/package.json": "{" }))],
  ["has no version", async () => gzipSync(await tarOf({ "package/package.json": '{"name":"a"}' }))],
  [
    "has a package.json of more than 1 MiB",
    async () => gzipSync(await tarOf({ "package/package.json": `{"a":"${"x".repeat(1 << 20)}"}` })),
  ],
])("a file that %s is refused, and nothing hangs", async (_what, build) => {
  await writeFile(path, await build());
  await expect(readTarballManifest(path)).rejects.toThrow(/is not an npm package/);
});

test("a tarball's own name has no scope", () => {
  expect(tarballName("@acme/app", "1.0.0")).toBe("app-1.0.0.tgz");
});
