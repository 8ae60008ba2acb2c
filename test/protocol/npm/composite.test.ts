import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  answer,
  type MisbehavingUpstream,
  startUpstream,
} from "../../support/misbehaving-upstream.ts";
import { buildTarball, packagePath, publishBody } from "../../support/npm-package.ts";
import { openTestRegistry, type TestRegistry } from "../../support/services.ts";
import { changeRegistry, createComposite, createProxy } from "../../support/upstreams.ts";
import type { Json } from "./npm-registry.ts";
import { servePackage, tarballPath, upstreamVersion } from "./upstream-packages.ts";

let upstream: MisbehavingUpstream;
let registry: TestRegistry;

beforeEach(async () => {
  upstream = await startUpstream();
  registry = await openTestRegistry();
  for (const slug of ["team", "shared"]) await registry.createRegistry({ slug, ecosystem: "npm" });
  await createProxy(registry, { slug: "mirror", ecosystem: "npm", url: upstream.url });
  await createComposite(registry, {
    slug: "all",
    ecosystem: "npm",
    upstreams: ["team", "shared", "mirror"],
    publishTo: "team",
  });
});

afterEach(async () => {
  await registry.close();
  await upstream.close();
});

async function publish(
  slug: string,
  name: string,
  version: string,
  text = slug,
): Promise<Response> {
  const options = { name, version, files: { "index.js": text } };
  return registry.request(packagePath(slug, name), {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(publishBody(options, await buildTarball(options))),
  });
}

const json = async (response: Response): Promise<Json> => JSON.parse(await response.text());

const get = (path: string, slug = "all", token?: string): Promise<Response> =>
  registry.request(`/npm/${slug}${path}`, {
    headers: { accept: "application/json" },
    ...(token === undefined ? {} : { token }),
  });

const versionsOf = async (name: string, slug = "all"): Promise<readonly string[]> =>
  Object.keys((await json(await get(`/${name}`, slug))).versions ?? {});

const api = async (path: string): Promise<Json> =>
  json(await registry.request(`/api/v1/registries/all${path}`));

async function tokenOf(scopes: readonly string[], registries: readonly string[]): Promise<string> {
  const response = await registry.request("/api/v1/tokens", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ description: "test", scopes, registries }),
  });
  return (await json(response)).token;
}

describe("a composite's packument", () => {
  test("has the versions of all sources, the first that has one winning", async () => {
    await publish("shared", "util", "1.0.0", "shared");
    await publish("shared", "util", "1.1.0", "shared");
    await publish("team", "util", "1.0.0", "team");
    const document = await json(await get("/util"));
    expect(Object.keys(document.versions).sort()).toEqual(["1.0.0", "1.1.0"]);
    expect(document.versions["1.0.0"].dist.tarball).toBe(
      "http://registry.test/npm/all/util/-/util-1.0.0.tgz",
    );
    const own = await json(await get("/util", "team"));
    expect(document.versions["1.0.0"].dist.integrity).toBe(own.versions["1.0.0"].dist.integrity);
    expect((await api("/packages/util/versions")).items).toMatchObject([
      { version: "1.0.0", origin: "team" },
      { version: "1.1.0", origin: "shared" },
    ]);
  });

  test("follows publishes, deprecations and deletions at once", async () => {
    await publish("team", "util", "1.0.0");
    expect(await versionsOf("util")).toEqual(["1.0.0"]);
    await publish("team", "util", "1.1.0");
    expect(await versionsOf("util")).toEqual(["1.0.0", "1.1.0"]);
    const version = "/api/v1/registries/team/packages/util/versions/1.1.0";
    await registry.request(version, { method: "DELETE" });
    expect(await versionsOf("util")).toEqual(["1.0.0"]);
    expect((await get("/util/-/util-1.1.0.tgz")).status).toBe(404);
  });

  test("answers 304 while nothing behind it changes", async () => {
    await publish("team", "util", "1.0.0");
    const etag = (await get("/util")).headers.get("etag") ?? "";
    const headers = { accept: "application/json", "if-none-match": etag };
    expect((await registry.request("/npm/all/util", { headers })).status).toBe(304);
    await publish("shared", "other", "1.0.0");
    expect((await registry.request("/npm/all/util", { headers })).status).toBe(304);
    await publish("shared", "util", "2.0.0");
    expect((await registry.request("/npm/all/util", { headers })).status).toBe(200);
  });

  test("is 502 when a proxy that would be asked does not answer, rather than short", async () => {
    upstream.on("/other", answer("", { status: 500 }));
    expect((await get("/other")).status).toBe(502);
  });
});

