import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  answer,
  hangUp,
  half,
  type MisbehavingUpstream,
  redirect,
  startUpstream,
  wrongBytes,
} from "../../support/misbehaving-upstream.ts";
import { openTestRegistry, type TestRegistry } from "../../support/services.ts";
import { changeUpstream, createProxy } from "../../support/upstreams.ts";
import { digestOf, errorOf, Repository } from "./builders.ts";
import {
  manifestAnswer,
  serveImage,
  serveTokens,
  type UpstreamImage,
  upstreamImage,
  upstreamIndex,
} from "./upstream-images.ts";

const MIB = 1024 * 1024;

let upstream: MisbehavingUpstream;
let registry: TestRegistry;
let app: Repository;
let image: UpstreamImage;

beforeEach(async () => {
  upstream = await startUpstream();
  registry = await openTestRegistry();
  app = new Repository(registry, "mirror/team/app");
  image = upstreamImage();
  serveImage(upstream, "team/app", "1.0", image);
  await createProxy(registry, {
    slug: "mirror",
    ecosystem: "oci",
    url: upstream.url,
    upstream: { documentTtlSeconds: 60, missingTtlSeconds: 30, timeoutMs: 500 },
  });
});

afterEach(async () => {
  await registry.close();
  await upstream.close();
});

/** Pulls as clients do; gives the status of the first that is no success, or 200. */
async function pull(repository: Repository, reference: string): Promise<number> {
  const response = await repository.send(`manifests/${reference}`);
  if (response.status !== 200) return response.status;
  const bytes = Buffer.from(await response.arrayBuffer());
  expect(digestOf(bytes)).toBe(response.headers.get("docker-content-digest"));
  const manifest: { config: { digest: string }; layers: { digest: string }[] } = JSON.parse(
    bytes.toString(),
  );
  for (const { digest } of [manifest.config, ...manifest.layers]) {
    const blob = await repository.send(`blobs/${digest}`);
    if (blob.status !== 200) return blob.status;
    expect(digestOf(Buffer.from(await blob.arrayBuffer()))).toBe(digest);
  }
  return 200;
}

