import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { bodyBytes } from "../../../shared/http/body-bytes.ts";
import {
  buildSdist,
  buildTarGz,
  buildWheel,
  buildZip,
  type Distribution,
  metadataText,
  uploadForm,
  wheelEntries,
  type ZipEntry,
} from "../../support/python-package.ts";
import { openPypiRegistry } from "./pypi-registry.ts";

const DEMO = { name: "demo", version: "1.0" } as const;
const WHEEL = "demo-1.0-py3-none-any.whl";
const SDIST = "demo-1.0.tar.gz";
const PKG_INFO = { name: "demo-1.0/PKG-INFO", content: metadataText(DEMO) };

/** A wheel with one more file, or with its files edited. */
const wheelWith = (more: readonly ZipEntry[]): Buffer => buildZip([...wheelEntries(DEMO), ...more]);
const wheelEdited = (edit: (entry: ZipEntry) => readonly ZipEntry[]): Buffer =>
  buildZip(wheelEntries(DEMO).flatMap(edit));
const whereName = (end: string, edit: (entry: ZipEntry) => readonly ZipEntry[]) =>
  wheelEdited((entry) => (entry.name.endsWith(end) ? edit(entry) : [entry]));

const good = buildWheel(DEMO).bytes;
const zeros = Buffer.alloc(120 * 1024 * 1024);

test.each<readonly [string, Buffer]>([
  ["no zip file at all", Buffer.from("this is no zip file, it is text")],
  ["nothing", Buffer.alloc(0)],
  ["a zip file that breaks off", good.subarray(0, good.length - 30)],
  ["bytes before the zip file", Buffer.concat([Buffer.from("#!/bin/sh\n"), good])],
  ["bytes behind the zip file", Buffer.concat([good, Buffer.from("more")])],
  ["two zip files", Buffer.concat([good, good])],
  ["no METADATA", whereName("METADATA", () => [])],
  ["no RECORD", whereName("RECORD", () => [])],
  ["two METADATA", wheelWith([{ name: "x-1.dist-info/METADATA", content: "Name: x\n" }])],
  ["METADATA twice", whereName("METADATA", (entry) => [entry, entry])],
  [
    "METADATA of another project",
    whereName("METADATA", ({ name }) => [
      { name, content: metadataText({ ...DEMO, name: "other" }) },
    ]),
  ],
  [
    "METADATA of another version",
    whereName("METADATA", ({ name }) => [
      { name, content: metadataText({ ...DEMO, version: "2" }) },
    ]),
  ],
  ["METADATA without a name", whereName("METADATA", ({ name }) => [{ name, content: "\n\n" }])],
  [
    "METADATA that is too large",
    whereName("METADATA", ({ name }) => [
      { name, content: metadataText({ ...DEMO, description: "x".repeat(3 * 1024 * 1024) }) },
    ]),
  ],
  [
    "METADATA with too many dependencies",
    whereName("METADATA", ({ name }) => [
      {
        name,
        content: metadataText({
          ...DEMO,
          metadata: Array.from({ length: 10_000 }, (_, n) => `Requires-Dist: dependency-${n}`),
        }),
      },
    ]),
  ],
  ["a path out of the folder", wheelWith([{ name: "../../etc/passwd", content: "" }])],
  ["an absolute path", wheelWith([{ name: "/etc/passwd", content: "" }])],
  ["a path with a drive letter", wheelWith([{ name: "C:/x", content: "" }])],
  ["a path with a backslash", wheelWith([{ name: "a\\..\\b", content: "" }])],
  ["a path with NUL", wheelWith([{ name: "a\0b", content: "" }])],
  [
    "an entry that only a streaming reader sees",
    wheelWith([{ name: "evil.py", content: "x", isHidden: true }]),
  ],
  [
    "an entry that has another name in the directory",
    wheelWith([{ name: "good.py", content: "x", listed: { name: "evil.py" } }]),
  ],
  [
    "an entry of another size in the directory",
    wheelWith([{ name: "good.py", content: "x", listed: { sizeBytes: 2 } }]),
  ],
  [
    "an entry of another place in the directory",
    wheelWith([{ name: "good.py", content: "x", listed: { offset: 0 } }]),
  ],
  ["an encrypted entry", wheelWith([{ name: "x.py", content: "x", flags: 1 }])],
  ["an entry with its size behind it", wheelWith([{ name: "x.py", content: "x", flags: 8 }])],
  ["a bomb", wheelWith([{ name: "zeros", content: zeros }])],
])("a wheel with %s is refused and leaves nothing", async (_what, bytes) => {
  await refused({ fileName: WHEEL, bytes });
});

