import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { buildTarball, publishBody } from "../../support/npm-package.ts";
import { type NpmRegistry, openNpmRegistry } from "./npm-registry.ts";

const LEFT_PAD = { name: "left-pad", version: "1.0.0" } as const;
const KEY = "left-pad-1.0.0.tgz";

/** The text of a publish, with `data` in the place of the base64. */
async function bodyText(edit: (data: string) => string = (data) => data): Promise<string> {
  const tarball = await buildTarball(LEFT_PAD);
  const body = JSON.stringify(publishBody(LEFT_PAD, tarball));
  const data = tarball.toString("base64");
  return body.replace(data, () => edit(data));
}

async function put(npm: NpmRegistry, body: unknown, headers = {}) {
  return npm.send("/left-pad", { method: "PUT", body, headers });
}

async function expectNothing(npm: NpmRegistry): Promise<void> {
  expect((await npm.send("/left-pad")).status).toBe(404);
  expect(await npm.blobs()).toEqual([]);
}

test.each<[string, (data: string) => string]>([
  ["a character outside the alphabet", (data) => `${data.slice(0, 8)}!${data.slice(9)}`],
  ["characters of the alphabet for URLs", (data) => `-_${data.slice(2)}`],
  ["white space", (data) => `${data.slice(0, 8)}    ${data.slice(12)}`],
  ["a line break", (data) => `${data.slice(0, 8)}\\n${data.slice(10)}`],
  ["a character too few", (data) => data.slice(0, -1)],
  ["padding in the middle", (data) => `${data.slice(0, 8)}QQ==${data.slice(8)}`],
  ["text behind the padding", (data) => `${data}QQ==QUJD`],
  ["a character beyond ASCII", (data) => `${data.slice(0, 8)}é${data.slice(10)}`],
  ["an escape that is none", (data) => `\\q${data.slice(2)}`],
])("base64 with %s is refused", async (_, edit) => {
  await using npm = await openNpmRegistry();
  const answer = await put(npm, await bodyText(edit));
  expect(answer.status, answer.text).toBe(400);
  await expectNothing(npm);
});

test("base64 with JSON's escapes of its characters is read", async () => {
  await using npm = await openNpmRegistry();
  const body = await bodyText((data) =>
    data.replaceAll("/", "\\/").replaceAll("+", "\\u002B").replaceAll("=", "\\u003d"),
  );
  const answer = await put(npm, body);
  expect(answer.status, answer.text).toBe(201);
});

test("a body that arrives byte by byte is read as one that arrives at once", async () => {
  await using npm = await openNpmRegistry();
  const bytes = Buffer.from(await bodyText((data) => data.replaceAll("/", "\\/")));
  let position = 0;
  const body = new ReadableStream({
    pull(controller) {
      if (position >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(position, ++position));
    },
  });
  const answer = await put(npm, body);
  expect(answer.status, answer.text).toBe(201);
});

test("a gzipped publish is read", async () => {
  await using npm = await openNpmRegistry();
  const answer = await put(npm, gzipSync(await bodyText()), { "content-encoding": "gzip" });
  expect(answer.status, answer.text).toBe(201);
});

test("escaped keys lead to the tarball too, and to one only", async () => {
  await using npm = await openNpmRegistry();
  const text = await bodyText();
  const twice = text.replace(
    /"_attachments":(\{.*\})\}$/,
    (_, value: string) => `"_attachments":${value},"\\u005fattachments":${value}}`,
  );
  expect(twice).not.toBe(text);
  expect((await put(npm, twice)).json.error).toContain("two tarballs");
  await expectNothing(npm);
  expect((await put(npm, text.replace('"_attachments"', '"\\u005fattachments"'))).status).toBe(201);
});

test("the keys of an object's own machinery are data like others", async () => {
  await using npm = await openNpmRegistry();
  const text = (await bodyText())
    .replace("{", '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},')
    .replace('"versions":{', '"versions":{"__proto__":{"polluted":1},');
  const answer = await put(npm, text);
  expect([201, 400]).toContain(answer.status);
  expect(Reflect.get({}, "polluted")).toBeUndefined();
  const manifest = (await bodyText()).replace('"dist":{', '"__proto__":{"polluted":1},"dist":{');
  await put(npm, manifest);
  expect(Reflect.get({}, "polluted")).toBeUndefined();
});

test.each<[string, string | Uint8Array, number]>([
  ["nothing", "", 400],
  ["no JSON", "hello", 400],
  ["an array", "[]", 400],
  ["null", "null", 400],
  ["an object without anything", "{}", 400],
  ["an unfinished string", '{"name":"left', 400],
  ["an unfinished object", '{"name":"left-pad"', 400],
  ["a bracket too many", "{}]", 400],
  ["bytes that are no UTF-8", Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d), 400],
  ["deep nesting", `{"a":${"[".repeat(5000)}${"]".repeat(5000)}}`, 400],
  ["versions that are no object", '{"versions":[]}', 400],
  ["a version that is null", '{"versions":{"1.0.0":null}}', 400],
  ["attachments that are no object", '{"versions":{},"_attachments":[{"data":"AAAA"}]}', 400],
])("a body of %s is refused", async (_, body, status) => {
  await using npm = await openNpmRegistry();
  const answer = await put(npm, body);
  expect(answer.status, answer.text).toBe(status);
  expect(answer.json.error).toEqual(expect.any(String));
  await expectNothing(npm);
});

test("metadata of more than 32 MiB is refused", async () => {
  await using npm = await openNpmRegistry();
  const answer = await put(npm, `{"readme":"${"x".repeat(33 * 1024 * 1024)}"}`);
  expect(answer.status).toBe(413);
  await expectNothing(npm);
});

test("a body that breaks off in the tarball leaves nothing behind", async () => {
  await using npm = await openNpmRegistry();
  const text = await bodyText();
  const at = text.indexOf(KEY, text.indexOf("_attachments")) + 150;
  expect((await put(npm, text.slice(0, at))).status).toBe(400);
  await expectNothing(npm);
  const broken = new ReadableStream({
    start(controller) {
      controller.enqueue(Buffer.from(text.slice(0, at)));
      controller.error(new Error("connection reset"));
    },
  });
  await put(npm, broken).catch(() => {});
  await expectNothing(npm);
});

test("a gzipped body that breaks off does not take the server with it", async () => {
  await using npm = await openNpmRegistry();
  const bytes = gzipSync(await bodyText());
  const broken = new ReadableStream({
    start(controller) {
      controller.enqueue(bytes.subarray(0, 40));
      setTimeout(() => controller.error(new Error("connection reset")), 5);
    },
  });
  const answer = await put(npm, broken, { "content-encoding": "gzip" });
  expect(answer.status).toBeGreaterThanOrEqual(400);
  await expectNothing(npm);
});