describe("who owns a name", () => {
  beforeEach(async () => {
    servePackage(upstream, "util", [await upstreamVersion("util", "99.0.0")]);
    servePackage(upstream, "public", [await upstreamVersion("public", "1.0.0")]);
  });

  test("a name that a source has is never asked for outside", async () => {
    await publish("shared", "util", "1.0.0");
    expect(await versionsOf("util")).toEqual(["1.0.0"]);
    expect((await get(tarballPath("util", "99.0.0"))).status).toBe(404);
    expect(upstream.requests()).toBe(0);
    expect(await versionsOf("public")).toEqual(["1.0.0"]);
  });

  test("becomes the source's with its first publish, whatever was proxied before", async () => {
    expect(await versionsOf("util")).toEqual(["99.0.0"]);
    expect((await get(tarballPath("util", "99.0.0"))).status).toBe(200);
    await publish("team", "util", "1.0.0");
    expect(await versionsOf("util")).toEqual(["1.0.0"]);
    expect((await get(tarballPath("util", "99.0.0"))).status).toBe(404);
  });

  test("stays the source's when its package was deleted, while it can be restored", async () => {
    await publish("team", "util", "1.0.0");
    const response = await registry.request("/api/v1/registries/team/packages/util?confirm=util", {
      method: "DELETE",
    });
    expect(response.ok).toBe(true);
    expect((await get("/util")).status).toBe(404);
    expect(upstream.requests()).toBe(0);
  });

  test("is mixed where a rule allows it, the first upstream's versions and tags winning", async () => {
    await changeRegistry(registry, "all", {
      packageRules: [{ pattern: "util", external: "allow" }],
    });
    await publish("team", "util", "1.0.0");
    const document = await json(await get("/util"));
    expect(Object.keys(document.versions)).toEqual(["1.0.0", "99.0.0"]);
    expect(document["dist-tags"]).toEqual({ latest: "1.0.0" });
  });

  test("is reserved by a rule before anybody has published it", async () => {
    await changeRegistry(registry, "all", {
      packageRules: [{ pattern: "ut*", external: "block" }],
    });
    expect((await get("/util")).status).toBe(404);
    expect((await get(tarballPath("util", "99.0.0"))).status).toBe(404);
    expect(upstream.requests()).toBe(0);
  });

  test("internal versions can be blocked by a rule, and publishing too", async () => {
    await publish("team", "util", "1.0.0");
    await changeRegistry(registry, "all", {
      packageRules: [{ pattern: "util", internal: "block", publish: "block" }],
    });
    expect((await get("/util")).status).toBe(404);
    expect((await publish("all", "util", "1.1.0")).status).toBe(403);
  });
});

describe("rights", () => {
  test("whoever may read the composite gets what is behind it, and nothing else does", async () => {
    await publish("team", "util", "1.0.0");
    const token = await tokenOf(["packages:read"], ["all"]);
    expect((await get("/util", "all", token)).status).toBe(200);
    expect((await get("/util/-/util-1.0.0.tgz", "all", token)).status).toBe(200);
    expect((await get("/util", "team", token)).status).toBe(404);
  });

  test("publishing through it needs the right on the target as well", async () => {
    const narrow = await tokenOf(["packages:read", "packages:write"], ["all"]);
    const options = { name: "util", version: "1.0.0" };
    const body = JSON.stringify(publishBody(options, await buildTarball(options)));
    const headers = { "content-type": "application/json" };
    const put = (token: string): Promise<Response> =>
      registry.request("/npm/all/util", { method: "PUT", headers, body, token });
    expect((await put(narrow)).status).toBeGreaterThanOrEqual(403);
    const wide = await tokenOf(["packages:read", "packages:write"], ["all", "team"]);
    expect((await put(wide)).status).toBe(201);
    expect(await versionsOf("util", "team")).toEqual(["1.0.0"]);
    expect(await versionsOf("util")).toEqual(["1.0.0"]);
  });
});

