import { expect, test } from "vitest";
import { buildTarball } from "../../support/npm-package.ts";
import { openNpmRegistry } from "./npm-registry.ts";

const PAD = { name: "@acme/pad", version: "1.0.0" } as const;

test("a tarball is served under every spelling of its scope", async () => {
  await using npm = await openNpmRegistry();
  const tarball = await buildTarball(PAD);
  await npm.publishTarball(PAD, tarball);
  for (const path of [
    "/@acme/pad/-/pad-1.0.0.tgz",
    "/@acme%2fpad/-/pad-1.0.0.tgz",
    "/@acme%2Fpad/-/pad-1.0.0.tgz",
    "/%40acme%2fpad/-/pad-1.0.0.tgz",
    "/@acme/pad/-/@acme/pad-1.0.0.tgz",
  ]) {
    const response = await npm.test.request(`/npm/js${path}`);
    expect(response.status, path).toBe(200);
    expect(Buffer.from(await response.arrayBuffer()).equals(tarball)).toBe(true);
  }
});

test("a tarball has an ETag, comes in ranges, and may be kept", async () => {
  await using npm = await openNpmRegistry();
  const tarball = await buildTarball(PAD);
  await npm.publishTarball(PAD, tarball);
  const path = "/npm/js/@acme/pad/-/pad-1.0.0.tgz";
  const whole = await npm.test.request(path);
  const etag = whole.headers.get("etag") ?? "";
  await whole.arrayBuffer();
  expect(whole.headers.get("content-length")).toBe(String(tarball.length));
  expect(whole.headers.get("cache-control")).toBe("private, max-age=31536000, immutable");
  expect(whole.headers.get("content-type")).toBe("application/octet-stream");
  expect((await npm.test.request(path, { headers: { "if-none-match": etag } })).status).toBe(304);
  const part = await npm.test.request(path, { headers: { range: "bytes=10-19" } });
  expect(part.status).toBe(206);
  expect(part.headers.get("content-range")).toBe(`bytes 10-19/${tarball.length}`);
  expect(Buffer.from(await part.arrayBuffer()).equals(tarball.subarray(10, 20))).toBe(true);
  const last = await npm.test.request(path, { headers: { range: "bytes=-5" } });
  expect(Buffer.from(await last.arrayBuffer()).equals(tarball.subarray(-5))).toBe(true);
  expect((await npm.test.request(path, { headers: { range: "bytes=999999-" } })).status).toBe(416);
  const head = await npm.test.request(path, { method: "HEAD" });
  expect([head.status, head.headers.get("etag"), await head.text()]).toEqual([200, etag, ""]);
});

test.each([
  "/@acme/pad/-/pad-1.0.1.tgz",
  "/@acme/pad/-/other-1.0.0.tgz",
  "/@acme/pad/-/pad-1.0.0.zip",
  "/@acme/pad/-/pad-.tgz",
  "/@acme/pad/-/..%2f..%2fpad-1.0.0.tgz",
  "/@acme/pad/-/pad-1.0.0.sigstore.json",
  "/pad/-/pad-1.0.0.tgz",
  "/@acme/pad/-/pad-v1.0.0.tgz",
])("%s is not found", async (path) => {
  await using npm = await openNpmRegistry();
  await npm.publish(PAD);
  expect((await npm.send(path)).status).toBe(404);
});

test.each([
  "/..%2f..%2fetc%2fpasswd",
  "/%2e%2e",
  "/left-pad%00",
  "/%ff",
  "/@acme%2f..%2f..",
  "/a%20b",
])("%s is no package", async (path) => {
  await using npm = await openNpmRegistry();
  expect([400, 404]).toContain((await npm.send(path)).status);
  expect([400, 404]).toContain((await npm.send(`${path}/-/x-1.0.0.tgz`)).status);
});

test("the tarball of an unpublished version is gone", async () => {
  await using npm = await openNpmRegistry();
  await npm.publish(PAD);
  await npm.send("/@acme%2fpad/-rev/1-0", { method: "DELETE" });
  expect((await npm.send("/@acme/pad/-/pad-1.0.0.tgz")).status).toBe(404);
});
