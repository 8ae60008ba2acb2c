import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { requireDigests } from "../../../shared/domain/digest.ts";
import { ADMIN_TOKEN } from "../../support/services.ts";
import { ABBREVIATED, BASE_URL, openNpmRegistry } from "./npm-registry.ts";

const LEFT_PAD = { name: "left-pad", version: "1.0.0" } as const;

test("a packument is abbreviated for those who prefer it, and full for everybody else", async () => {
  await using npm = await openNpmRegistry();
  await npm.publish(LEFT_PAD);
  const typeFor = async (accept?: string) =>
    (await npm.send("/left-pad", accept === undefined ? {} : { headers: { accept } })).headers.get(
      "content-type",
    );
  const abbreviated = "application/vnd.npm.install-v1+json";
  expect(await typeFor(ABBREVIATED.accept)).toBe(abbreviated);
  expect(await typeFor(abbreviated)).toBe(abbreviated);
  expect(await typeFor("application/vnd.npm.install-v1+json; q=0.5, application/json")).toBe(
    "application/json",
  );
  expect(await typeFor("application/vnd.npm.install-v1+json;q=0, */*")).toBe("application/json");
  expect(await typeFor("application/json")).toBe("application/json");
  expect(await typeFor("*/*")).toBe("application/json");
  expect(await typeFor()).toBe("application/json");
});

test("both packuments say what they depend on, and answer 304 to their own ETag", async () => {
  await using npm = await openNpmRegistry();
  await npm.publish(LEFT_PAD);
  const etags = [];
  for (const headers of [{}, ABBREVIATED]) {
    const first = await npm.send("/left-pad", { headers });
    expect(first.headers.get("vary")).toBe("Accept, Accept-Encoding");
    const etag = first.headers.get("etag") ?? "";
    etags.push(etag);
    const again = await npm.send("/left-pad", { headers: { ...headers, "if-none-match": etag } });
    expect(again).toMatchObject({ status: 304, text: "" });
    expect(again.headers.get("etag")).toBe(etag);
    expect(again.headers.get("vary")).toBe("Accept, Accept-Encoding");
    expect(
      (await npm.send("/left-pad", { headers: { ...headers, "if-none-match": '"x"' } })).status,
    ).toBe(200);
  }
  expect(etags[0]).not.toBe(etags[1]);
  await npm.publish({ name: "left-pad", version: "1.0.1" });
  expect(
    (await npm.send("/left-pad", { headers: { "if-none-match": etags[0] ?? "" } })).status,
  ).toBe(200);
});

test("a packument comes in gzip and brotli with the same text", async () => {
  await using npm = await openNpmRegistry();
  await npm.publish(LEFT_PAD);
  const get = async (encoding: string) => {
    const response = await npm.test.request("/npm/js/left-pad", {
      headers: { "accept-encoding": encoding },
    });
    return {
      encoding: response.headers.get("content-encoding"),
      bytes: Buffer.from(await response.arrayBuffer()),
    };
  };
  const plain = await get("identity");
  const gzip = await get("gzip, deflate");
  const brotli = await get("gzip, deflate, br");
  expect([plain.encoding, gzip.encoding, brotli.encoding]).toEqual([null, "gzip", "br"]);
  expect(gunzipSync(gzip.bytes).equals(plain.bytes)).toBe(true);
  expect(brotliDecompressSync(brotli.bytes).equals(plain.bytes)).toBe(true);
});

test("HEAD of a packument has the headers of GET and no body", async () => {
  await using npm = await openNpmRegistry();
  await npm.publish(LEFT_PAD);
  const head = await npm.send("/left-pad", { method: "HEAD" });
  expect(head).toMatchObject({ status: 200, text: "" });
  expect(head.headers.get("etag")).toBe((await npm.send("/left-pad")).headers.get("etag"));
});

test("the full packument has times, maintainers and what its latest version says of itself", async () => {
  await using npm = await openNpmRegistry();
  const manifest = {
    description: "one",
    keywords: ["pad"],
    license: "MIT",
    author: { name: "Ann" },
    homepage: "https://a.example",
  };
  await npm.publish({ ...LEFT_PAD, manifest });
  const bob = await npm.token(["packages:write"], { owner: "bob@example.com" });
  npm.test.clock.aheadMs = 60_000;
  await npm.publish(
    { name: "left-pad", version: "1.1.0", manifest: { ...manifest, description: "two" } },
    { token: bob },
  );
  await npm.publish({
    name: "left-pad",
    version: "2.0.0-a",
    manifest: { description: "three" },
    tag: "next",
  });
  const packument = await npm.packument("left-pad");
  expect(packument).toMatchObject({
    ...manifest,
    description: "two",
    _id: "left-pad",
    name: "left-pad",
    _rev: "3-0",
  });
  expect(packument.maintainers).toEqual([
    { name: "admin", email: "" },
    { name: "bob@example.com", email: "bob@example.com" },
  ]);
  expect(Object.keys(packument.time)).toEqual(["created", "modified", "1.0.0", "1.1.0", "2.0.0-a"]);
  expect(packument.time.created).toBe(packument.time["1.0.0"]);
  expect(packument.time.modified).toBe(packument.time["2.0.0-a"]);
  expect(
    Date.parse(packument.time["1.1.0"]) - Date.parse(packument.time["1.0.0"]),
  ).toBeGreaterThanOrEqual(60_000);
});

