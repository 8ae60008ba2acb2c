import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createBlobFetcher } from "../../../functions/oci/upstream/blob-fetcher.ts";
import type { FetchOrder } from "../../../shared/ports/fetch-queue.ts";
import type { UpstreamRead } from "../../../shared/services/upstreams/upstream-read.ts";
import {
  answer,
  half,
  hangUp,
  type MisbehavingUpstream,
  startUpstream,
  wrongBytes,
} from "../../support/misbehaving-upstream.ts";
import { openTestRegistry, registryOver, type TestRegistry } from "../../support/services.ts";
import { createProxy } from "../../support/upstreams.ts";
import { servePackage, tarballPath, upstreamVersion } from "../npm/upstream-packages.ts";
import { digestOf, Repository } from "../oci/builders.ts";
import { serveImage, upstreamImage } from "../oci/upstream-images.ts";

const MAX_BYTES = 10_000;

let upstream: MisbehavingUpstream;
/** Where requests have little time, and the worker over the same stores. */
let requests: TestRegistry;
let worker: TestRegistry;
let orders: FetchOrder[];
let isQueueThere: boolean;
let heard: UpstreamRead[];

beforeEach(async () => {
  upstream = await startUpstream();
  orders = [];
  isQueueThere = true;
  heard = [];
  worker = await openTestRegistry({
    downloads: "redirect",
    fetchLimits: { maxMs: 400 },
    upstreamRead: (read) => void heard.push(read),
  });
  const send = async (order: FetchOrder): Promise<void> => {
    if (!isQueueThere) throw new Error("the queue is gone");
    orders.push(order);
  };
  requests = registryOver(
    worker.stores,
    { clock: worker.clock, close: async () => {} },
    {
      downloads: "redirect",
      fetchLimits: { maxMs: 200, rest: { queue: { send }, maxBytes: MAX_BYTES, waitMs: 1_000 } },
      upstreamRead: (read) => void heard.push(read),
    },
  );
  for (const ecosystem of ["npm", "oci"]) {
    await createProxy(worker, {
      slug: ecosystem,
      ecosystem,
      url: upstream.url,
      upstream: { documentTtlSeconds: 60, missingTtlSeconds: 30, timeoutMs: 500 },
    });
  }
});
afterEach(async () => {
  await worker.close();
  await upstream.close();
});

const carryOut = (order: FetchOrder) =>
  worker.services.orderedFetches.fetch(order, ({ ecosystem }) =>
    ecosystem === "oci" ? createBlobFetcher(worker.services) : undefined,
  );

async function carryOutNext(): Promise<unknown> {
  await expect.poll(() => orders.length).toBeGreaterThan(0);
  const [order] = orders.splice(0, 1);
  if (order === undefined) throw new Error("nothing was ordered");
  return carryOut(order);
}

async function serveLarge(name: string): Promise<{ path: string; tarball: Buffer }> {
  const tarball = randomBytes(MAX_BYTES + 1);
  servePackage(upstream, name, [await upstreamVersion(name, "1.0.0", { tarball })]);
  return { path: tarballPath(name, "1.0.0"), tarball };
}

const get = (path: string): Promise<Response> => requests.request(`/npm/npm${path}`);

