import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type MisbehavingUpstream, startUpstream } from "../../support/misbehaving-upstream.ts";
import { sha256Of } from "../../support/python-package.ts";
import { changeUpstream, createProxy } from "../../support/upstreams.ts";
import { serveArtifact } from "../maven/upstream-artifacts.ts";
import { filePath, indexedWheel, serveProject } from "../pypi/upstream-pages.ts";
import { serveImage, upstreamImage, upstreamIndex } from "../oci/upstream-images.ts";
import { type Answer, type ApiClient, openApi } from "./client.ts";

let upstream: MisbehavingUpstream;
let api: ApiClient;
beforeEach(async () => {
  upstream = await startUpstream();
  api = await openApi();
});
afterEach(async () => {
  await api.close();
  await upstream.close();
});

const send = (action: "purge" | "prefetch", body: object): Promise<Answer> =>
  api.call("POST", `/registries/mirror/${action}`, { body });
const status = async (path: string): Promise<number> => {
  const response = await api.registry.request(path);
  await response.arrayBuffer();
  return response.status;
};

describe("images", () => {
  const index = upstreamIndex([
    upstreamImage({ layers: ["shared", "one"] }),
    upstreamImage({ layers: ["shared", "two"], architecture: "arm1" }),
  ]);
  /** A manifest and config for each platform, the index, and three layers. */
  const PARTS = 8;

  beforeEach(async () => {
    serveImage(upstream, "team/app", "1.0", index);
    await createProxy(api.registry, { slug: "mirror", ecosystem: "oci", url: upstream.url });
  });

  test("are prefetched with all platforms and layers, each once, and can be pulled offline then", async () => {
    const item = { package: "team/app", version: "1.0" };
    const { body } = await send("prefetch", { items: [item] });
    expect(body).toMatchObject({ items: [{ status: "fetched" }] });
    expect(Object(body).items[0].files).toHaveLength(PARTS);
    await changeUpstream(api.registry, "mirror", { offline: true });
    api.registry.clock.aheadMs += 1000;
    const again = await send("prefetch", { items: [item, { ...item, version: index.digest }] });
    expect(again.body).toMatchObject({ items: [{ status: "cached" }, { status: "cached" }] });
    const missing = await send("prefetch", { items: [{ ...item, version: "2.0" }] });
    expect(missing.body).toMatchObject({ items: [{ status: "missing" }] });
  });

  test("are purged whole, or by digest, and pulled again", async () => {
    await send("prefetch", { items: [{ package: "team/app", version: "1.0" }] });
    expect(await send("purge", { package: "team/app", version: index.digest })).toMatchObject({
      status: 200,
      body: { versions: 1, files: 1 },
    });
    expect(await status("/v2/mirror/team/app/manifests/1.0")).toBe(200);
    expect(await send("purge", { package: "team/app" })).toMatchObject({
      body: { packages: 1, versions: 3, documents: 1 },
    });
    await api.call("POST", "/maintenance/collect-garbage", { body: { graceSeconds: 0 } });
    const before = upstream.received.length;
    const { body } = await send("prefetch", { items: [{ package: "team/app", version: "1.0" }] });
    expect(body).toMatchObject({ items: [{ status: "fetched" }] });
    expect(upstream.received.length - before).toBeGreaterThanOrEqual(PARTS);
  });
});

describe("Maven artifacts", () => {
  const folder = "/maven/mirror/org/example/lib";

  beforeEach(async () => {
    serveArtifact(upstream, "lib", ["1.0", "2.0"]);
    await createProxy(api.registry, { slug: "mirror", ecosystem: "maven", url: upstream.url });
  });

  test("are prefetched by their paths, whether there are other files or not", async () => {
    const item = { package: "org.example:lib", version: "1.0" };
    const { body } = await send("prefetch", {
      items: [
        { ...item, path: "lib-1.0.pom" },
        { ...item, path: "lib-1.0.jar" },
        { ...item, path: "lib-1.0.module" },
        item,
      ],
    });
    const statuses = Object(body).items.map((one: { status: string }) => one.status);
    expect(statuses).toEqual(["fetched", "fetched", "missing", "failed"]);
    expect(Object(body).items[3].detail).toContain("name them one by one");
  });

  test("are purged by version, and everything with their metadata", async () => {
    for (const version of ["1.0", "2.0"]) {
      expect(await status(`${folder}/${version}/lib-${version}.jar`)).toBe(200);
    }
    expect(await status(`${folder}/maven-metadata.xml`)).toBe(200);
    expect(await send("purge", { package: "org.example:lib", version: "1.0" })).toMatchObject({
      body: { versions: 1, files: 1, documents: 0 },
    });
    expect(await status(`${folder}/1.0/lib-1.0.jar`)).toBe(200);
    expect(upstream.requests("/org/example/lib/1.0/lib-1.0.jar")).toBe(2);
    expect(await send("purge", { confirm: "mirror" })).toMatchObject({
      body: { versions: 2, files: 2, remaining: 0 },
    });
    expect(await status(`${folder}/maven-metadata.xml`)).toBe(200);
  });
});

describe("Python files", () => {
  test("are prefetched by their sums or names, and purged by version", async () => {
    const one = indexedWheel("demo-pkg", "1.0", {}, "cp311-none-any");
    const bytes = Buffer.concat([one.bytes, Buffer.from("other")]);
    const keys = { hashes: { sha256: sha256Of(bytes) } };
    const two = { ...indexedWheel("demo-pkg", "1.0", keys, "cp312-none-any"), bytes };
    serveProject(upstream, "demo-pkg", [one, two]);
    const url = `${upstream.url}/simple`;
    await createProxy(api.registry, { slug: "mirror", ecosystem: "pypi", url });
    const item = { package: "Demo.Pkg", version: "1.0" };
    const digests = [`sha256:${sha256Of(one.bytes)}`, `sha256:${"0".repeat(64)}`];
    const byDigest = await send("prefetch", { items: [{ ...item, digests }] });
    expect(Object(byDigest.body).items[0].files).toMatchObject([{ path: one.fileName }]);
    expect(upstream.requests(filePath(two))).toBe(0);
    const byName = await send("prefetch", { items: [{ ...item, path: two.fileName }] });
    expect(byName.body).toMatchObject({
      items: [{ status: "fetched", files: [{ digests: { sha256: sha256Of(two.bytes) } }] }],
    });
    expect(await send("purge", { package: "demo.pkg", version: "1.0" })).toMatchObject({
      body: { versions: 1, files: 2 },
    });
    api.registry.clock.aheadMs += 1000;
    const all = await send("prefetch", { items: [item] });
    expect(all.body).toMatchObject({
      items: [{ status: "fetched", sizeBytes: one.bytes.length + two.bytes.length }],
    });
  });
});
