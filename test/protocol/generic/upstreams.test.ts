import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  answer,
  type MisbehavingUpstream,
  startUpstream,
  wrongBytes,
} from "../../support/misbehaving-upstream.ts";
import { openTestRegistry, type TestRegistry } from "../../support/services.ts";
import { createComposite, createProxy } from "../../support/upstreams.ts";

let upstream: MisbehavingUpstream;
let registry: TestRegistry;

beforeEach(async () => {
  upstream = await startUpstream();
  registry = await openTestRegistry();
  await registry.createRegistry({ slug: "own", ecosystem: "generic" });
  await registry.createRegistry({ slug: "more", ecosystem: "generic" });
  await createProxy(registry, {
    slug: "mirror",
    ecosystem: "generic",
    url: `${upstream.url}/files`,
    upstream: { documentTtlSeconds: 60, timeoutMs: 500 },
  });
  await createComposite(registry, {
    slug: "all",
    ecosystem: "generic",
    upstreams: ["own", "more", "mirror"],
  });
});

afterEach(async () => {
  await registry.close();
  await upstream.close();
});

const get = (path: string): Promise<Response> => registry.request(`/generic/${path}`);
const put = (path: string, body: string): Promise<Response> =>
  registry.request(`/generic/${path}`, { method: "PUT", body });

async function textAt(path: string): Promise<string | number> {
  const response = await get(path);
  const text = await response.text();
  return response.status === 200 ? text : response.status;
}

async function namesAt(path: string, list: string, name: string): Promise<readonly unknown[]> {
  const body: Record<string, Record<string, unknown>[]> = JSON.parse(
    await (await get(`${path}?format=json`)).text(),
  );
  return (body[list] ?? []).map((one) => one[name]);
}

describe("a proxy of a file server", () => {
  test("fetches a file once, by its own path, and keeps it", async () => {
    upstream.on("/files/tool/1.0/dist/a%20b.tar.gz", answer("bytes"));
    for (let times = 0; times < 2; times++) {
      expect(await textAt("mirror/tool/1.0/dist/a%20b.tar.gz")).toBe("bytes");
    }
    expect(upstream.received).toHaveLength(1);
    await upstream.close();
    expect(await textAt("mirror/tool/1.0/dist/a%20b.tar.gz")).toBe("bytes");
    expect(await textAt("mirror/tool/1.0/other")).toBe(502);
    expect(await namesAt("mirror/tool/1.0/", "files", "path")).toEqual(["dist/a b.tar.gz"]);
  });

  test("fetches once for twenty clients", async () => {
    upstream.on("/files/tool/1.0/a", answer("bytes"));
    const texts = await Promise.all(Array.from({ length: 20 }, () => textAt("mirror/tool/1.0/a")));
    expect([new Set(texts).size, upstream.requests("/files/tool/1.0/a")]).toEqual([1, 1]);
  });

  test("verifies the checksums that the server gives, and passes over what it cannot read", async () => {
    const sha256 = createHash("sha256").update("bytes").digest("hex");
    const headers = { "x-checksum-sha256": sha256 };
    upstream.on("/files/tool/1.0/a", wrongBytes("bytes", headers));
    expect(await textAt("mirror/tool/1.0/a")).toBe(502);
    upstream.on("/files/tool/1.0/a", answer("bytes", { headers }));
    expect(await textAt("mirror/tool/1.0/a")).toBe("bytes");
    upstream.on("/files/tool/1.0/b", answer("bytes", { headers: { digest: "nonsense" } }));
    expect(await textAt("mirror/tool/1.0/b")).toBe("bytes");
  });

  test("says what latest is when the server does, and otherwise that it cannot tell", async () => {
    upstream.on("/files/tool/2.0/a", answer("two"));
    upstream.on("/files/tool/", answer(JSON.stringify({ latestVersion: "2.0" })));
    expect(await textAt("mirror/tool/latest/a")).toBe("two");
    upstream.on("/files/other/", answer("<html>Index of /other</html>"));
    const response = await get("mirror/other/latest/a");
    expect([response.status, await response.text()]).toEqual([
      502,
      expect.stringContaining("cannot be used"),
    ]);
    expect(await textAt("mirror/nothing/latest/a")).toBe(404);
  });

  test("takes no uploads", async () => {
    const response = await put("mirror/tool/1.0/a", "x");
    expect([response.status, await response.text()]).toEqual([
      400,
      expect.stringContaining("is a proxy"),
    ]);
  });
});

describe("a composite of generic registries", () => {
  test("has the versions of all, each of the first registry that has it", async () => {
    await put("own/tool/1.0/a", "own 1.0");
    await put("more/tool/1.0/a", "more 1.0");
    await put("more/tool/1.1/a", "more 1.1");
    expect(await textAt("all/tool/1.0/a")).toBe("own 1.0");
    expect(await textAt("all/tool/1.1/a")).toBe("more 1.1");
    expect(await textAt("all/tool/latest/a")).toBe("more 1.1");
    expect(new Set(await namesAt("all/tool/", "versions", "version"))).toEqual(
      new Set(["1.0", "1.1"]),
    );
    expect(await namesAt("all/tool/1.1/", "files", "path")).toEqual(["a"]);
    expect(await namesAt("all/", "packages", "name")).toEqual(["tool"]);
    const [pkg]: { latestVersion: string; versionCount: number }[] = [
      JSON.parse(await (await registry.request("/api/v1/registries/all/packages/tool")).text()),
    ];
    expect([pkg?.latestVersion, pkg?.versionCount]).toEqual(["1.1", 2]);
  });

  test("asks no proxy for a name that a source has", async () => {
    upstream.on("/files/tool/9.0/a", answer("outside"));
    upstream.on("/files/free/9.0/a", answer("outside"));
    await put("own/tool/1.0/a", "inside");
    expect(await textAt("all/tool/9.0/a")).toBe(404);
    expect(await textAt("all/free/9.0/a")).toBe("outside");
  });
});