describe("files beyond what a request may fetch", () => {
  test("are ordered once however many ask, and leave when the worker has them", async () => {
    const { path } = await serveLarge("large");
    const asked = Array.from({ length: 20 }, () => get(path));
    expect(await carryOutNext()).toBe("fetched");
    const answers = await Promise.all(asked);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([307]));
    expect(orders).toEqual([]);
    expect(upstream.requests(path)).toBe(2);
    expect(heard.filter(({ kind, outcome }) => kind === "file" && outcome === "fetched")).toEqual([
      { upstream: "npm", kind: "file", outcome: "fetched", bytes: MAX_BYTES + 1 },
    ]);
  });

  test("one byte less is fetched by the request itself", async () => {
    const tarball = randomBytes(MAX_BYTES);
    servePackage(upstream, "small", [await upstreamVersion("small", "1.0.0", { tarball })]);
    expect((await get(tarballPath("small", "1.0.0"))).status).toBe(307);
    expect(orders).toEqual([]);
  });

  test("are 503 with a time to come back when the worker is slow, and are not ordered again", async () => {
    const { path } = await serveLarge("late");
    for (let times = 0; times < 2; times++) {
      const response = await get(path);
      expect(response.status).toBe(503);
      expect(response.headers.get("retry-after")).toBe("10");
    }
    expect(orders).toHaveLength(1);
    expect(upstream.requests(path)).toBe(1);
    await carryOutNext();
    expect((await get(path)).status).toBe(307);
  });

  test("are ordered anew when an order was lost", async () => {
    const { path } = await serveLarge("lost");
    expect((await get(path)).status).toBe(503);
    worker.clock.aheadMs += 21 * 60_000;
    expect((await get(path)).status).toBe(503);
    expect(orders).toHaveLength(2);
  });

  test("are not fetched again when an order comes twice", async () => {
    const { path } = await serveLarge("twice");
    expect((await get(path)).status).toBe(503);
    const [order] = orders;
    if (order === undefined) throw new Error("nothing was ordered");
    expect([await carryOut(order), await carryOut(order)]).toEqual(["fetched", "fetched"]);
    expect(upstream.requests(path)).toBe(2);
  });

  test("are asked for by the next request when the queue does not take the order", async () => {
    const { path } = await serveLarge("queue");
    isQueueThere = false;
    expect((await get(path)).status).toBe(500);
    isQueueThere = true;
    const asked = get(path);
    await carryOutNext();
    expect((await asked).status).toBe(307);
  });

  test("that failed say why for a while, without another question, and then are tried again", async () => {
    const { path, tarball } = await serveLarge("wrong");
    upstream.on(path, wrongBytes(tarball));
    const asked = get(path);
    expect(await carryOutNext()).toBe("failed");
    for (const refused of [await asked, await get(path)]) {
      expect(refused.status).toBe(502);
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(await refused.text()).toContain("other bytes than it announced");
    }
    expect(upstream.requests(path)).toBe(2);
    upstream.on(path, answer(tarball));
    worker.clock.aheadMs += 31_000;
    const healed = get(path);
    await carryOutNext();
    expect((await healed).status).toBe(307);
  });

  test("that take the worker too long are refused in so many words, and nobody tries for an hour", async () => {
    const { path, tarball } = await serveLarge("endless");
    upstream.on(path, half(tarball, "stall"));
    const asked = get(path);
    expect(await carryOutNext()).toBe("failed");
    const refused = await asked;
    expect(refused.status).toBe(502);
    expect(await refused.text()).toMatch(/takes longer than .* to come from its upstream/);
    worker.clock.aheadMs += 59 * 60_000;
    expect((await get(path)).status).toBe(502);
    expect(orders).toEqual([]);
  });

  test("that come slowly though small are ordered as well", async () => {
    const one = await upstreamVersion("slow", "1.0.0");
    servePackage(upstream, "slow", [one]);
    const path = tarballPath("slow", "1.0.0");
    upstream.on(path, half(one.tarball, "stall"));
    const asked = get(path);
    await expect.poll(() => orders.length).toBe(1);
    upstream.on(path, answer(one.tarball));
    await carryOutNext();
    expect((await asked).status).toBe(307);
  });

  test("of a registry that is another one by now are no longer wanted", async () => {
    const { path } = await serveLarge("gone");
    expect((await get(path)).status).toBe(503);
    const [order] = orders;
    if (order === undefined) throw new Error("nothing was ordered");
    expect(await carryOut({ ...order, registryId: "another" })).toBe("obsolete");
    expect(upstream.requests(path)).toBe(1);
  });

  test("that went away meanwhile are missing for the next request", async () => {
    const { path } = await serveLarge("away");
    expect((await get(path)).status).toBe(503);
    upstream.on(path, answer("", { status: 404 }));
    expect(await carryOutNext()).toBe("obsolete");
    expect((await get(path)).status).toBe(404);
  });

  test("may be layers of images", async () => {
    const layer = new Uint8Array(randomBytes(MAX_BYTES + 1));
    serveImage(upstream, "team/app", "1.0", upstreamImage({ layers: [layer] }));
    const app = new Repository(requests, "oci/team/app");
    expect((await app.send("manifests/1.0")).status).toBe(200);
    const asked = app.send(`blobs/${digestOf(layer)}`);
    expect(await carryOutNext()).toBe("fetched");
    expect((await asked).status).toBe(307);
    expect(upstream.requests(`/v2/team/app/blobs/${digestOf(layer)}`)).toBe(2);
  });
});

describe("what is heard of reads through a proxy", () => {
  const outcomes = (): readonly string[] => heard.map(({ kind, outcome }) => `${kind} ${outcome}`);

  test("says of each what became of it", async () => {
    const one = await upstreamVersion("pad", "1.0.0");
    servePackage(upstream, "pad", [one]);
    await get("/pad");
    await get("/pad");
    worker.clock.aheadMs += 61_000;
    await get("/pad");
    await get("/none");
    expect(outcomes()).toEqual([
      "document fetched",
      "document cached",
      "document unchanged",
      "document missing",
    ]);
    expect(heard[0]).toMatchObject({ upstream: "npm", bytes: expect.any(Number) });
    expect(heard[0]?.bytes).toBeGreaterThan(100);
    heard.length = 0;
    await get(tarballPath("pad", "1.0.0"));
    await get(tarballPath("pad", "1.0.0"));
    expect(outcomes()).toEqual(["document cached", "file fetched", "file cached"]);
    expect(heard[1]?.bytes).toBe(one.tarball.length);
    heard.length = 0;
    upstream.on("*", hangUp);
    upstream.on("/pad", hangUp);
    worker.clock.aheadMs += 61_000;
    await get("/pad");
    await get("/pad");
    await get("/other");
    expect(outcomes()).toEqual(["document stale", "document stale", "document failed"]);
  });
});
