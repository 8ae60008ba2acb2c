import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  hangUp,
  type MisbehavingUpstream,
  slowHead,
  startUpstream,
  wrongBytes,
  answer,
} from "../../support/misbehaving-upstream.ts";
import { createComposite } from "../../support/upstreams.ts";
import {
  servePackage,
  tarballPath,
  type UpstreamVersion,
  upstreamVersion,
} from "../npm/upstream-packages.ts";
import type { Answer, ApiClient } from "./client.ts";
import { openNpmMirror } from "./npm-mirror.ts";

let upstream: MisbehavingUpstream;
let api: ApiClient;
let one: UpstreamVersion;

beforeEach(async () => {
  upstream = await startUpstream();
  api = await openNpmMirror(upstream);
  one = await upstreamVersion("left-pad", "1.0.0");
  servePackage(upstream, "left-pad", [one]);
});
afterEach(async () => {
  await api.close();
  await upstream.close();
});

const prefetch = (items: readonly object[], slug = "mirror", token?: string): Promise<Answer> =>
  api.call("POST", `/registries/${slug}/prefetch`, {
    body: { items },
    ...(token === undefined ? {} : { token }),
  });
const LEFT_PAD = { package: "left-pad", version: "1.0.0" };
const hex = (algorithm: string, bytes: Buffer): string =>
  createHash(algorithm).update(bytes).digest("hex");

