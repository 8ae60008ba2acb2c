import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  answer,
  type MisbehavingUpstream,
  startUpstream,
} from "../../support/misbehaving-upstream.ts";
import { openTestRegistry, type TestRegistry } from "../../support/services.ts";
import { changeRegistry, createComposite, createProxy } from "../../support/upstreams.ts";
import { deploy, deployBuild, elements, pom, put } from "./builders.ts";
import { metadataOf, serveArtifact, serveFile, sum } from "./upstream-artifacts.ts";

let first: MisbehavingUpstream;
let second: MisbehavingUpstream;
let registry: TestRegistry;

beforeEach(async () => {
  [first, second] = await Promise.all([startUpstream(), startUpstream()]);
  registry = await openTestRegistry();
  await registry.createRegistry({ slug: "libs", ecosystem: "maven" });
  for (const [slug, { url }] of [
    ["first", first],
    ["second", second],
  ] as const) {
    await createProxy(registry, {
      slug,
      ecosystem: "maven",
      url,
      upstream: { documentTtlSeconds: 60 },
    });
  }
  await createComposite(registry, {
    slug: "all",
    ecosystem: "maven",
    upstreams: ["libs", "first", "second"],
    publishTo: "libs",
  });
});

afterEach(async () => {
  await registry.close();
  await Promise.all([first.close(), second.close()]);
});

const get = (path: string): Promise<Response> => registry.request(`/maven/all${path}`);
const textOf = async (path: string): Promise<string> => {
  const response = await get(path);
  return response.status === 200 ? response.text() : `${response.status}`;
};
const versions = async (artifact: string): Promise<readonly string[]> =>
  elements(await textOf(`/org/example/${artifact}/maven-metadata.xml`), "version");

describe("a name that a source registry has", () => {
  beforeEach(async () => {
    serveArtifact(first, "demo", ["1.0", "99.0"]);
    await deploy(registry, "demo", "1.0");
  });

  test("is asked of no upstream, whatever that has", async () => {
    expect(await versions("demo")).toEqual(["1.0"]);
    expect(await textOf("/org/example/demo/1.0/demo-1.0.jar")).toBe("demo 1.0");
    expect(await textOf("/org/example/demo/99.0/demo-99.0.jar")).toBe("404");
    expect(await textOf("/org/example/demo/1.0/demo-1.0-sources.jar")).toBe("404");
    expect(await textOf("/org/example/demo/2.0-SNAPSHOT/maven-metadata.xml")).toBe("404");
    expect([first.requests(), second.requests()]).toEqual([0, 0]);
  });

  test("is mixed where a rule says so, its own versions first", async () => {
    await changeRegistry(registry, "all", {
      packageRules: [{ pattern: "org.example:*", external: "allow" }],
    });
    expect(await versions("demo")).toEqual(["1.0", "99.0"]);
    expect(await textOf("/org/example/demo/1.0/demo-1.0.jar")).toBe("demo 1.0");
    expect(await textOf("/org/example/demo/1.0/demo-1.0-sources.jar")).toBe("404");
    expect(await textOf("/org/example/demo/99.0/demo-99.0.jar")).toContain("upstream");
    serveFile(first, "/org/example/demo/1.0/demo-1.0-javadoc.jar", "not of this version");
    await registry.request("/maven/first/org/example/demo/1.0/demo-1.0-javadoc.jar");
    expect(await textOf("/org/example/demo/1.0/")).not.toContain("javadoc");
  });

  test("is published through the composite", async () => {
    const folder = "/maven/all/org/example/demo/1.1/demo-1.1";
    const send = (path: string, body: string) => registry.request(path, { method: "PUT", body });
    expect((await send(`${folder}.pom`, pom("demo", "1.1"))).status).toBe(201);
    expect((await send(`${folder}.jar`, "new")).status).toBe(201);
    expect(await versions("demo")).toEqual(["1.0", "1.1"]);
    expect(await textOf("/org/example/demo/1.1/demo-1.1.jar.sha1")).toBe(sum("sha1", "new"));
  });
});

describe("upstreams in order", () => {
  test("are merged, and a version is that of the first one that has it", async () => {
    serveArtifact(first, "lib", ["1.0", "1.1"]);
    serveArtifact(second, "lib", ["1.1", "2.0"]);
    serveFile(second, "/org/example/lib/1.1/lib-1.1.jar", "of the second");
    expect(await versions("lib")).toEqual(["1.0", "1.1", "2.0"]);
    expect(await textOf("/org/example/lib/1.1/lib-1.1.jar")).toContain("upstream");
    expect(await textOf("/org/example/lib/2.0/lib-2.0.jar")).toContain("2.0");
    const listed = await registry.request(
      "/api/v1/registries/all/packages/org.example:lib/versions",
    );
    expect(await listed.json()).toMatchObject({
      items: expect.arrayContaining([
        expect.objectContaining({ version: "1.1", publishedBy: "first" }),
        expect.objectContaining({ version: "2.0", publishedBy: "second" }),
      ]),
    });
  });

  test("are not passed over when they fail: another's file would take the place of theirs", async () => {
    first.on("*", answer("", { status: 503 }));
    serveArtifact(second, "lib", ["1.0"]);
    expect(await textOf("/org/example/lib/1.0/lib-1.0.jar")).toBe("502");
    expect(await textOf("/org/example/lib/maven-metadata.xml")).toBe("502");
  });

  test("are asked for no name that a rule or the upstream's patterns keep from them", async () => {
    serveArtifact(first, "lib", ["1.0"]);
    await changeRegistry(registry, "all", {
      packageRules: [{ pattern: "org.example:*", external: "block" }],
    });
    expect(await textOf("/org/example/lib/1.0/lib-1.0.pom")).toBe("404");
    expect(await textOf("/org/example/lib/maven-metadata.xml")).toBe("404");
    expect(await textOf("/org/example/lib/1-SNAPSHOT/maven-metadata.xml")).toBe("404");
    expect([first.requests(), second.requests()]).toEqual([0, 0]);
  });
});

