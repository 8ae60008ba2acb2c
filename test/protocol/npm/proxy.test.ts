import { createHash, randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  answer,
  type Behaviour,
  BROKEN,
  endless,
  gzipBomb,
  type MisbehavingUpstream,
  redirect,
  startUpstream,
  wrongBytes,
} from "../../support/misbehaving-upstream.ts";
import { FAILING_ANSWERS, openMirror, WRONG_FILES } from "../../support/mirror.ts";
import type { TestRegistry } from "../../support/services.ts";
import { changeRegistry, changeUpstream } from "../../support/upstreams.ts";
import type { Json } from "./npm-registry.ts";
import {
  packumentOf,
  servePackage,
  tarballPath,
  type UpstreamVersion,
  upstreamVersion,
} from "./upstream-packages.ts";

const NAME = "left-pad";
const FULL = { accept: "application/json" };

let upstream: MisbehavingUpstream;
let registry: TestRegistry;
let one: UpstreamVersion;
let two: UpstreamVersion;

beforeEach(async () => {
  ({ upstream, registry } = await openMirror("npm"));
  one = await upstreamVersion(NAME, "1.0.0");
  two = await upstreamVersion(NAME, "1.1.0", { files: { "index.js": "two" } });
  servePackage(upstream, NAME, [one, two]);
});

afterEach(async () => {
  await registry.close();
  await upstream.close();
});

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  registry.request(`/npm/mirror${path}`, { headers });

const json = async (response: Response): Promise<Json> => JSON.parse(await response.text());

async function packument(name = NAME): Promise<Json> {
  const response = await get(`/${name}`, FULL);
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  return json(response);
}

const tarball = (version: UpstreamVersion): Promise<Response> =>
  get(tarballPath(NAME, version.version));

async function bytesOf(response: Response): Promise<Buffer> {
  return Buffer.from(await response.arrayBuffer());
}

describe("a proxied packument", () => {
  test("has the upstream's versions, tags, times and signatures, and our links", async () => {
    const document = await packument();
    expect(document["dist-tags"]).toEqual({ latest: "1.1.0" });
    expect(Object.keys(document.versions)).toEqual(["1.0.0", "1.1.0"]);
    expect(document.time["1.0.0"]).toMatch(/^20/);
    const { dist } = document.versions["1.1.0"];
    expect(dist.tarball).toBe("http://registry.test/npm/mirror/left-pad/-/left-pad-1.1.0.tgz");
    expect(dist.integrity).toBe(
      `sha512-${createHash("sha512").update(two.tarball).digest("base64")}`,
    );
    expect(dist.signatures).toEqual([{ keyid: "SHA256:upstream", sig: "c2ln" }]);
    const short = await get(`/${NAME}`, { accept: "application/vnd.npm.install-v1+json" });
    expect(short.headers.get("content-type")).toContain("install-v1+json");
    expect(Object.keys((await json(short)).versions)).toEqual(["1.0.0", "1.1.0"]);
  });

  test("is asked for once however many want it, and not again while it is fresh", async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => get(`/${NAME}`, FULL)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    registry.clock.aheadMs += 59_000;
    await packument();
    expect(upstream.requests(`/${NAME}`)).toBe(1);
  });

  test("is revalidated by its ETag after its time, and shows what is new", async () => {
    const before = (await get(`/${NAME}`, FULL)).headers.get("etag");
    registry.clock.aheadMs += 61_000;
    const after = await get(`/${NAME}`, { ...FULL, "if-none-match": before ?? "" });
    expect(after.status).toBe(304);
    expect(upstream.received.at(-1)?.headers["if-none-match"]).toBeDefined();
    const three = await upstreamVersion(NAME, "2.0.0");
    servePackage(upstream, NAME, [one, two, three]);
    registry.clock.aheadMs += 61_000;
    expect((await packument())["dist-tags"]).toEqual({ latest: "2.0.0" });
  });

  test("of a scoped package is asked for with its slash encoded", async () => {
    const scoped = await upstreamVersion("@acme/pad", "1.0.0");
    servePackage(upstream, "@acme/pad", [scoped]);
    expect(Object.keys((await packument("@acme%2fpad")).versions)).toEqual(["1.0.0"]);
  });

  test("that the upstream has not is 404, and asked for again only after a while", async () => {
    expect((await get("/no-such")).status).toBe(404);
    expect((await get("/no-such")).status).toBe(404);
    expect(upstream.requests("/no-such")).toBe(1);
    servePackage(upstream, "no-such", [await upstreamVersion("no-such", "1.0.0")]);
    registry.clock.aheadMs += 31_000;
    expect((await get("/no-such")).status).toBe(200);
  });

  test.each<[string, Behaviour]>([
    ...FAILING_ANSWERS,
    ["broken JSON", answer(BROKEN.json)],
    ["a page in place of JSON", answer("<html>captive portal</html>")],
    ["another package", answer('{"name":"other","versions":{}}')],
    ["a redirect to itself", redirect("/left-pad")],
  ])(
    "is served from its copy, with a warning, when the upstream gives %s",
    async (_, behaviour) => {
      const before = await packument();
      upstream.on(`/${NAME}`, behaviour);
      registry.clock.aheadMs += 61_000;
      const stale = await get(`/${NAME}`, FULL);
      expect(stale.status).toBe(200);
      expect(stale.headers.get("warning")).toContain("110");
      expect(await json(stale)).toEqual(before);
      servePackage(upstream, NAME, [one]);
      registry.clock.aheadMs += 61_000;
      const healed = await get(`/${NAME}`, FULL);
      expect(healed.headers.get("warning")).toBeNull();
      expect(Object.keys((await json(healed)).versions)).toEqual(["1.0.0"]);
    },
  );

  test.each<[string, Behaviour]>([
    ["500", answer("", { status: 500 })],
    ["403", answer("", { status: 403 })],
    ["broken JSON", answer(BROKEN.json)],
    ["a redirect to the metadata service", redirect("http://169.254.169.254/latest/meta-data/")],
    ["a redirect to a file", redirect("file:///etc/passwd")],
    ["a bomb", gzipBomb(400 * 1024 * 1024)],
    ["a document without end", endless()],
  ])("is 502 with words, and no copy, when the first answer is %s", async (_, behaviour) => {
    upstream.on("/fresh", behaviour);
    const response = await get("/fresh", FULL);
    expect(response.status).toBe(502);
    expect((await json(response)).error).toContain('upstream "mirror"');
    servePackage(upstream, "fresh", [await upstreamVersion("fresh", "1.0.0")]);
    expect((await get("/fresh", FULL)).status).toBe(200);
  });

  test("of versions that cannot be versions leaves them out", async () => {
    upstream.on(
      "/odd",
      answer(
        packumentOf(upstream, "odd", [await upstreamVersion("odd", "1.0.0")], {
          latest: "1.0.0",
          gone: "9.9.9",
          "not a tag!": "1.0.0",
        }).replace('"versions":{', '"versions":{"../../x":{},"nope":7,"__proto__":{},'),
      ),
    );
    const document = await packument("odd");
    expect(Object.keys(document.versions)).toEqual(["1.0.0"]);
    expect(document["dist-tags"]).toEqual({ latest: "1.0.0" });
  });
});