test("a client that will edit the packument gets the full one, never from a cache", async () => {
  await using npm = await openNpmRegistry();
  await npm.publish(LEFT_PAD);
  const answer = await npm.send("/left-pad?write=true", { headers: ABBREVIATED });
  expect(answer.json["_rev"]).toBe("1-0");
  expect(answer.headers.get("cache-control")).toBe("private, no-store");
});

test("links in a packument follow the host name that the reader uses", async () => {
  await using npm = await openNpmRegistry("private", { trustProxy: true });
  await npm.publish(LEFT_PAD);
  const headers = { "x-forwarded-host": "npm.acme.example", "x-forwarded-proto": "https" };
  const { dist } = (await npm.packument("left-pad", headers)).versions["1.0.0"];
  expect(dist.tarball).toBe("https://npm.acme.example/npm/js/left-pad/-/left-pad-1.0.0.tgz");
  expect((await npm.packument("left-pad")).versions["1.0.0"].dist.tarball).toContain(BASE_URL);
});

test("one version is answered by its number and by its tags", async () => {
  await using npm = await openNpmRegistry();
  await npm.publish({ name: "@acme/pad", version: "1.0.0" });
  await npm.publish({ name: "@acme/pad", version: "2.0.0-a", tag: "next" });
  for (const [path, version] of [
    ["/@acme%2fpad/1.0.0", "1.0.0"],
    ["/@acme/pad/1.0.0", "1.0.0"],
    ["/@acme%2Fpad/latest", "1.0.0"],
    ["/@acme%2fpad/next", "2.0.0-a"],
  ]) {
    const answer = await npm.send(path ?? "");
    expect(answer.json).toMatchObject({
      name: "@acme/pad",
      version,
      dist: { tarball: `${BASE_URL}/npm/js/@acme/pad/-/pad-${version}.tgz` },
    });
  }
  expect(await npm.send("/@acme%2fpad/9.9.9")).toMatchObject({
    status: 404,
    json: { error: "version not found: 9.9.9" },
  });
  expect((await npm.send("/@acme%2fpad/nothing")).status).toBe(404);
});

test("what does not exist is 404 in npm's words", async () => {
  await using npm = await openNpmRegistry();
  for (const headers of [{}, ABBREVIATED]) {
    const answer = await npm.send("/nothing", { headers });
    expect(answer).toMatchObject({ status: 404, json: { error: "Not found" } });
  }
  expect((await npm.send("/-/nothing")).status).toBe(404);
  expect((await npm.send("/left-pad/a/b/c")).status).toBe(404);
});

test("publishing to a package with many versions costs no more than to one with few", async () => {
  await using npm = await openNpmRegistry();
  const { services, stores } = npm.test;
  const grant = await services.access.open(
    { principal: await admin(npm), address: "", requestId: "", baseUrl: BASE_URL },
    "js",
    "npm",
    "packages:write",
  );
  const blob = await stores.blobs.put(Buffer.from("x"), {
    algorithms: ["md5", "sha1", "sha256", "sha512"],
  });
  for (let patch = 0; patch < 300; patch++) {
    await services.publisher.publishVersion(grant, {
      packageName: "many",
      version: `1.0.${patch}`,
      metadata: { name: "many", version: `1.0.${patch}`, dist: { integrity: "x" } },
      files: [
        {
          path: `many-1.0.${patch}.tgz`,
          sizeBytes: 1,
          digests: requireDigests(blob.digests),
          contentType: "a/b",
        },
      ],
      tags: ["latest"],
      description: "",
      keywords: [],
      publishRun: "",
    });
  }
  expect((await npm.publish({ name: "many", version: "2.0.0" })).status).toBe(201);
  for (const headers of [{}, ABBREVIATED]) {
    const packument = await npm.packument("many", headers);
    expect(Object.keys(packument.versions)).toHaveLength(301);
    expect(packument["dist-tags"]).toEqual({ latest: "2.0.0" });
  }
  expect(Object.keys((await npm.packument("many")).time)).toHaveLength(303);
}, 60_000);

async function admin(npm: Awaited<ReturnType<typeof openNpmRegistry>>) {
  const principal = await npm.test.services.tokens.authenticate(ADMIN_TOKEN);
  if (principal === undefined) throw new Error("no admin");
  return principal;
}
