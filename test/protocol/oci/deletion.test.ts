import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WORKER } from "../../../shared/services/tokens.ts";
import { openTestRegistry, type TestRegistry } from "../../support/services.ts";
import { descriptor, digestOf, errorOf, Repository } from "./builders.ts";

const DAY_MS = 86_400_000;

let registry: TestRegistry;
let repository: Repository;
beforeEach(async () => {
  registry = await openTestRegistry();
  await registry.createRegistry({ slug: "images", ecosystem: "oci" });
  repository = new Repository(registry, "images/app");
});
afterEach(async () => registry.close());

/** What the workers of a server do, some time later. */
async function sweep(daysLater: number): Promise<void> {
  registry.clock.aheadMs += daysLater * DAY_MS;
  const { reclaimer, blobLinks, uploadSessions, collector } = registry.services;
  await uploadSessions.sweep();
  await reclaimer.reclaimVersions();
  await blobLinks.sweep();
  await collector.collect(DAY_MS);
}

const storedBlobs = async (): Promise<readonly string[]> =>
  (await registry.stores.blobs.list({ limit: 1000 })).blobs.map(({ sha256 }) => sha256);

async function restore(digest: string): Promise<void> {
  const path = `/api/v1/registries/images/packages/app/versions/${encodeURIComponent(digest)}/restore`;
  expect((await registry.request(path, { method: "POST" })).ok).toBe(true);
}

describe("Deleting", () => {
  test("a tag leaves the manifest, a manifest takes its tags along", async () => {
    const image = await repository.pushImage("v1");
    await repository.putManifest("v2", image.bytes);
    await repository.putManifest("latest", image.bytes);
    expect(await repository.status("manifests/v1", "DELETE")).toBe(202);
    expect(await repository.status("manifests/v1")).toBe(404);
    expect(await repository.status(`manifests/${image.digest}`)).toBe(200);
    expect(await repository.status(`manifests/${image.digest}`, "DELETE")).toBe(202);
    expect(await repository.status(`manifests/${image.digest}`)).toBe(404);
    expect(await repository.tags()).toEqual([]);
    expect(await repository.status("manifests/v2", "DELETE")).toBe(404);
    expect(await repository.status(`manifests/${image.digest}`, "DELETE")).toBe(404);
  });

  test("the latest manifest leaves the one pushed before it as the latest", async () => {
    const latest = async (): Promise<unknown> => {
      const response = await registry.request("/api/v1/registries/images/packages/app");
      const body: { latestVersion: unknown } = JSON.parse(await response.text());
      return body.latestVersion;
    };
    const digests: string[] = [];
    for (const tag of ["v1", "v2", "v3"])
      digests.push((await repository.pushImage(tag, [tag])).digest);
    expect(await latest()).toBe(digests[2]);
    await repository.status(`manifests/${digests[2]}`, "DELETE");
    expect(await latest()).toBe(digests[1]);
  });

  test("an index leaves its manifests, which stay pullable", async () => {
    const image = await repository.pushImage();
    const index = await repository.pushIndex("multi", [image]);
    expect(await repository.status(`manifests/${index.digest}`, "DELETE")).toBe(202);
    expect(await repository.status(`manifests/${image.digest}`)).toBe(200);
    await sweep(30);
    expect(await repository.status(`manifests/${image.digest}`)).toBe(200);
  });

  test("a blob is refused while a manifest uses it, and hidden while one could be restored", async () => {
    const image = await repository.pushImage("v1", ["layer"]);
    const blob = `blobs/${digestOf("layer")}`;
    const refused = await repository.send(blob, { method: "DELETE" });
    expect([refused.status, (await errorOf(refused)).code]).toEqual([405, "UNSUPPORTED"]);
    await repository.status(`manifests/${image.digest}`, "DELETE");
    expect(await repository.status(blob, "DELETE")).toBe(202);
    expect(await repository.status(blob)).toBe(404);
    await restore(image.digest);
    expect(await repository.status(blob)).toBe(200);
  });

  test("a blob that no manifest used takes it away at once", async () => {
    const { digest } = await repository.pushBlob("alone");
    expect(await repository.status(`blobs/${digest}`, "DELETE")).toBe(202);
    expect(await repository.status(`blobs/${digest}`)).toBe(404);
    expect(await repository.status(`blobs/${digest}`, "DELETE")).toBe(404);
  });

  test("a blob is written into the audit log, once", async () => {
    const { digest } = await repository.pushBlob("alone");
    await repository.pushImage("v1", ["used"]);
    for (const each of [digest, digest, digestOf("used")]) {
      await repository.status(`blobs/${each}`, "DELETE");
    }
    const { items }: { items: { action: string; package: string; detail: string }[] } = JSON.parse(
      await (await registry.request("/api/v1/audit")).text(),
    );
    const deletions = items.filter(({ action }) => action === "file.delete");
    expect(deletions).toMatchObject([{ package: "app", detail: `blobs/${digest}` }]);
  });
});