describe("a proxied tarball", () => {
  test("is fetched once, verified and kept", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => tarball(one)));
    for (const response of answers) expect(await bytesOf(response)).toEqual(one.tarball);
    expect(upstream.requests(tarballPath(NAME, "1.0.0"))).toBe(1);
    await upstream.close();
    registry.clock.aheadMs += 10 * 86_400_000;
    expect(await bytesOf(await tarball(one))).toEqual(one.tarball);
  });

  test("that is large goes to who asked first while it arrives, and is whole afterwards", async () => {
    const large = await upstreamVersion(NAME, "3.0.0", {
      tarball: randomBytes(12 * 1024 * 1024),
    });
    servePackage(upstream, NAME, [large]);
    expect(large.tarball.equals(await bytesOf(await tarball(large)))).toBe(true);
    const again = await tarball(large);
    expect(again.headers.get("etag")).toMatch(/^"[0-9a-f]{64}"$/);
    expect(large.tarball.equals(await bytesOf(again))).toBe(true);
    expect(upstream.requests(tarballPath(NAME, "3.0.0"))).toBe(1);
  });

  test("that is large and wrong breaks off before its end, and nothing is kept", async () => {
    const large = await upstreamVersion(NAME, "3.0.0", {
      tarball: randomBytes(12 * 1024 * 1024),
    });
    servePackage(upstream, NAME, [large]);
    upstream.on(tarballPath(NAME, "3.0.0"), wrongBytes(large.tarball));
    const broken = await tarball(large);
    expect(broken.headers.get("content-length")).toBe(String(large.tarball.length));
    await expect(broken.arrayBuffer()).rejects.toThrow();
    upstream.on(tarballPath(NAME, "3.0.0"), answer(large.tarball));
    expect(large.tarball.equals(await bytesOf(await tarball(large)))).toBe(true);
  });

  test.each(WRONG_FILES)("is 502 when the upstream sends %s, and heals", async (_, misbehave) => {
    upstream.on(tarballPath(NAME, "1.0.0"), misbehave(one.tarball));
    const response = await tarball(one);
    expect(response.status).toBe(502);
    const { blobs } = await registry.stores.blobs.list({ limit: 10 });
    expect(blobs).toEqual([]);
    upstream.on(tarballPath(NAME, "1.0.0"), answer(one.tarball));
    expect(await bytesOf(await tarball(one))).toEqual(one.tarball);
  });

  test("of a version that its packument has not is 404, and the upstream is not asked for it", async () => {
    upstream.on(tarballPath(NAME, "7.0.0"), answer("surprise"));
    expect((await get(tarballPath(NAME, "7.0.0"))).status).toBe(404);
    expect(upstream.requests(tarballPath(NAME, "7.0.0"))).toBe(0);
  });

  test("is fetched through redirects without our credentials when they lead elsewhere", async () => {
    await using elsewhere = await startUpstream();
    elsewhere.on("/file", answer(one.tarball));
    await changeUpstream(registry, "mirror", {
      auth: { kind: "bearer" },
      secret: "upstream-secret-token",
    });
    upstream.on(tarballPath(NAME, "1.0.0"), redirect(`${elsewhere.url}/file`));
    expect((await tarball(one)).status).toBe(200);
    expect(upstream.received.at(-1)?.headers.authorization).toBe("Bearer upstream-secret-token");
    expect(elsewhere.received[0]?.headers.authorization).toBeUndefined();
  });
});

