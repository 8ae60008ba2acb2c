import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestRegistry, type TestRegistry } from "../../support/services.ts";
import { descriptor, digestOf, IMAGE, INDEX, type Pushed, Repository } from "./builders.ts";

let registry: TestRegistry;
let repository: Repository;
beforeEach(async () => {
  registry = await openTestRegistry();
  await registry.createRegistry({ slug: "images", ecosystem: "oci" });
  repository = new Repository(registry, "images/app");
});
afterEach(async () => registry.close());

async function details(pushed: Pushed): Promise<Record<string, unknown>> {
  const version = encodeURIComponent(pushed.digest);
  const path = `/api/v1/registries/images/packages/app/versions/${version}/image`;
  const response = await registry.request(path);
  expect(response.status).toBe(200);
  return JSON.parse(await response.text());
}

async function pushContainer(tag?: string): Promise<Pushed> {
  const configuration = {
    os: "linux",
    architecture: "arm64",
    variant: "v8",
    created: "2026-01-31T12:00:00Z",
    author: "someone",
    config: { Entrypoint: ["/app"], Cmd: null, Env: ["A=b"], Labels: { a: "b" }, User: "1000" },
  };
  const type = "application/vnd.oci.image.config.v1+json";
  const config = await repository.pushBlob(JSON.stringify(configuration), type);
  const layer = await repository.pushBlob("0123456789", "application/vnd.oci.image.layer.v1.tar");
  return repository.pushManifest(tag, IMAGE, {
    config: descriptor(config),
    layers: [descriptor(layer)],
    annotations: { note: "x" },
  });
}

test("An image tells its platform, layers, configuration, tags, referrers and how to pull it", async () => {
  const image = await pushContainer("v1");
  await repository.putManifest("latest", image.bytes);
  const sbom = await repository.pushImage(undefined, ["contents"], {
    subject: descriptor(image),
    artifactType: "application/spdx+json",
  });
  expect(await details(image)).toMatchObject({
    kind: "image",
    platforms: [{ platform: "linux/arm64/v8", digest: image.digest }],
    layers: [{ digest: digestOf("0123456789"), sizeBytes: 10 }],
    config: { entrypoint: ["/app"], command: [], env: ["A=b"], labels: { a: "b" }, user: "1000" },
    annotations: { note: "x" },
    tags: ["latest", "v1"],
    digests: { sha256: image.digest.slice("sha256:".length) },
    referrers: [{ digest: sbom.digest, kind: "sbom" }],
    install: [
      "docker pull registry.test/images/app:latest",
      "docker pull registry.test/images/app:v1",
      `docker pull registry.test/images/app@${image.digest}`,
    ],
  });
  expect((await details(sbom))["subject"]).toBe(image.digest);
});

test("An index tells the platforms that it has", async () => {
  const image = await pushContainer();
  const platform = { os: "linux", architecture: "arm64" };
  const index = await repository.pushManifest("multi", INDEX, {
    manifests: [descriptor(image, { platform })],
  });
  expect(await details(index)).toMatchObject({
    kind: "index",
    compressedBytes: 0,
    platforms: [{ platform: "linux/arm64", digest: image.digest, sizeBytes: image.bytes.length }],
  });
});

test("A Helm chart tells what its Chart.yaml says", async () => {
  const type = "application/vnd.cncf.helm.config.v1+json";
  const chart = { name: "app", version: "1.0.0+a", apiVersion: "v2" };
  const config = await repository.pushBlob(JSON.stringify(chart), type);
  const pushed = await repository.pushManifest("1.0.0_a", IMAGE, {
    config: descriptor(config),
    layers: [],
  });
  expect(await details(pushed)).toMatchObject({
    chart,
    install: ["helm pull oci://registry.test/images/app --version 1.0.0+a"],
  });
});

test("A configuration that is nonsense, or no JSON, hides nothing else", async () => {
  for (const text of ["not json", "[]", '{"os":7,"config":"x"}']) {
    const config = await repository.pushBlob(text, "application/vnd.oci.image.config.v1+json");
    const pushed = await repository.pushManifest("v1", IMAGE, {
      config: descriptor(config),
      layers: [],
    });
    const told = await details(pushed);
    expect(told["config"]).toBeUndefined();
    expect(told["layers"]).toEqual([]);
  }
});

test("Registries of other ecosystems have no images", async () => {
  await registry.createRegistry({ slug: "files", ecosystem: "generic" });
  const path = "/api/v1/registries/files/packages/tool/versions/1.0.0/image";
  expect((await registry.request(path)).status).toBe(400);
});