describe("What was deleted", () => {
  test("can be restored with all of its layers, until its time is over", async () => {
    const image = await repository.pushImage("v1", ["one", "two"]);
    await repository.status(`manifests/${image.digest}`, "DELETE");
    await sweep(6);
    await restore(image.digest);
    expect(await repository.status(`manifests/${image.digest}`)).toBe(200);
    expect(await repository.status(`blobs/${digestOf("two")}`)).toBe(200);
    await repository.status(`manifests/${image.digest}`, "DELETE");
    await sweep(8);
    expect(await repository.status(`blobs/${digestOf("two")}`)).toBe(200);
    await sweep(2);
    await sweep(2);
    expect(await repository.status(`blobs/${digestOf("two")}`)).toBe(404);
    expect(await storedBlobs()).toEqual([]);
  });

  test("can be pushed again, before and after its bytes are gone", async () => {
    const image = await repository.pushImage("v1", ["one"]);
    await repository.status(`manifests/${image.digest}`, "DELETE");
    expect((await repository.putManifest("v1", image.bytes)).status).toBe(201);
    expect(await repository.status("manifests/v1")).toBe(200);
    await repository.status(`manifests/${image.digest}`, "DELETE");
    await sweep(8);
    await sweep(2);
    await sweep(2);
    expect((await repository.putManifest("v1", image.bytes)).status).toBe(404);
    await repository.pushImage("v1", ["one"]);
    expect(await (await repository.send("manifests/v1")).bytes()).toEqual(image.bytes);
    await sweep(30);
    expect(await repository.status(`blobs/${digestOf("one")}`)).toBe(200);
  });

  test("keeps the layers that others share", async () => {
    const first = await repository.pushImage("v1", ["shared", "own"]);
    await repository.pushImage("v2", ["shared"]);
    const other = new Repository(registry, "images/other");
    await other.pushImage("v1", ["own"]);
    await repository.status(`manifests/${first.digest}`, "DELETE");
    await sweep(8);
    await sweep(2);
    await sweep(2);
    expect(await repository.status(`blobs/${digestOf("shared")}`)).toBe(200);
    expect(await repository.status(`blobs/${digestOf("own")}`)).toBe(404);
    expect(await other.status(`blobs/${digestOf("own")}`)).toBe(200);
  });
});

describe("The sweepers", () => {
  test("leave blobs alone that were pushed or mounted a short while ago, and take them a day later", async () => {
    const { digest } = await repository.pushBlob("waiting");
    await sweep(0.9);
    expect(await repository.status(`blobs/${digest}`)).toBe(200);
    await sweep(0.2);
    await sweep(1.1);
    expect(await repository.status(`blobs/${digest}`)).toBe(404);
    expect(await storedBlobs()).toEqual([]);
  });

  test("never take a layer that a push claims at the same moment, and a push never succeeds without it", async () => {
    for (let round = 0; round < 10; round++) {
      const layer = await repository.pushBlob(`layer ${round}`);
      const config = await repository.pushBlob(`{"round":${round}}`);
      registry.clock.aheadMs += 1.1 * DAY_MS;
      const content = {
        schemaVersion: 2,
        config: descriptor(config),
        layers: [descriptor(layer)],
      };
      const [response] = await Promise.all([
        repository.putManifest(`v${round}`, content),
        registry.services.blobLinks.sweep(),
      ]);
      const layerStatus = await repository.status(`blobs/${layer.digest}`);
      expect([
        [201, 200],
        [404, 404],
      ]).toContainEqual([response.status, layerStatus]);
    }
  });

  test("do not remove a link that was claimed after they read it", async () => {
    const layer = await repository.pushBlob("claimed");
    const { access, blobLinks } = registry.services;
    const grant = await access.openAny(WORKER, "images");
    const ref = { registryId: grant.registry.id, packageName: "app" };
    const read = await blobLinks.find(ref, layer.digest);
    if (read === undefined) throw new Error("no link");
    registry.clock.aheadMs += 1;
    expect(await blobLinks.claim(ref, [layer.digest])).toBe(true);
    await expect(blobLinks.remove(grant, read)).rejects.toThrow("meanwhile");
    expect(await repository.status(`blobs/${layer.digest}`)).toBe(200);
  });

  test("remove what is left of abandoned uploads, rows and bytes", async () => {
    const started = await repository.at(await repository.begin(), "PATCH", {}, new Uint8Array(10));
    const location = started.headers.get("location") ?? "";
    await sweep(0.4);
    expect((await registry.request(location)).status).toBe(204);
    await sweep(0.2);
    expect((await registry.request(location)).status).toBe(404);
    const id = location.split("/").at(-1)?.split("?")[0] ?? "";
    const rows = await registry.stores.table.query({ pk: `US#${id}`, limit: 10 });
    expect(rows.items).toEqual([]);
  });
});

describe("Immutable tags", () => {
  test("neither move nor go, but for the patterns that may", async () => {
    await registry.createRegistry({
      slug: "fixed",
      ecosystem: "oci",
      policies: { immutableTags: true, mutableTags: ["latest", "nightly-*"] },
    });
    const fixed = new Repository(registry, "fixed/app");
    const first = await fixed.pushImage("v1", ["one"]);
    await fixed.pushImage("nightly-1", ["one"]);
    const second = await fixed.pushImage("nightly-1", ["two"]);
    const refused = await fixed.putManifest("v1", second.bytes);
    expect([refused.status, (await errorOf(refused)).code]).toEqual([403, "DENIED"]);
    expect((await fixed.putManifest("v1", first.bytes)).status).toBe(201);
    expect(await fixed.status("manifests/v1", "DELETE")).toBe(403);
    expect(await fixed.status(`manifests/${first.digest}`, "DELETE")).toBe(403);
    const image = "/api/v1/registries/fixed/packages/app";
    const version = `${image}/versions/${first.digest}`;
    for (const path of [`${image}/tags/v1`, version, `${version}/files/manifest`, image]) {
      expect((await registry.request(path, { method: "DELETE" })).status).toBe(403);
    }
    expect(await fixed.tags()).toEqual(["nightly-1", "v1"]);
    expect(await fixed.status("manifests/nightly-1", "DELETE")).toBe(202);
    expect(await fixed.status(`manifests/${second.digest}`, "DELETE")).toBe(202);
  });
});