describe("a prefetch", () => {
  test("fetches what is not here, and says its size and sums", async () => {
    const { tarball } = one;
    expect(await prefetch([LEFT_PAD])).toMatchObject({
      status: 200,
      body: {
        items: [
          {
            ...LEFT_PAD,
            status: "fetched",
            sizeBytes: tarball.length,
            files: [
              {
                path: "left-pad-1.0.0.tgz",
                digests: { sha512: hex("sha512", tarball), sha1: hex("sha1", tarball) },
              },
            ],
          },
        ],
      },
    });
    api.registry.clock.aheadMs += 1000;
    const again = await prefetch([LEFT_PAD]);
    expect(again.body).toMatchObject({ items: [{ status: "cached", sizeBytes: tarball.length }] });
    await upstream.close();
    const installed = await api.registry.request(`/npm/mirror${tarballPath("left-pad", "1.0.0")}`);
    expect(Buffer.from(await installed.arrayBuffer()).equals(tarball)).toBe(true);
  });

  test("says of each item alone what is wrong with it", async () => {
    const bad = await upstreamVersion("bad", "1.0.0");
    servePackage(upstream, "bad", [bad]);
    upstream.on(tarballPath("bad", "1.0.0"), wrongBytes(bad.tarball));
    upstream.on("/broken", hangUp);
    const { body } = await prefetch([
      LEFT_PAD,
      { package: "left-pad", version: "9.9.9" },
      { package: "no-such", version: "1.0.0" },
      { package: "bad", version: "1.0.0" },
      { package: "broken", version: "1.0.0" },
      { package: "Not A Name", version: "1.0.0" },
      { package: "left-pad", version: "1.0.0", path: "other.tgz" },
    ]);
    const items: { status: string; detail?: string }[] = Object(body).items;
    expect(items.map(({ status }) => status)).toEqual([
      "fetched",
      "missing",
      "missing",
      "failed",
      "failed",
      "failed",
      "missing",
    ]);
    expect(items[3]?.detail).toContain("other bytes than it announced");
    expect(items.slice(1).every(({ detail }) => (detail ?? "") !== "")).toBe(true);
  });

  test("takes only files with one of the sums, where sums are named", async () => {
    const right = { ...LEFT_PAD, digests: [`sha1:${hex("sha1", one.tarball)}`] };
    const wrong = { ...LEFT_PAD, digests: [`sha1:${"0".repeat(40)}`] };
    const { body } = await prefetch([wrong, right]);
    expect(body).toMatchObject({ items: [{ status: "missing" }, { status: "fetched" }] });
  });

  test("of a large file waits for all of it", async () => {
    const files = { "big.bin": "x".repeat(1000) };
    const big = await upstreamVersion("big", "1.0.0", { files });
    const tarball = Buffer.concat([big.tarball, Buffer.alloc(5 * 1024 * 1024)]);
    servePackage(upstream, "big", [{ ...big, tarball }]);
    upstream.on(tarballPath("big", "1.0.0"), slowHead(50, answer(tarball)));
    expect((await prefetch([{ package: "big", version: "1.0.0" }])).body).toMatchObject({
      items: [
        {
          status: "fetched",
          sizeBytes: tarball.length,
          files: [{ digests: { sha256: hex("sha256", tarball) } }],
        },
      ],
    });
  });

  test("asks the upstream once for what two want", async () => {
    await Promise.all([prefetch([LEFT_PAD, LEFT_PAD]), prefetch([LEFT_PAD])]);
    expect(upstream.requests(tarballPath("left-pad", "1.0.0"))).toBe(1);
  });

  test("leaves for the next call what there is no time for", async () => {
    await api.close();
    api = await openNpmMirror(upstream, { requestBudgetMs: 0 });
    expect((await prefetch([LEFT_PAD])).body).toMatchObject({
      items: [{ ...LEFT_PAD, status: "pending", sizeBytes: 0, files: [] }],
    });
  });

  test("leaves what somebody with more time fetches for the next call", async () => {
    await api.close();
    const orders: unknown[] = [];
    const queue = { send: async (order: unknown) => void orders.push(order) };
    api = await openNpmMirror(upstream, {
      fetchLimits: { maxMs: 5000, rest: { queue, maxBytes: 10, waitMs: 50 } },
    });
    expect((await prefetch([LEFT_PAD])).body).toMatchObject({
      items: [{ status: "pending", detail: expect.stringContaining("being fetched") }],
    });
    expect(orders).toHaveLength(1);
  });

  test("goes through composites, by their rules", async () => {
    await api.registry.createRegistry({ slug: "own", ecosystem: "npm" });
    await createComposite(api.registry, {
      slug: "team",
      ecosystem: "npm",
      upstreams: ["own", "mirror"],
      packageRules: [{ pattern: "blocked", external: "block" }],
    });
    servePackage(upstream, "blocked", [await upstreamVersion("blocked", "1.0.0")]);
    const wanted = [LEFT_PAD, { package: "blocked", version: "1.0.0" }];
    expect((await prefetch(wanted, "team")).body).toMatchObject({
      items: [{ status: "fetched" }, { status: "missing" }],
    });
  });

  test("needs what reading needs: a token that may read the registry, and each package", async () => {
    const reader = await api.tokenFor({ scopes: ["packages:read"], packages: ["left-*"] });
    const wanted = [LEFT_PAD, { package: "other", version: "1.0.0" }];
    expect((await prefetch(wanted, "mirror", reader)).body).toMatchObject({
      items: [{ status: "fetched" }, { status: "missing" }],
    });
    const stranger = await api.tokenFor({ scopes: ["packages:read"], registries: ["other"] });
    expect((await prefetch([LEFT_PAD], "mirror", stranger)).status).toBe(404);
    const { status } = await api.registry.request("/api/v1/registries/mirror/prefetch", {
      method: "POST",
      token: null,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ items: [LEFT_PAD] }),
    });
    expect(status).toBe(401);
  });

  test.each([
    ["/items", []],
    ["/items", Array.from({ length: 101 }, () => LEFT_PAD)],
    ["/items/0/version", [{ package: "a" }]],
    ["/items/0/digests/0", [{ ...LEFT_PAD, digests: ["crc:00"] }]],
  ])("says that %s is wrong", async (at, items) => {
    expect(await prefetch(items)).toMatchObject({ status: 400, body: { issues: [{ at }] } });
  });
});