describe("the shape of a composite", () => {
  test("a change of order, an addition and a removal take effect", async () => {
    await publish("team", "util", "1.0.0", "team");
    await publish("shared", "util", "1.0.0", "shared");
    const integrity = async (slug: string): Promise<string> =>
      (await json(await get("/util", slug))).versions["1.0.0"].dist.integrity;
    expect(await integrity("all")).toBe(await integrity("team"));
    await changeRegistry(registry, "all", { upstreams: ["shared", "team"] });
    expect(await integrity("all")).toBe(await integrity("shared"));
    await changeRegistry(registry, "all", { upstreams: ["team"] });
    expect(await integrity("all")).toBe(await integrity("team"));
  });

  test("composites hold composites, and each one's rules count", async () => {
    await createComposite(registry, { slug: "outer", ecosystem: "npm", upstreams: ["all"] });
    await publish("team", "util", "1.0.0");
    await publish("team", "secret", "1.0.0");
    await changeRegistry(registry, "all", {
      packageRules: [{ pattern: "secret", internal: "block" }],
    });
    expect(await versionsOf("util", "outer")).toEqual(["1.0.0"]);
    expect((await get("/secret", "outer")).status).toBe(404);
  });

  test("young versions are hidden through it, and seen by themselves when they are old enough", async () => {
    await publish("team", "util", "1.0.0");
    registry.clock.aheadMs += 10 * 86_400_000;
    await publish("team", "util", "1.1.0");
    await changeRegistry(registry, "all", { minimumAgeDays: 7 });
    expect(await versionsOf("util")).toEqual(["1.0.0"]);
    expect((await json(await get("/util")))["dist-tags"]).toEqual({ latest: "1.0.0" });
    expect((await get("/util/-/util-1.1.0.tgz")).status).toBe(404);
    expect(await versionsOf("util", "team")).toEqual(["1.0.0", "1.1.0"]);
    registry.clock.aheadMs += 8 * 86_400_000;
    expect(await versionsOf("util")).toEqual(["1.0.0", "1.1.0"]);
  });

  test("lists and finds the packages of all that are behind it, each once, in pages", async () => {
    for (const name of ["a1", "c3", "e5"]) await publish("team", name, "1.0.0");
    for (const name of ["b2", "c3", "d4"]) await publish("shared", name, "1.0.0");
    const names: string[] = [];
    let cursor = "";
    do {
      const page = await api(`/packages?limit=2${cursor}`);
      names.push(...page.items.map(({ name }: { name: string }) => name));
      cursor = page.nextCursor === undefined ? "" : `&cursor=${page.nextCursor}`;
    } while (cursor !== "");
    expect(names).toEqual(["a1", "b2", "c3", "d4", "e5"]);
    expect((await api("/packages?search=c3")).items).toHaveLength(1);
    const found = await json(await get("/-/v1/search?text=d4"));
    expect(found.objects).toHaveLength(1);
  });

  test("finds what upstreams have as well, behind its own, and never under a name that is owned", async () => {
    await publish("team", "util", "1.0.0");
    const finds = ["util", "utility", "util"].map((name) => ({
      package: { name, version: "9.0.0" },
    }));
    upstream.on("/-/v1/search", answer(JSON.stringify({ objects: finds, total: 3 })));
    const found = await json(await get("/-/v1/search?text=util"));
    const names = found.objects.map(({ package: { name, version } }: Json) => `${name}@${version}`);
    expect(names).toEqual(["util@1.0.0", "utility@9.0.0"]);
    upstream.on("/-/v1/search", answer("", { status: 500 }));
    expect((await json(await get("/-/v1/search?text=util"))).objects).toHaveLength(1);
  });
});
