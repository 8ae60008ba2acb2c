import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestRegistry, type TestRegistry } from "../../support/services.ts";
import {
  descriptor,
  digestOf,
  errorOf,
  IMAGE,
  INDEX,
  type Pushed,
  Repository,
} from "./builders.ts";

let registry: TestRegistry;
let repository: Repository;
beforeEach(async () => {
  registry = await openTestRegistry();
  await registry.createRegistry({ slug: "images", ecosystem: "oci" });
  repository = new Repository(registry, "images/app");
});
afterEach(async () => registry.close());

interface List {
  readonly mediaType: string;
  readonly manifests: readonly { digest: string; artifactType?: string; annotations?: object }[];
}

async function list(subject: string, query = ""): Promise<List> {
  const response = await repository.send(`referrers/${subject}${query}`);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe(INDEX);
  return JSON.parse(await response.text());
}

const attach = async (subject: Pushed, artifactType: string, note: string): Promise<Pushed> =>
  repository.pushImage(undefined, [note], {
    subject: descriptor(subject),
    artifactType,
    annotations: { note },
  });

test("What says that it is about a manifest is listed with it, by artifact type too", async () => {
  const image = await repository.pushImage("v1");
  const signature = await attach(image, "application/signature", "signed");
  const sbom = await attach(image, "application/sbom", "contents");
  const all = await list(image.digest);
  expect(all.manifests.map(({ digest }) => digest).sort()).toEqual(
    [signature.digest, sbom.digest].sort(),
  );
  const filtered = await list(image.digest, "?artifactType=application/sbom");
  expect(filtered.manifests).toEqual([
    {
      ...descriptor(sbom),
      artifactType: "application/sbom",
      annotations: { note: "contents" },
    },
  ]);
  const response = await repository.send(`referrers/${image.digest}?artifactType=a/b`);
  expect(response.headers.get("oci-filters-applied")).toBe("artifactType");
});

test("A push about a subject says so, even when the subject is not there yet", async () => {
  const subject = { mediaType: IMAGE, digest: digestOf("later"), size: 5 };
  const config = await repository.pushBlob("{}", "application/x-config");
  const content = { schemaVersion: 2, config: descriptor(config), layers: [], subject };
  const response = await repository.putManifest("about", content);
  expect(response.headers.get("oci-subject")).toBe(subject.digest);
  const [only] = (await list(subject.digest)).manifests;
  expect(only?.artifactType).toBe("application/x-config");
});

test("Nothing is said of a digest as an empty index, never as 404", async () => {
  expect((await list(digestOf("unknown"))).manifests).toEqual([]);
  expect((await list(digestOf("unknown", "sha512"))).manifests).toEqual([]);
});

test("Deleted referrers are left out, and come back with their restoration", async () => {
  const image = await repository.pushImage("v1");
  const signature = await attach(image, "application/signature", "signed");
  await repository.status(`manifests/${signature.digest}`, "DELETE");
  expect((await list(image.digest)).manifests).toEqual([]);
  const version = encodeURIComponent(signature.digest);
  const restore = `/api/v1/registries/images/packages/app/versions/${version}/restore`;
  const restored = await registry.request(restore, { method: "POST" });
  expect(restored.ok).toBe(true);
  expect((await list(image.digest)).manifests).toHaveLength(1);
});

test("Long lists come in pages", async () => {
  const image = await repository.pushImage("v1");
  const config = await repository.pushBlob("{}");
  for (let position = 0; position < 130; position++) {
    await repository.pushManifest(undefined, IMAGE, {
      config: descriptor(config),
      layers: [],
      subject: descriptor(image),
      annotations: { position: String(position) },
    });
  }
  const first = await repository.send(`referrers/${image.digest}`);
  const link = /^<\/v2\/images\/app\/(.*)>; rel="next"$/.exec(first.headers.get("link") ?? "");
  const page: List = JSON.parse(await first.text());
  const next = await repository.send(link?.[1] ?? "");
  const rest: List = JSON.parse(await next.text());
  expect(next.headers.get("link")).toBeNull();
  const digests = [...page.manifests, ...rest.manifests].map(({ digest }) => digest);
  expect(new Set(digests).size).toBe(130);
});

test("Annotations too long for the list are refused", async () => {
  const image = await repository.pushImage("v1");
  const config = await repository.pushBlob("{}");
  const response = await repository.putManifest("about", {
    schemaVersion: 2,
    config: descriptor(config),
    layers: [],
    subject: descriptor(image),
    annotations: { note: "x".repeat(110_000) },
  });
  expect([response.status, (await errorOf(response)).code]).toEqual([400, "MANIFEST_INVALID"]);
});