describe("a proxy", () => {
  test("that is switched offline serves what it has, and asks for nothing", async () => {
    await packument();
    await bytesOf(await tarball(one));
    await changeUpstream(registry, "mirror", { offline: true });
    registry.clock.aheadMs += 86_400_000;
    const asked = upstream.requests();
    expect((await packument())["dist-tags"]).toEqual({ latest: "1.1.0" });
    expect((await tarball(one)).status).toBe(200);
    expect((await tarball(two)).status).toBe(502);
    expect((await get("/other")).status).toBe(404);
    expect(upstream.requests()).toBe(asked);
  });

  test("asks only for names that its upstream's patterns allow", async () => {
    await changeUpstream(registry, "mirror", { include: ["left-*"], exclude: ["left-pad"] });
    registry.clock.aheadMs += 10_000;
    expect((await get(`/${NAME}`)).status).toBe(404);
    expect(upstream.requests()).toBe(0);
  });

  test("hides versions that are too young, everywhere, and tags fall back", async () => {
    const young = await upstreamVersion(NAME, "1.2.0", {
      publishedAt: new Date(Date.now() - 2 * 86_400_000),
    });
    servePackage(upstream, NAME, [one, two, young]);
    await changeRegistry(registry, "mirror", { minimumAgeDays: 7 });
    const document = await packument();
    expect(Object.keys(document.versions)).toEqual(["1.0.0", "1.1.0"]);
    expect(document.time["1.2.0"]).toBeUndefined();
    expect(document["dist-tags"]).toEqual({ latest: "1.1.0" });
    expect((await tarball(young)).status).toBe(404);
    expect((await get(`/${NAME}/1.2.0`)).status).toBe(404);
    expect((await get(`/${NAME}/latest`)).status).toBe(200);
    registry.clock.aheadMs += 6 * 86_400_000;
    expect((await packument())["dist-tags"]).toEqual({ latest: "1.2.0" });
    expect((await tarball(young)).status).toBe(200);
  });

  test("lets young versions of exempt names through", async () => {
    const young = await upstreamVersion(NAME, "1.2.0", { publishedAt: new Date() });
    servePackage(upstream, NAME, [one, young]);
    await changeRegistry(registry, "mirror", { minimumAgeDays: 7, minimumAgeExempt: ["left-*"] });
    expect((await packument())["dist-tags"]).toEqual({ latest: "1.2.0" });
  });

  test("passes on keys and attestations of its upstream", async () => {
    upstream.on("/-/npm/v1/keys", answer('{"keys":[{"keyid":"SHA256:upstream"}]}'));
    upstream.on(
      `/-/npm/v1/attestations/${NAME}@1.0.0`,
      answer('{"attestations":[{"predicateType":"x","bundle":{}}]}'),
    );
    const { keys } = await json(await get("/-/npm/v1/keys"));
    expect(keys.at(-1)).toEqual({ keyid: "SHA256:upstream" });
    const attested = await get(`/-/npm/v1/attestations/${NAME}@1.0.0`);
    expect((await json(attested)).attestations).toHaveLength(1);
    expect((await get(`/-/npm/v1/attestations/${NAME}@1.1.0`)).status).toBe(404);
  });

  test("refuses what would change it", async () => {
    const put = await registry.request(`/npm/mirror/${NAME}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    expect(put.status).toBe(400);
    expect((await json(put)).error).toContain("proxy");
  });

  test("shows what it knows in the API", async () => {
    await bytesOf(await tarball(one));
    const packages = await registry.request("/api/v1/registries/mirror/packages");
    expect(await json(packages)).toMatchObject({ items: [{ name: NAME }] });
    const versions = await registry.request(`/api/v1/registries/mirror/packages/${NAME}/versions`);
    expect(await json(versions)).toMatchObject({
      items: [{ version: "1.1.0" }, { version: "1.0.0", publishedBy: "mirror" }],
    });
    const tags = await registry.request(`/api/v1/registries/mirror/packages/${NAME}/tags`);
    expect(await json(tags)).toMatchObject({ items: [{ name: "latest", version: "1.1.0" }] });
  });
});
