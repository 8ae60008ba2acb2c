import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTestRegistry, type TestRegistry } from "../../support/services.ts";
import { deploy, pom, put, REGISTRY, ROOT } from "./builders.ts";

const POM = "org/example/demo/1.0/demo-1.0.pom";
let registry: TestRegistry;

beforeEach(async () => {
  registry = await openTestRegistry();
  await registry.createRegistry({ slug: REGISTRY, ecosystem: "maven" });
});

afterEach(async () => registry.close());

const packages = async (): Promise<unknown> =>
  (await registry.request(`/api/v1/registries/${REGISTRY}/packages`)).json();

const LAUGHS = `<!DOCTYPE project [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>${pom("demo", "1.0", "<name>&b;</name>")}`;

describe("a POM is refused, and leaves nothing behind,", () => {
  test.each([
    ["that is no XML", "not xml at all"],
    ["that is empty", ""],
    ["of other coordinates", pom("other", "1.0")],
    ["of another version", pom("demo", "1.1")],
    ["with a document type", LAUGHS],
    ["nested very deep", pom("demo", "1.0", "<a>".repeat(100_000))],
    ["whose elements cross", pom("demo", "1.0", "<a><b></a></b>")],
    ["that ends in the middle", pom("demo", "1.0").slice(0, -12)],
    ["of unclosed comments", pom("demo", "1.0", "<!--".repeat(100_000))],
    ["with two roots", `${pom("demo", "1.0")}${pom("demo", "1.0")}`],
  ])("%s", async (_, body) => {
    const response = await put(registry, POM, body);
    expect([response.status, response.headers.get("content-type")]).toEqual([
      400,
      "application/problem+json",
    ]);
    expect(await packages()).toMatchObject({ items: [] });
  });

  test("that is larger than a POM can be", async () => {
    const body = pom("demo", "1.0", `<name>${"x".repeat(3 * 1024 * 1024)}</name>`);
    expect((await put(registry, POM, body)).status).toBe(413);
    expect(await packages()).toMatchObject({ items: [] });
  });
});

test("elements named as JavaScript's own do no harm", async () => {
  const body = pom(
    "demo",
    "1.0",
    "<__proto__><packaging>pom</packaging></__proto__><constructor/>",
  );
  const response = await put(registry, POM, body);
  expect([201, 400]).toContain(response.status);
  expect(Reflect.get({}, "packaging")).toBeUndefined();
});

describe("metadata is refused", () => {
  test.each([
    ["that is no XML", "{}"],
    ["with entities", "<!DOCTYPE m [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><metadata/>"],
    ["of very many plugins", `<metadata><plugins>${"<plugin/>".repeat(300)}</plugins></metadata>`],
    ["that is a number", "<metadata>1</metadata>"],
  ])("%s", async (_, body) => {
    expect((await put(registry, "org/example/maven-metadata.xml", body)).status).toBe(400);
  });
});

describe("paths", () => {
  test.each([
    "org/example/demo/1.0/%2e%2e",
    "org/%2e%2e/demo/1.0/demo-1.0.jar",
    "org/example/de%2fmo/1.0/demo-1.0.jar",
    "org/example/demo/1.0/a%00b.jar",
    "org/example/demo/1.0/%ff.jar",
    "org//demo/1.0/demo-1.0.jar",
    "demo.jar",
    "archetype-catalog.xml",
    `org/example/${"a".repeat(500)}/1.0/x.jar`,
  ])("like %s are refused", async (path) => {
    expect((await put(registry, path, "x")).status).toBe(400);
    expect(await packages()).toMatchObject({ items: [] });
  });

  test.each([
    ".meta/prefixes.txt",
    "nexus-maven-repository-index.properties",
    "org/example/demo/%5B1.0,2.0%29/demo.pom",
    "org/example/demo/%24%7Bversion%7D/demo.pom",
    "org/%2e%2e/demo/1.0/demo-1.0.jar",
    "org/example/demo/1.0/%ff.jar",
  ])("like %s are not there, so that build tools look elsewhere", async (path) => {
    expect((await registry.request(`${ROOT}/${path}`)).status).toBe(404);
    expect((await registry.request(`${ROOT}/${path}`, { token: null })).status).toBe(401);
  });

  test("of other methods, and of parts and codings, get a clear answer", async () => {
    const path = `${ROOT}/${POM}`;
    expect((await registry.request(path, { method: "DELETE" })).status).toBe(405);
    expect((await put(registry, POM, "x", { "content-encoding": "gzip" })).status).toBe(400);
    expect((await put(registry, POM, "x", { "content-range": "bytes 0-0/9" })).status).toBe(400);
  });
});

test("who sends no token is challenged, and learns nothing of what there is", async () => {
  await deploy(registry, "demo", "1.0");
  for (const path of [POM, "org/example/demo/maven-metadata.xml", "no/such/thing/1/x.jar", ""]) {
    const response = await registry.request(`${ROOT}/${path}`, { token: null });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toContain("Basic");
  }
  const sent = await registry.request(`${ROOT}/${POM}`, { method: "PUT", body: "x", token: null });
  expect(sent.status).toBe(401);
});
