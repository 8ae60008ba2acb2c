import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  answer,
  type MisbehavingUpstream,
  startUpstream,
} from "../../support/misbehaving-upstream.ts";
import { openTestRegistry, type TestRegistry } from "../../support/services.ts";
import {
  changeRegistry,
  changeUpstream,
  createComposite,
  createProxy,
} from "../../support/upstreams.ts";
import { descriptor, digestOf, INDEX, Repository } from "./builders.ts";
import { manifestAnswer, serveImage, upstreamImage, upstreamIndex } from "./upstream-images.ts";

const DAY_MS = 86_400_000;

let first: MisbehavingUpstream;
let second: MisbehavingUpstream;
let registry: TestRegistry;

beforeEach(async () => {
  first = await startUpstream();
  second = await startUpstream();
  registry = await openTestRegistry();
  await registry.createRegistry({ slug: "own", ecosystem: "oci" });
  const upstream = { documentTtlSeconds: 60, missingTtlSeconds: 30, timeoutMs: 500 };
  await createProxy(registry, { slug: "first", ecosystem: "oci", url: first.url, upstream });
  await createProxy(registry, { slug: "second", ecosystem: "oci", url: second.url, upstream });
  await createComposite(registry, {
    slug: "all",
    ecosystem: "oci",
    upstreams: ["own", "first", "second"],
    publishTo: "own",
  });
});

afterEach(async () => {
  await registry.close();
  await first.close();
  await second.close();
});

const at = (name: string): Repository => new Repository(registry, name);
const serveTags = (upstream: MisbehavingUpstream, name: string, tags: readonly string[]): void =>
  upstream.on(`/v2/${name}/tags/list`, answer(JSON.stringify({ name, tags })));

async function digestAt(repository: Repository, tag: string): Promise<string | number> {
  const response = await repository.send(`manifests/${tag}`);
  await response.body?.cancel();
  return response.headers.get("docker-content-digest") ?? response.status;
}