describe("a proxy of an OCI registry", () => {
  test("gives manifests and blobs as the upstream has them, and asks once", async () => {
    for (let times = 0; times < 3; times++) expect(await pull(app, "1.0")).toBe(200);
    const response = await app.send("manifests/1.0");
    expect(response.headers.get("content-type")).toBe(image.mediaType);
    expect(response.headers.get("docker-content-digest")).toBe(image.digest);
    expect(await response.text()).toBe(Buffer.from(image.manifest).toString());
    expect(upstream.requests("/v2/team/app/manifests/1.0")).toBe(1);
    expect(upstream.received).toHaveLength(1 + image.blobs.size);
  });

  test("fetches a layer once for twenty clients that want it at the same time", async () => {
    const layer = new Uint8Array(randomBytes(6 * MIB));
    const large = upstreamImage({ layers: [layer] });
    serveImage(upstream, "team/large", "1", large);
    const repository = new Repository(registry, "mirror/team/large");
    const pulls = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const response = await repository.send(`blobs/${digestOf(layer)}`);
        return digestOf(Buffer.from(await response.arrayBuffer()));
      }),
    );
    expect(new Set(pulls)).toEqual(new Set([digestOf(layer)]));
    expect(upstream.requests(`/v2/team/large/blobs/${digestOf(layer)}`)).toBe(1);
  });

  test("fetches what two images share once, and asks whether the second has it too", async () => {
    const [shared = ""] = [...image.blobs.keys()].slice(-1);
    expect(await app.status(`blobs/${shared}`)).toBe(200);
    serveImage(upstream, "team/other", "1", image);
    const other = new Repository(registry, "mirror/team/other");
    expect(await other.status(`blobs/${shared}`)).toBe(200);
    const asked = upstream.received.filter(({ path }) => path.endsWith(shared));
    expect(asked.map(({ method }) => method)).toEqual(["GET", "HEAD"]);
    const stranger = new Repository(registry, "mirror/team/stranger");
    expect(await stranger.status(`blobs/${shared}`)).toBe(404);
  });

  test("answers HEAD of a blob without fetching it", async () => {
    const [digest = "", bytes] = [...image.blobs].at(-1) ?? [];
    const response = await app.send(`blobs/${digest}`, { method: "HEAD" });
    expect(response.headers.get("content-length")).toBe(String(bytes?.length));
    expect(upstream.received.map(({ method }) => method)).toEqual(["HEAD"]);
    const owners = await registry.services.blobLinks.listOwners(digest.slice(7), 10);
    expect(owners).toEqual([]);
  });

  test("serves the manifests of an index, which clients ask for by digest", async () => {
    const index = upstreamIndex([image, upstreamImage({ architecture: "arm64" })]);
    serveImage(upstream, "team/multi", "latest", index);
    const repository = new Repository(registry, "mirror/team/multi");
    expect(await repository.status("manifests/latest")).toBe(200);
    for (const child of index.images) expect(await pull(repository, child.digest)).toBe(200);
    expect(await repository.status(`manifests/${index.digest}`)).toBe(200);
    expect(upstream.requests(`/v2/team/multi/manifests/${index.digest}`)).toBe(0);
  });

  test("revalidates a tag by HEAD, and fetches the manifest only when it moved", async () => {
    expect(await pull(app, "1.0")).toBe(200);
    registry.clock.aheadMs += 61_000;
    expect(await pull(app, "1.0")).toBe(200);
    const asked = (): string[] =>
      upstream.received.filter(({ path }) => path.endsWith("/1.0")).map(({ method }) => method);
    expect(asked()).toEqual(["GET", "HEAD"]);
    const next = upstreamImage({ layers: ["another"] });
    serveImage(upstream, "team/app", "1.0", next);
    registry.clock.aheadMs += 61_000;
    const response = await app.send("manifests/1.0");
    expect(response.headers.get("docker-content-digest")).toBe(next.digest);
    expect(asked()).toEqual(["GET", "HEAD", "HEAD", "GET"]);
    // What it pointed at stays.
    expect(await pull(app, image.digest)).toBe(200);
  });

  test("revalidates at upstreams that do not answer HEAD, or do not say the digest", async () => {
    upstream.on("/v2/team/app/manifests/1.0", (request, response) =>
      request.method === "HEAD"
        ? void response.writeHead(405).end()
        : answer(image.manifest, { headers: { "content-type": image.mediaType } })(
            request,
            response,
          ),
    );
    for (let times = 0; times < 2; times++) {
      expect(await pull(app, "1.0")).toBe(200);
      registry.clock.aheadMs += 61_000;
    }
  });

  test("serves what it has while the upstream fails, with a warning, and heals", async () => {
    expect(await pull(app, "1.0")).toBe(200);
    registry.clock.aheadMs += 61_000;
    upstream.on("/v2/team/app/manifests/1.0", answer("", { status: 503 }));
    const response = await app.send("manifests/1.0");
    expect(response.status).toBe(200);
    expect(response.headers.get("warning")).toContain("110");
    expect(await pull(app, "1.0")).toBe(200);
    serveImage(upstream, "team/app", "1.0", image);
    registry.clock.aheadMs += 10_000;
    expect((await app.send("manifests/1.0")).headers.get("warning")).toBeNull();
  });

  test("serves what it has when the upstream is gone or switched offline", async () => {
    expect(await pull(app, "1.0")).toBe(200);
    registry.clock.aheadMs += 3_600_000;
    await changeUpstream(registry, "mirror", { offline: true });
    const before = upstream.received.length;
    expect(await pull(app, "1.0")).toBe(200);
    expect(await app.status("manifests/2.0")).toBe(404);
    expect(upstream.received).toHaveLength(before);
    await changeUpstream(registry, "mirror", { offline: false });
    await upstream.close();
    expect(await pull(app, "1.0")).toBe(200);
    expect(await app.status("manifests/2.0")).toBe(502);
  });

  test("forgets for a while what is missing, and finds it when it comes", async () => {
    for (let times = 0; times < 3; times++) expect(await app.status("manifests/2.0")).toBe(404);
    expect(upstream.requests("/v2/team/app/manifests/2.0")).toBe(1);
    serveImage(upstream, "team/app", "2.0", image);
    registry.clock.aheadMs += 31_000;
    expect(await pull(app, "2.0")).toBe(200);
  });

  test("no longer serves a tag that was removed, nor lists it", async () => {
    expect(await pull(app, "1.0")).toBe(200);
    upstream.on("/v2/team/app/manifests/1.0", answer("", { status: 404 }));
    registry.clock.aheadMs += 61_000;
    expect(await app.status("manifests/1.0")).toBe(404);
    const tags = await registry.request("/api/v1/registries/mirror/packages/team%2Fapp/tags");
    expect(JSON.stringify(await tags.json())).not.toContain("1.0");
  });

  test("follows a redirect of a blob without sending the token along", async () => {
    const tokens = serveTokens(upstream);
    await using storage = await startUpstream();
    const [digest = "", bytes = new Uint8Array()] = [...image.blobs].at(-1) ?? [];
    storage.on("/stored", answer(bytes));
    const elsewhere = redirect(`${storage.url}/stored?signature=x`, 307);
    upstream.on(`/v2/team/app/blobs/${digest}`, tokens.guard(elsewhere));
    expect(await app.status(`blobs/${digest}`)).toBe(200);
    expect(storage.received[0]?.headers.authorization).toBeUndefined();
  });

  test.each([
    ["wrong bytes", (bytes: Uint8Array) => wrongBytes(bytes)],
    ["half of them", (bytes: Uint8Array) => half(bytes, "truncate")],
    ["no answer", () => hangUp],
    ["a failure", () => answer("", { status: 500 })],
  ])("keeps nothing of a blob or manifest that came with %s, and heals", async (_, misbehave) => {
    const [digest = "", bytes = new Uint8Array()] = [...image.blobs].at(-1) ?? [];
    upstream.on(`/v2/team/app/blobs/${digest}`, misbehave(bytes));
    upstream.on(`/v2/team/app/manifests/1.0`, misbehave(image.manifest));
    upstream.on(`/v2/team/app/manifests/${image.digest}`, misbehave(image.manifest));
    for (const path of [`blobs/${digest}`, `manifests/${image.digest}`]) {
      const response = await app.send(path);
      expect(response.status).toBe(502);
      expect((await errorOf(response)).message).toContain("mirror");
    }
    serveImage(upstream, "team/app", "1.0", image);
    expect(await pull(app, "1.0")).toBe(200);
  });

  test("refuses a manifest whose bytes are not what its digest says", async () => {
    const lie = { "content-type": image.mediaType, "docker-content-digest": digestOf("other") };
    upstream.on("/v2/team/app/manifests/1.0", answer(image.manifest, { headers: lie }));
    expect(await app.status("manifests/1.0")).toBe(502);
    upstream.on("/v2/team/app/manifests/1.0", manifestAnswer(image));
    expect(await pull(app, "1.0")).toBe(200);
  });

  test("breaks off a large layer whose bytes turn out wrong, and does not keep it", async () => {
    const layer = new Uint8Array(randomBytes(6 * MIB));
    const other = new Uint8Array(randomBytes(6 * MIB));
    upstream.on(`/v2/team/app/blobs/${digestOf(layer)}`, answer(other));
    const response = await app.send(`blobs/${digestOf(layer)}`);
    await expect(response.arrayBuffer()).rejects.toThrow();
    upstream.on(`/v2/team/app/blobs/${digestOf(layer)}`, answer(layer));
    const healed = await app.send(`blobs/${digestOf(layer)}`);
    expect(digestOf(Buffer.from(await healed.arrayBuffer()))).toBe(digestOf(layer));
  });

  test("takes no push and no deletion", async () => {
    const push = await app.send("blobs/uploads/", { method: "POST" });
    expect(push.status).toBe(405);
    expect((await errorOf(push)).message).toContain("proxy");
    expect(await app.status(`manifests/${image.digest}`, "DELETE")).toBe(405);
    expect((await app.putManifest("2.0", image.manifest)).status).toBe(405);
  });

  test("shows what was pulled in the management API", async () => {
    expect(await pull(app, "1.0")).toBe(200);
    const at = "/api/v1/registries/mirror/packages/team%2Fapp";
    const version = await registry.request(`${at}/versions/${encodeURIComponent(image.digest)}`);
    expect(version.status).toBe(200);
    const details = await registry.request(
      `${at}/versions/${encodeURIComponent(image.digest)}/image`,
    );
    expect(details.status).toBe(200);
    const { platforms, tags }: { platforms: { os: string }[]; tags: string[] } = JSON.parse(
      await details.text(),
    );
    expect([platforms[0]?.os, tags]).toEqual(["linux", ["1.0"]]);
    expect((await registry.request("/api/v1/registries/mirror/packages")).status).toBe(200);
  });
});