test.each<readonly [string, () => Promise<Buffer>]>([
  ["no gzip", async () => Buffer.from("no gzip")],
  ["gzip of no tar", async () => gzipSync("x".repeat(5000))],
  ["a gzip file that breaks off", async () => (await buildSdist(DEMO)).bytes.subarray(0, 60)],
  ["no PKG-INFO", () => buildTarGz([{ name: "demo-1.0/setup.py" }])],
  ["two PKG-INFO", () => buildTarGz([PKG_INFO, { ...PKG_INFO, name: "x/PKG-INFO" }])],
  ["a path out of the folder", () => buildTarGz([PKG_INFO, { name: "demo-1.0/../../x" }])],
  ["an absolute path", () => buildTarGz([PKG_INFO, { name: "/x" }])],
  [
    "a link out of the folder",
    () =>
      buildTarGz([PKG_INFO, { name: "demo-1.0/x", type: "symlink", linkname: "../../etc/passwd" }]),
  ],
  [
    "a hard link out of the folder",
    () => buildTarGz([PKG_INFO, { name: "demo-1.0/x", type: "link", linkname: "../x" }]),
  ],
  ["a device", () => buildTarGz([PKG_INFO, { name: "demo-1.0/x", type: "block-device" }])],
  ["a bomb", async () => gzipSync(zeros)],
])("an sdist with %s is refused and leaves nothing", async (_what, build) => {
  await refused({ fileName: SDIST, bytes: await build() });
});

test.each<readonly [string, Readonly<Record<string, string | null>>]>([
  ["no action", { ":action": null }],
  ["another action", { ":action": "submit" }],
  ["another protocol", { protocol_version: "2" }],
  ["no name", { name: null }],
  ["no version", { version: null }],
  ["a name that is none", { name: "../x" }],
  ["another project's name", { name: "other" }],
  ["another version", { version: "1.1" }],
  ["a version that is none", { version: "one" }],
  ["another file type", { filetype: "sdist" }],
  ["attestations that are no JSON", { attestations: "[" }],
  ["attestations of nothing", { attestations: "[]" }],
  ["attestations that are nested too deep", { attestations: "[".repeat(100_000) }],
])("a form with %s is refused and leaves nothing", async (_what, fields) => {
  await refused(buildWheel(DEMO), fields);
});

test.each<readonly [string, string | FormData, string]>([
  ["no form", "hello", "text/plain"],
  ["a form without a boundary", "hello", "multipart/form-data"],
  [
    "a form that breaks off",
    `--x\r\ncontent-disposition: form-data; name="content"; filename="${WHEEL}"\r\n\r\nPK`,
    "multipart/form-data; boundary=x",
  ],
  ["a form of nothing", "--x--\r\n", "multipart/form-data; boundary=x"],
])("%s is refused and leaves nothing", async (_what, body, type) => {
  await using pypi = await openPypiRegistry();
  const answer = await pypi.post(body, { "content-type": type });
  expect(answer.status).toBe(400);
  expect(await pypi.blobs()).toEqual([]);
});

test("a form with two files, or a field twice, is refused", async () => {
  await using pypi = await openPypiRegistry();
  const twoFiles = uploadForm(DEMO, buildWheel(DEMO));
  twoFiles.append("content", new Blob([bodyBytes(good)]), "demo-1.0-py2-none-any.whl");
  const twoNames = uploadForm(DEMO, buildWheel(DEMO));
  twoNames.append("name", "other");
  for (const form of [twoFiles, twoNames]) expect((await pypi.post(form)).status).toBe(400);
  expect(await pypi.blobs()).toEqual([]);
});

test("a file that is larger than the registry allows is 413 and leaves nothing", async () => {
  await using pypi = await openPypiRegistry({}, { maxFileBytes: 300 });
  expect((await pypi.upload(DEMO)).status).toBe(413);
  expect(await pypi.blobs()).toEqual([]);
});

test("paths that lead elsewhere find nothing", async () => {
  await using pypi = await openPypiRegistry();
  await pypi.upload(DEMO);
  for (const path of [
    "/files/demo/1.0/..%2F..%2Fx",
    "/files/demo/1.0%23x/demo-1.0-py3-none-any.whl",
    "/files/demo/1.0/%00",
    `/files/demo/1.0/${"x".repeat(5000)}`,
    "/pypi/demo/not-a-version/json",
    "/integrity/demo/1.0/demo-1.0-py3-none-any.whl/provenance",
  ]) {
    const { status } = await pypi.get(path);
    expect([400, 404], `${path}: ${status}`).toContain(status);
  }
});

async function refused(
  file: Distribution,
  fields: Readonly<Record<string, string | null>> = {},
): Promise<void> {
  await using pypi = await openPypiRegistry();
  const answer = await pypi.upload(DEMO, file, fields);
  expect([400, 413], answer.text).toContain(answer.status);
  expect(answer.text.length).toBeGreaterThan(20);
  expect(await pypi.blobs()).toEqual([]);
  expect((await pypi.get("/simple/demo/")).status).toBe(404);
}