describe("a composite of OCI registries", () => {
  test("resolves tags in order, and digests wherever they are", async () => {
    const one = upstreamImage({ layers: ["one"] });
    const two = upstreamImage({ layers: ["two"] });
    serveImage(first, "tool", "1", one);
    serveImage(second, "tool", "1", two);
    serveImage(second, "tool", "2", two);
    expect(await digestAt(at("all/tool"), "1")).toBe(one.digest);
    expect(await digestAt(at("all/tool"), "2")).toBe(two.digest);
    for (const { digest, blobs } of [one, two]) {
      expect(await digestAt(at("all/tool"), digest)).toBe(digest);
      for (const blob of blobs.keys())
        expect(await at("all/tool").status(`blobs/${blob}`)).toBe(200);
    }
  });

  test("does not ask proxies for an image that a source has, unless a rule says so", async () => {
    serveImage(first, "tool", "9", upstreamImage());
    const own = await at("own/tool").pushImage("1");
    expect(await digestAt(at("all/tool"), "1")).toBe(own.digest);
    expect(await at("all/tool").status("manifests/9")).toBe(404);
    expect(await at("all/tool").tags()).toEqual(["1"]);
    expect(first.received).toEqual([]);
    const mixed = [{ pattern: "tool", external: "allow" }];
    await changeRegistry(registry, "all", { packageRules: mixed });
    expect(await at("all/tool").status("manifests/9")).toBe(200);
  });

  test("blocks an image of Docker Hub by each of its names", async () => {
    await createProxy(registry, {
      slug: "hub",
      ecosystem: "oci",
      url: first.url,
      upstream: { key: "docker-hub", exclude: ["nginx"] },
      registry: { upstream: "docker-hub", packageRules: [{ pattern: "redis", external: "block" }] },
    });
    for (const name of ["nginx", "redis", "alpine"]) {
      serveImage(first, `library/${name}`, "1", upstreamImage());
    }
    for (const name of ["nginx", "library/nginx", "redis", "library/redis"]) {
      expect(await at(`hub/${name}`).status("manifests/1")).toBe(404);
    }
    expect(first.received).toEqual([]);
    await changeUpstream(registry, "docker-hub", { include: ["library/alpine"], exclude: [] });
    expect(await at("hub/alpine").status("manifests/1")).toBe(200);
  });

  test("says that it cannot tell when an upstream that comes first fails", async () => {
    serveImage(second, "tool", "1", upstreamImage());
    first.on("*", answer("", { status: 500 }));
    expect(await at("all/tool").status("manifests/1")).toBe(502);
  });

  test("finds a digest behind an upstream that fails", async () => {
    const image = upstreamImage();
    serveImage(second, "tool", "1", image);
    first.on("*", answer("", { status: 500 }));
    expect(await at("all/tool").status(`manifests/${image.digest}`)).toBe(200);
    expect(await at("all/tool").status(`manifests/${digestOf("nowhere")}`)).toBe(502);
  });

  test("lists the tags of all, each once, in pages", async () => {
    serveTags(first, "tool", ["b", "a", "c"]);
    second.on("/v2/tool/tags/list", (request, response) => {
      const page = request.url?.includes("last=") === true ? ["e"] : ["c", "d"];
      const link = '</v2/tool/tags/list?n=2&last=d>; rel="next"';
      response.writeHead(200, page.includes("e") ? {} : { link });
      response.end(JSON.stringify({ name: "tool", tags: page }));
    });
    expect(await at("all/tool").tags()).toEqual(["a", "b", "c", "d", "e"]);
    const page = await at("all/tool").send("tags/list?n=2&last=b");
    expect([JSON.parse(await page.text()).tags, page.headers.get("link")]).toEqual([
      ["c", "d"],
      '</v2/all/tool/tags/list?n=2&last=d>; rel="next"',
    ]);
    expect(first.received).toHaveLength(1);
    expect(await at("all/nothing").status("tags/list")).toBe(404);
  });

  test("lists tags that were pulled when the upstream fails and never listed them", async () => {
    serveImage(first, "tool", "1", upstreamImage());
    expect(await at("first/tool").status("manifests/1")).toBe(200);
    first.on("/v2/tool/tags/list", answer("", { status: 500 }));
    const response = await at("first/tool").send("tags/list");
    expect(JSON.parse(await response.text()).tags).toEqual(["1"]);
    expect(response.headers.get("warning")).toContain("110");
    expect(await at("first/other").status("manifests/1")).toBe(404);
  });

  test("gives the referrers of all, those of a registry without the list by their tag", async () => {
    const subject = digestOf("subject");
    const entry = (name: string, artifactType: string) => ({
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      digest: digestOf(name),
      size: 3,
      artifactType,
    });
    const index = (...manifests: readonly object[]): string =>
      JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests });
    first.on(
      `/v2/tool/referrers/${subject}`,
      answer(index(entry("a", "x/sig"), entry("b", "x/sbom"))),
    );
    second.on(
      `/v2/tool/manifests/${subject.replace(":", "-")}`,
      answer(index(entry("b", "x/sbom"), entry("c", "x/sig")), {
        headers: { "content-type": INDEX },
      }),
    );
    const digests = async (query: string): Promise<readonly string[]> => {
      const response = await at("all/tool").send(`referrers/${subject}${query}`);
      const body: { manifests: { digest: string }[] } = JSON.parse(await response.text());
      return body.manifests.map(({ digest }) => digest);
    };
    expect(await digests("")).toEqual(["a", "b", "c"].map((name) => digestOf(name)).sort());
    expect(await digests("?artifactType=x/sbom")).toEqual([digestOf("b")]);
  });

  test("shows in the management API what was pulled, and where it is from", async () => {
    const image = upstreamImage({ layers: ["shown"] });
    serveImage(second, "tool", "1", image);
    expect(await digestAt(at("all/tool"), "1")).toBe(image.digest);
    const path = "/api/v1/registries/all/packages/tool";
    const read = async (rest: string): Promise<string> =>
      (await registry.request(path + rest)).text();
    const version = `/versions/${encodeURIComponent(image.digest)}`;
    expect(JSON.parse(await read(version)).origin).toBe("second");
    expect(JSON.parse(await read("/versions")).items).toHaveLength(1);
    expect(JSON.parse(await read("/tags")).items).toMatchObject([{ name: "1" }]);
    // Its config was not pulled yet.
    const details: { layers: unknown[]; problems: string[] } = JSON.parse(
      await read(`${version}/image`),
    );
    expect([details.layers.length, details.problems.length]).toEqual([1, 1]);
    const catalog = await (await registry.request("/v2/_catalog")).text();
    expect(JSON.parse(catalog).repositories).toEqual(["all/tool", "second/tool"]);
  });

  test("takes pushes to its source, and tells pushers of the blobs there only", async () => {
    const image = upstreamImage();
    serveImage(first, "tool", "1", image);
    const [blob = ""] = image.blobs.keys();
    expect(await at("all/tool").status(`blobs/${blob}`, "HEAD")).toBe(404);
    expect(await at("all/tool").status(`blobs/${blob}`)).toBe(200);
    const pushed = await at("all/tool").pushImage("mine");
    expect(await digestAt(at("own/tool"), "mine")).toBe(pushed.digest);
    expect(await digestAt(at("all/tool"), "mine")).toBe(pushed.digest);
  });
});

