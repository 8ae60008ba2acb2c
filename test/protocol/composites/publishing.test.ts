import { afterEach, beforeEach, expect, test } from "vitest";
import type { EcosystemName } from "../../../shared/domain/registry.ts";
import { buildTarball, packagePath, publishBody } from "../../support/npm-package.ts";
import { buildWheel, uploadForm } from "../../support/python-package.ts";
import { openTestRegistry, type TestRegistry } from "../../support/services.ts";
import { pom } from "../maven/builders.ts";
import { Repository } from "../oci/builders.ts";

// What clients do to composite `all` must happen in its target, `own`, and be seen at the target's own URL.

let registry: TestRegistry;
beforeEach(async () => {
  registry = await openTestRegistry();
});
afterEach(async () => registry.close());

async function compose(ecosystem: EcosystemName): Promise<void> {
  await registry.createRegistry({ slug: "own", ecosystem });
  const composite = { slug: "all", ecosystem, kind: "composite", upstreams: ["own"] };
  await send("/api/v1/registries", "POST", { ...composite, publishTo: "own" }, 201);
}

async function send(path: string, method: string, body: object, status: number): Promise<void> {
  const response = await registry.request(path, {
    method,
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
  });
  expect([response.status, await response.text()]).toEqual([status, expect.anything()]);
}

const statusOf = async (path: string, init: RequestInit = {}): Promise<number> =>
  (await registry.request(path, init)).status;

/** Names of the packages that `own` holds. */
async function held(): Promise<unknown> {
  const response = await registry.request("/api/v1/registries/own/packages");
  const { items } = Object(await response.json());
  return items.map(({ name }: { readonly name: string }) => name);
}

test("npm publishes, tags, deprecates and unpublishes", async () => {
  await compose("npm");
  for (const version of ["1.0.0", "1.1.0"]) {
    const pkg = { name: "@acme/core", version };
    const body = publishBody(pkg, await buildTarball(pkg));
    await send(packagePath("all", "@acme/core"), "PUT", body, 201);
  }
  expect(await held()).toEqual(["@acme/core"]);
  const tag = "/npm/all/-/package/@acme%2fcore/dist-tags/next";
  const headers = { "content-type": "application/json" };
  expect(await statusOf(tag, { method: "PUT", body: '"1.0.0"', headers })).toBe(201);
  const own = await registry.request(packagePath("own", "@acme/core"));
  expect(await own.json()).toMatchObject({ "dist-tags": { latest: "1.1.0", next: "1.0.0" } });
  const version = "/api/v1/registries/all/packages/@acme%2fcore/versions/1.0.0";
  await send(`${version}/deprecation`, "PUT", { message: "old" }, 200);
  expect(await statusOf(version, { method: "DELETE" })).toBe(204);
  expect(await statusOf("/npm/own/@acme/core/-/core-1.0.0.tgz")).toBe(404);
});

test("twine uploads, and the same file once more", async () => {
  await compose("pypi");
  const project = { name: "Acme_Core", version: "1.0" };
  for (let upload = 0; upload < 2; upload++) {
    const body = uploadForm(project, buildWheel(project));
    expect(await statusOf("/pypi/all/", { method: "POST", body })).toBe(200);
  }
  expect(await held()).toEqual(["acme-core"]);
  expect(await statusOf("/pypi/own/simple/acme-core/")).toBe(200);
});

test("mvn deploys", async () => {
  await compose("maven");
  const folder = "org/example/core/1.0/core-1.0";
  for (const [path, body] of [
    [`${folder}.pom`, pom("core", "1.0")],
    [`${folder}.jar`, "bytes"],
  ] as const) {
    expect(await statusOf(`/maven/all/${path}`, { method: "PUT", body })).toBe(201);
  }
  expect(await held()).toEqual(["org.example:core"]);
  expect(await statusOf(`/maven/own/${folder}.jar`)).toBe(200);
});

test("docker pushes: blobs, in one request and in pieces, manifests and tags", async () => {
  await compose("oci");
  const image = await new Repository(registry, "all/app").pushImage("v1");
  expect(await held()).toEqual(["app"]);
  const own = new Repository(registry, "own/app");
  expect((await own.send("manifests/v1")).headers.get("docker-content-digest")).toBe(image.digest);
  const all = new Repository(registry, "all/app");
  const first = await all.at(await all.begin(), "PATCH", {}, new TextEncoder().encode("half "));
  expect(first.status).toBe(202);
  const digest = `sha256:${"0".repeat(64)}`;
  const location = first.headers.get("location") ?? "";
  expect(location).toContain("/v2/all/app/");
  expect((await all.at(location, "PUT", { digest })).status).toBe(400);
  expect((await all.send("manifests/v1", { method: "DELETE" })).status).toBe(202);
  expect((await own.send("manifests/v1")).status).toBe(404);
});
