import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Blobs } from "../../../shared/ports/blobs.ts";
import { Collector } from "../../../shared/services/collector.ts";
import { openTestRegistry, type TestRegistry } from "../../support/services.ts";

const DAY_MS = 86_400_000;

let test: TestRegistry;
beforeEach(async () => {
  test = await openTestRegistry();
  await test.createRegistry({ slug: "files", ecosystem: "generic" });
});
afterEach(() => test.close());

const put = async (path: string, content: string): Promise<number> =>
  (await test.request(`/generic/files/${path}`, { method: "PUT", body: content })).status;
const statusOf = async (path: string): Promise<number> =>
  (await test.request(`/generic/files/${path}`)).status;
const remove = async (path: string): Promise<number> =>
  (await test.request(`/generic/files/${path}`, { method: "DELETE" })).status;
const restore = async (path: string): Promise<number> =>
  (await test.request(`/api/v1/registries/files/packages/${path}/restore`, { method: "POST" }))
    .status;

async function blobCount(): Promise<number> {
  return (await test.stores.blobs.list({ limit: 1000 })).blobs.length;
}

describe("a deleted version", () => {
  beforeEach(async () => {
    await put("tool/1.0.0/a.bin", "one");
    await put("tool/1.0.0/b.bin", "two");
    await put("tool/1.1.0/a.bin", "three");
    expect(await remove("tool/1.0.0")).toBeLessThan(300);
  });

  it("is out of sight at once and can be restored with its bytes", async () => {
    expect(await statusOf("tool/1.0.0/a.bin")).toBe(404);
    expect(await statusOf("tool/1.1.0/a.bin")).toBe(200);
    expect(await restore("tool/versions/1.0.0")).toBeLessThan(300);
    expect(await statusOf("tool/1.0.0/a.bin")).toBe(200);
    expect(await statusOf("tool/1.0.0/b.bin")).toBe(200);
  });

  it("keeps its number taken while it is deleted and after it was reclaimed", async () => {
    expect(await put("tool/1.0.0/a.bin", "other")).toBe(409);
    test.clock.aheadMs = 8 * DAY_MS;
    expect(await test.services.reclaimer.reclaimVersions()).toBe(1);
    expect(await put("tool/1.0.0/a.bin", "other")).toBe(409);
    expect(await restore("tool/versions/1.0.0")).toBe(409);
  });

  it("gives its bytes back only after the restore window, and no others", async () => {
    test.clock.aheadMs = 6 * DAY_MS;
    expect(await test.services.reclaimer.reclaimVersions()).toBe(0);
    await test.services.collector.collect(DAY_MS);
    expect(await blobCount()).toBe(3);
    test.clock.aheadMs = 8 * DAY_MS;
    await test.services.reclaimer.reclaimVersions();
    expect(await test.services.collector.collect(DAY_MS)).toMatchObject({ blobs: 2 });
    expect(await statusOf("tool/1.1.0/a.bin")).toBe(200);
  });
});

it("a deleted package comes back with all of its versions", async () => {
  for (let n = 0; n < 90; n++) await put(`many/1.0.${n}/f`, `content ${n}`);
  expect(await remove("many")).toBeLessThan(300);
  expect(await statusOf("many/1.0.5/f")).toBe(404);
  const listing = await test.request("/api/v1/registries/files/packages");
  expect(await listing.json()).toEqual({ items: [] });
  expect(await restore("many")).toBeLessThan(300);
  for (let n = 0; n < 90; n++) expect(await statusOf(`many/1.0.${n}/f`)).toBe(200);
});

it("deleting and restoring a package at the same time both end", async () => {
  for (let n = 0; n < 4; n++) await put(`many/1.0.${n}/f`, "content");
  const changes: Promise<number>[] = [];
  for (let n = 0; n < 60; n++) {
    changes.push(n % 2 === 0 ? remove("many") : restore("many"));
    await sleep(n % 5);
  }
  for (const status of await Promise.all(changes)) expect([200, 204, 404]).toContain(status);
});