describe("a minimum age", () => {
  const daysAgo = (days: number): string => new Date(Date.now() - days * DAY_MS).toISOString();
  beforeEach(async () => {
    await changeRegistry(registry, "first", { minimumAgeDays: 7, minimumAgeExempt: ["fast/*"] });
  });

  test("hides what was made too recently, by tag and by digest, and its blobs", async () => {
    const young = upstreamImage({ created: daysAgo(2), layers: ["young"] });
    const old = upstreamImage({ created: daysAgo(30), layers: ["old"] });
    serveImage(first, "tool", "young", young);
    serveImage(first, "tool", "old", old);
    serveImage(first, "fast/tool", "young", young);
    expect(await at("first/tool").status("manifests/young")).toBe(404);
    expect(await at("first/tool").status(`manifests/${young.digest}`)).toBe(404);
    for (const blob of young.blobs.keys()) {
      expect(await at("first/tool").status(`blobs/${blob}`)).toBe(404);
    }
    expect(await digestAt(at("first/tool"), "old")).toBe(old.digest);
    for (const blob of old.blobs.keys()) {
      expect(await at("first/tool").status(`blobs/${blob}`)).toBe(200);
    }
    expect(await digestAt(at("first/fast/tool"), "young")).toBe(young.digest);
    registry.clock.aheadMs += 6 * DAY_MS;
    expect(await digestAt(at("first/tool"), "young")).toBe(young.digest);
  });

  test("keeps a tag where it was until what it moved to is old enough, whatever that says of itself", async () => {
    const before = upstreamImage({ layers: ["before"] });
    const backdated = upstreamImage({ layers: ["after"], created: daysAgo(400) });
    serveImage(first, "tool", "latest", before);
    expect(await digestAt(at("first/tool"), "latest")).toBe(before.digest);
    first.on("/v2/tool/manifests/latest", manifestAnswer(backdated));
    serveImage(first, "tool", "latest", backdated);
    registry.clock.aheadMs += 61_000;
    expect(await digestAt(at("first/tool"), "latest")).toBe(before.digest);
    registry.clock.aheadMs += 8 * DAY_MS;
    expect(await digestAt(at("first/tool"), "latest")).toBe(backdated.digest);
  });

  test("counts from when it was first seen what has no date of its own", async () => {
    const undated = upstreamImage({ created: "1970-01-01T00:00:00Z" });
    serveImage(first, "tool", "1", undated);
    expect(await at("first/tool").status("manifests/1")).toBe(404);
    registry.clock.aheadMs += 8 * DAY_MS;
    expect(await digestAt(at("first/tool"), "1")).toBe(undated.digest);
  });

  test("takes the age of an index from its images, and lets signatures pass", async () => {
    const index = upstreamIndex([upstreamImage({ created: daysAgo(30) })]);
    serveImage(first, "tool", "multi", index);
    expect(await digestAt(at("first/tool"), "multi")).toBe(index.digest);
    const young = upstreamIndex([upstreamImage({ created: daysAgo(1) })]);
    serveImage(first, "tool", "young", young);
    expect(await at("first/tool").status("manifests/young")).toBe(404);
    const about = descriptor({ ...young, bytes: young.manifest });
    const signature = upstreamImage({ created: daysAgo(0), more: { subject: about } });
    serveImage(first, "tool", "signature", signature);
    expect(await digestAt(at("first/tool"), "signature")).toBe(signature.digest);
  });

  test("falls on every registry behind a composite", async () => {
    await changeRegistry(registry, "all", { minimumAgeDays: 7 });
    serveImage(second, "tool", "1", upstreamImage({ created: daysAgo(2) }));
    expect(await at("all/tool").status("manifests/1")).toBe(404);
    expect(await at("second/tool").status("manifests/1")).toBe(200);
  });
});