describe("snapshots", () => {
  test("of a source are found by their newest build", async () => {
    await deployBuild(registry, "demo", "1.0", "20260101.000000-1");
    await deployBuild(registry, "demo", "1.0", "20260102.000000-2");
    const folder = "/org/example/demo/1.0-SNAPSHOT";
    expect(elements(await textOf(`${folder}/maven-metadata.xml`), "buildNumber")).toEqual(["2"]);
    expect(await textOf(`${folder}/demo-1.0-SNAPSHOT.jar`)).toBe("build 20260102.000000-2");
  });

  test("of an upstream are those of the first that has them", async () => {
    const path = "/org/example/demo/1.0-SNAPSHOT/maven-metadata.xml";
    second.on(path, answer("<metadata><version>1.0-SNAPSHOT</version></metadata>"));
    expect(elements(await textOf(path), "version")).toEqual(["1.0-SNAPSHOT"]);
    expect(first.requests(path)).toBe(1);
  });
});

describe("plugins of a group", () => {
  const GROUP = "/org/example/maven-metadata.xml";
  const pluginsOf = (...plugins: readonly (readonly [string, string])[]): string =>
    `<metadata><plugins>${plugins.map(([prefix, artifact]) => `<plugin><prefix>${prefix}</prefix><artifactId>${artifact}</artifactId></plugin>`).join("")}</plugins></metadata>`;

  test("are those of all, and a prefix is that of the first that has it", async () => {
    await deploy(registry, "own-maven-plugin", "1", "<packaging>maven-plugin</packaging>");
    await put(registry, GROUP.slice(1), pluginsOf(["own", "own-maven-plugin"]));
    first.on(
      GROUP,
      answer(pluginsOf(["own", "evil-plugin"], ["other", "own-maven-plugin"], ["a", "a-plugin"])),
    );
    second.on(GROUP, answer(pluginsOf(["a", "another-plugin"], ["b", "b-plugin"])));
    const text = await textOf(GROUP);
    expect(elements(text, "prefix")).toEqual(["own", "a", "b"]);
    expect(elements(text, "artifactId")).toEqual(["own-maven-plugin", "a-plugin", "b-plugin"]);
    expect(await textOf(`${GROUP}.sha1`)).toBe(sum("sha1", text));
  });

  test("stand beside an artifact whose metadata has the same path", async () => {
    first.on(GROUP, answer(pluginsOf(["a", "a-plugin"])));
    second.on(GROUP, answer(metadataOf("org", "example", ["1.0"])));
    expect(elements(await textOf(GROUP), "version")).toEqual(["1.0"]);
  });
});

describe("what else is asked of a composite", () => {
  test("archetypes are those of its sources", async () => {
    await deploy(registry, "starter", "1.0", "<packaging>maven-archetype</packaging>");
    expect(elements(await textOf("/archetype-catalog.xml"), "artifactId")).toEqual(["starter"]);
  });

  test("folders have what its sources have and what was fetched, and say so", async () => {
    await deploy(registry, "demo", "1.0");
    serveArtifact(first, "lib", ["1.0", "1.1"]);
    serveArtifact(first, "aaa", ["1.0"]);
    expect(await versions("aaa")).toEqual(["1.0"]);
    await textOf("/org/example/lib/maven-metadata.xml");
    await textOf("/org/example/lib/1.1/lib-1.1.jar");
    const links = async (path: string): Promise<readonly string[]> =>
      [...(await textOf(path)).matchAll(/<th scope="row"><a href="([^"]+)"/g)].map(
        ([, href = ""]) => href,
      );
    expect(await links("/")).toEqual(["org/"]);
    expect(await links("/org/example/")).toEqual(["demo/", "lib/"]);
    expect(await links("/org/example/lib/")).toEqual(["1.1/", "maven-metadata.xml"]);
    expect(await links("/org/example/lib/1.1/")).toEqual(["lib-1.1.jar"]);
    expect(await links("/org/example/demo/1.0/")).toEqual(["demo-1.0.jar", "demo-1.0.pom"]);
    expect(await textOf("/org/example/lib/")).toContain("only what was fetched before");
  });

  test("a minimum age counts for its sources too", async () => {
    await deploy(registry, "demo", "1.0");
    registry.clock.aheadMs += 8 * 86_400_000;
    await deploy(registry, "demo", "2.0");
    await changeRegistry(registry, "all", { minimumAgeDays: 7 });
    expect(await versions("demo")).toEqual(["1.0"]);
    expect(await textOf("/org/example/demo/2.0/demo-2.0.jar")).toBe("404");
    registry.clock.aheadMs += 8 * 86_400_000;
    expect(await versions("demo")).toEqual(["1.0", "2.0"]);
  });
});