it("a deleted registry is gone at once, its slug is free, and its bytes are reclaimed later", async () => {
  await put("tool/1.0.0/a.bin", "one");
  const path = "/api/v1/registries/files";
  expect((await test.request(path, { method: "DELETE" })).status).toBeGreaterThanOrEqual(400);
  expect((await test.request(`${path}?confirm=files`, { method: "DELETE" })).status).toBeLessThan(
    300,
  );
  expect(await statusOf("tool/1.0.0/a.bin")).toBe(404);
  await test.createRegistry({ slug: "files", ecosystem: "generic" });
  expect(await statusOf("tool/1.0.0/a.bin")).toBe(404);
  test.clock.aheadMs = 8 * DAY_MS;
  expect(await test.services.reclaimer.reclaimRegistries()).toBe(1);
  expect(await test.services.collector.collect(DAY_MS)).toMatchObject({ blobs: 1 });
});

describe("the collector", () => {
  it("leaves alone what is young or referenced", async () => {
    await test.stores.blobs.put(Buffer.from("orphan"));
    await put("tool/1.0.0/a.bin", "kept");
    expect(await test.services.collector.collect(DAY_MS)).toEqual({ blobs: 0, bytes: 0 });
    test.clock.aheadMs = 2 * DAY_MS;
    expect(await test.services.collector.collect(DAY_MS)).toEqual({ blobs: 1, bytes: 6 });
    expect(await statusOf("tool/1.0.0/a.bin")).toBe(200);
  });

  it("goes on where its time was over, until it has looked at everything, and then begins again", async () => {
    for (let n = 0; n < 5; n++) await test.stores.blobs.put(Buffer.from(`orphan ${n}`));
    test.clock.aheadMs = 2 * DAY_MS;
    const further = { budgetMs: 0, pageSize: 2 };
    const counts: number[] = [];
    for (let run = 0; run < 4; run++) {
      counts.push((await test.services.collector.collectFurther(DAY_MS, further)).blobs);
    }
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(5);
    expect(Math.max(...counts)).toBe(2);
    await test.stores.blobs.put(Buffer.from("another"));
    test.clock.aheadMs = 4 * DAY_MS;
    const whole = { budgetMs: 60_000, pageSize: 2 };
    expect(await test.services.collector.collectFurther(DAY_MS, whole)).toMatchObject({ blobs: 1 });
  });

  it("never takes bytes from a publish that comes at the same moment", async () => {
    const { stores, services } = test;
    const content = "contested bytes";
    await stores.blobs.put(Buffer.from(content));
    test.clock.aheadMs = 2 * DAY_MS;

    let publishing: Promise<number> | undefined;
    const pausing: Blobs = pauseBeforeRemove(stores.blobs, async () => {
      // The collector has marked the blob and found it garbage; the publish has stored its bytes.
      publishing = put("tool/1.0.0/a.bin", content);
      await new Promise((resolve) => setTimeout(resolve, 100));
    });
    await new Collector({ ...stores, blobs: pausing }).collect(DAY_MS);

    // The publish was told to send its bytes again, or was refused nothing; what it acknowledged is there.
    const status = await publishing;
    expect([201, 503]).toContain(status);
    if (status === 503) expect(await put("tool/1.0.0/a.bin", content)).toBe(201);
    expect(await (await test.request("/generic/files/tool/1.0.0/a.bin")).text()).toBe(content);
    expect(await services.collector.collect(DAY_MS)).toEqual({ blobs: 0, bytes: 0 });
  });

  it("takes over from one that died in the middle", async () => {
    const { stores } = test;
    await stores.blobs.put(Buffer.from("half collected"));
    test.clock.aheadMs = 2 * DAY_MS;
    const dying = pauseBeforeRemove(stores.blobs, () => Promise.reject(new Error("killed")));
    await expect(new Collector({ ...stores, blobs: dying }).collect(DAY_MS)).rejects.toThrow(
      "killed",
    );
    expect(await test.services.collector.collect(DAY_MS)).toEqual({ blobs: 0, bytes: 0 });
    test.clock.aheadMs += 11 * 60_000;
    expect(await test.services.collector.collect(DAY_MS)).toMatchObject({ blobs: 1 });
  });
});

/** The store itself, but for a pause where a collector is about to remove. */
function pauseBeforeRemove(blobs: Blobs, pause: () => Promise<void>): Blobs {
  return new Proxy(blobs, {
    get(target, name) {
      if (name === "remove") {
        return async (sha256: string) => {
          await pause();
          await target.remove(sha256);
        };
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