describe("a proxy of Docker Hub", () => {
  let official: Repository;
  beforeEach(async () => {
    official = new Repository(registry, "hub/alpine");
    await createProxy(registry, {
      slug: "hub",
      ecosystem: "oci",
      url: upstream.url,
      upstream: { key: "docker-hub", documentTtlSeconds: 60 },
      registry: { upstream: "docker-hub" },
    });
  });

  test("calls images of one component library/, and keeps one copy of both names", async () => {
    serveImage(upstream, "library/alpine", "3", image);
    expect(await pull(official, "3")).toBe(200);
    expect(await pull(new Repository(registry, "hub/library/alpine"), "3")).toBe(200);
    expect(upstream.requests("/v2/library/alpine/manifests/3")).toBe(1);
  });

  test("fetches a token for each repository, and another when its time is over", async () => {
    const tokens = serveTokens(upstream, { seconds: 100 });
    serveImage(upstream, "library/alpine", "3", image, tokens.guard);
    expect(await pull(official, "3")).toBe(200);
    expect(tokens.asked).toEqual([{ scope: "repository:library/alpine:pull", authorization: "" }]);
    registry.clock.aheadMs += 101_000;
    expect(await official.status("manifests/3")).toBe(200);
    expect(tokens.asked).toHaveLength(2);
    const refused = upstream.received.filter(
      ({ path, headers }) => !path.startsWith("/token") && headers.authorization === undefined,
    );
    expect(refused).toHaveLength(1);
  });

  test("fetches another token when the one it has is refused", async () => {
    const tokens = serveTokens(upstream);
    serveImage(upstream, "library/alpine", "3", image, tokens.guard);
    expect(await official.status("manifests/3")).toBe(200);
    tokens.revoke();
    expect(await pull(official, "3")).toBe(200);
    expect(tokens.asked).toHaveLength(2);
  });

  test("fetches one token for many requests at once", async () => {
    const tokens = serveTokens(upstream);
    serveImage(upstream, "library/alpine", "3", image, tokens.guard);
    await Promise.all([...image.blobs.keys()].map((digest) => official.status(`blobs/${digest}`)));
    expect(tokens.asked).toHaveLength(1);
  });

  test("fetches tokens with name and password, and says when they are wrong", async () => {
    const tokens = serveTokens(upstream, { password: "robot:secret" });
    serveImage(upstream, "library/alpine", "3", image, tokens.guard);
    const basic = { auth: { kind: "basic", username: "robot" } };
    await changeUpstream(registry, "docker-hub", { ...basic, secret: "wrong" });
    const response = await official.send("manifests/3");
    expect(response.status).toBe(502);
    expect((await errorOf(response)).message).toContain("credentials");
    await changeUpstream(registry, "docker-hub", { secret: "secret" });
    expect(await pull(official, "3")).toBe(200);
  });

  test("serves its copy when the credentials have expired", async () => {
    const tokens = serveTokens(upstream);
    serveImage(upstream, "library/alpine", "3", image, tokens.guard);
    expect(await pull(official, "3")).toBe(200);
    registry.clock.aheadMs += 3_600_000;
    tokens.revoke();
    upstream.on("/token", answer("{}", { status: 401 }));
    const response = await official.send("manifests/3");
    expect([response.status, response.headers.get("warning") !== null]).toEqual([200, true]);
  });

  test("takes for missing what the upstream hides behind a 401", async () => {
    const tokens = serveTokens(upstream);
    upstream.on("*", (request, response) => {
      const realm = `Bearer realm="${upstream.url}/token",service="hub"`;
      response.writeHead(401, { "www-authenticate": realm }).end();
      void request;
    });
    expect(await official.status("manifests/3")).toBe(404);
    expect(await official.status(`blobs/${digestOf("x")}`)).toBe(404);
    expect(await official.status(`manifests/${digestOf("x")}`)).toBe(404);
    expect(await official.status("tags/list")).toBe(404);
    expect(tokens.asked.length).toBeGreaterThan(0);
  });
});
