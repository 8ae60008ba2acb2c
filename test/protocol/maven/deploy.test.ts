import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTestRegistry, type TestRegistry } from "../../support/services.ts";
import {
  deploy,
  deployBuild,
  elements,
  pom,
  put,
  REGISTRY,
  ROOT,
  sha1,
  textOf,
} from "./builders.ts";

const DAY_MS = 86_400_000;
const DEMO = "org/example/demo";
let registry: TestRegistry;

beforeEach(async () => {
  registry = await openTestRegistry();
  await registry.createRegistry({ slug: REGISTRY, ecosystem: "maven" });
});

afterEach(async () => registry.close());

const sweepAfter = async (days: number): Promise<void> => {
  registry.clock.aheadMs = days * DAY_MS;
  await registry.services.ecosystems.maven.sweep?.();
};

const version = async (name: string, number: string) => {
  const path = `/api/v1/registries/${REGISTRY}/packages/${encodeURIComponent(name)}/versions/${number}`;
  return (await registry.request(path)).json();
};

describe("files of a release", () => {
  test("come back with sums in headers and beside them", async () => {
    await deploy(registry, "demo", "1.0");
    const path = `${ROOT}/${DEMO}/1.0/demo-1.0.jar`;
    const response = await registry.request(path);
    expect(await response.text()).toBe("demo 1.0");
    expect(response.headers.get("x-checksum-sha1")).toBe(sha1("demo 1.0"));
    expect(await textOf(registry, `${DEMO}/1.0/demo-1.0.jar.sha1`)).toBe(sha1("demo 1.0"));
    for (const sum of ["md5", "sha256", "sha512"]) {
      expect((await registry.request(`${path}.${sum}`)).status).toBe(200);
    }
    expect((await registry.request(path, { method: "HEAD" })).headers.get("content-length")).toBe(
      "8",
    );
    expect((await registry.request(`${path}.asc`)).status).toBe(404);
  });

  test("never change once the release is complete, and may be sent again as they are", async () => {
    await deploy(registry, "demo", "1.0");
    const path = `${DEMO}/1.0/demo-1.0.jar`;
    expect((await put(registry, path, "other")).status).toBe(409);
    expect((await put(registry, path, "demo 1.0")).status).toBe(200);
    expect((await put(registry, `${path}.sha1`, sha1("demo 1.0"))).status).toBe(201);
    expect((await put(registry, `${DEMO}/1.0/demo-1.0.module`, "{}")).status).toBe(201);
    expect((await put(registry, `${DEMO}/1.0/demo-1.0-sources.jar`, "s")).status).toBe(201);
    expect(await textOf(registry, path)).toBe("demo 1.0");
  });

  test("may be replaced while the deploy is not finished, which is shown and in no metadata", async () => {
    const path = `${DEMO}/1.0/demo-1.0.jar`;
    expect((await put(registry, path, "first try")).status).toBe(201);
    expect(await version("org.example:demo", "1.0")).toMatchObject({
      metadata: { deploy: "open" },
    });
    expect(await textOf(registry, `${DEMO}/maven-metadata.xml`)).toBe("404");
    expect(await textOf(registry, `${DEMO}/`)).toContain("deploy not finished");
    expect((await put(registry, path, "second try")).status).toBe(200);
    await put(registry, `${DEMO}/1.0/demo-1.0.pom`, pom("demo", "1.0"));
    expect((await put(registry, path, "third try")).status).toBe(409);
    expect(elements(await textOf(registry, `${DEMO}/maven-metadata.xml`), "version")).toEqual([
      "1.0",
    ]);
  });

  test("of a deploy that was given up go after a week, and can be deployed again", async () => {
    await deploy(registry, "demo", "1.0");
    await put(registry, `${DEMO}/1.1/demo-1.1.jar`, "half");
    await sweepAfter(6);
    await put(registry, `${DEMO}/1.1/demo-1.1-sources.jar`, "half");
    await sweepAfter(8);
    expect(await textOf(registry, `${DEMO}/1.1/demo-1.1.jar`)).toBe("half");
    await sweepAfter(14);
    expect(await textOf(registry, `${DEMO}/1.1/demo-1.1.jar`)).toBe("404");
    expect(await textOf(registry, `${DEMO}/1.0/demo-1.0.jar`)).toBe("demo 1.0");
    await deploy(registry, "demo", "1.1");
    expect(elements(await textOf(registry, `${DEMO}/maven-metadata.xml`), "version")).toEqual([
      "1.0",
      "1.1",
    ]);
  });

  const METADATA =
    "<metadata><groupId>org.example</groupId><artifactId>demo</artifactId><versioning><versions><version>1.0</version></versions></versioning></metadata>";
  test.each([
    ["a POM and no main artifact", { "-tests.jar": "t", ".pom": pom("demo", "1.0") }, ""],
    ["Gradle's metadata and no POM", { ".jar": "j", ".module": "{}" }, ""],
    ["neither, but with metadata that lists it", { ".jar": "j" }, METADATA],
  ])("of a deploy with %s are there to stay", async (_, files, metadata) => {
    for (const [suffix, body] of Object.entries(files)) {
      await put(registry, `${DEMO}/1.0/demo-1.0${suffix}`, body);
    }
    if (metadata !== "") await put(registry, `${DEMO}/maven-metadata.xml`, metadata);
    await sweepAfter(30);
    for (const [suffix, body] of Object.entries(files)) {
      expect(await textOf(registry, `${DEMO}/1.0/demo-1.0${suffix}`)).toBe(body);
    }
    expect(elements(await textOf(registry, `${DEMO}/maven-metadata.xml`), "version")).toEqual([
      "1.0",
    ]);
  });

  test("are refused when a sum says that they were damaged", async () => {
    const wrong = { "x-checksum-sha1": sha1("something else") };
    expect((await put(registry, `${DEMO}/1.0/demo-1.0.jar`, "bytes", wrong)).status).toBe(400);
    await deploy(registry, "demo", "1.0");
    const path = `${DEMO}/1.0/demo-1.0.jar.sha1`;
    expect((await put(registry, path, sha1("something else"))).status).toBe(400);
    expect((await put(registry, path, "no sum")).status).toBe(400);
    expect((await put(registry, `${DEMO}/1.0/demo-1.0-x.jar.sha1`, sha1(""))).status).toBe(409);
  });
});

test("a version with a file of Ivy's in the place of a POM is complete", async () => {
  await put(registry, `${DEMO}/1.0/demo-1.0.jar`, "jar");
  await put(registry, `${DEMO}/1.0/ivy-1.0.xml`, "<ivy-module/>");
  await sweepAfter(30);
  expect(await textOf(registry, `${DEMO}/1.0/demo-1.0.jar`)).toBe("jar");
});

describe("maven-metadata.xml", () => {
  test("lists every version of deploys at once, the highest as latest and release", async () => {
    const versions = ["1.10", "1.9", "2.0-SNAPSHOT", "1.2", "1.0", "1.11-rc1"];
    await Promise.all(versions.map((number) => deploy(registry, "demo", number)));
    const text = await textOf(registry, `${DEMO}/maven-metadata.xml`);
    expect(elements(text, "version").toSorted()).toEqual(versions.toSorted());
    expect(elements(text, "latest")).toEqual(["2.0-SNAPSHOT"]);
    expect(elements(text, "release")).toEqual(["1.11-rc1"]);
    expect(await textOf(registry, `${DEMO}/maven-metadata.xml.sha1`)).toBe(sha1(text));
  });

  test("takes no version from a client that is not here", async () => {
    await deploy(registry, "demo", "1.0");
    const sent =
      "<metadata><groupId>org.example</groupId><artifactId>demo</artifactId><versioning><release>9.9</release><versions><version>9.9</version></versions></versioning></metadata>";
    expect((await put(registry, `${DEMO}/maven-metadata.xml`, sent)).status).toBe(201);
    expect((await put(registry, `${DEMO}/maven-metadata.xml.sha1`, sha1(sent))).status).toBe(201);
    expect(await textOf(registry, `${DEMO}/maven-metadata.xml`)).not.toContain("9.9");
    const others = sent.replace("demo", "other");
    expect((await put(registry, `${DEMO}/maven-metadata.xml`, others)).status).toBe(400);
  });

  test("forgets a version that was deleted", async () => {
    await deploy(registry, "demo", "1.0");
    await deploy(registry, "demo", "1.1");
    const path = `/api/v1/registries/${REGISTRY}/packages/org.example%3Ademo/versions/1.1`;
    expect((await registry.request(path, { method: "DELETE" })).status).toBeLessThan(300);
    const text = await textOf(registry, `${DEMO}/maven-metadata.xml`);
    expect(elements(text, "version")).toEqual(["1.0"]);
    expect(elements(text, "release")).toEqual(["1.0"]);
  });

  test("of a group has the prefixes of plugins that are here, from deploys at once", async () => {
    const plugins = ["one", "two", "three"].map((name) => `${name}-maven-plugin`);
    await Promise.all(
      plugins.map((name) => deploy(registry, name, "1", "<packaging>maven-plugin</packaging>")),
    );
    await Promise.all(
      [...plugins, "absent-maven-plugin"].map((name) =>
        put(
          registry,
          "org/example/maven-metadata.xml",
          `<metadata><plugins><plugin><name>${name} &amp; more</name><prefix>${name.split("-")[0]}</prefix><artifactId>${name}</artifactId></plugin></plugins></metadata>`,
        ),
      ),
    );
    const text = await textOf(registry, "org/example/maven-metadata.xml");
    expect(elements(text, "artifactId").toSorted()).toEqual(plugins.toSorted());
    expect(elements(text, "name")[0]).toContain("&amp; more");
  });

  test("of a snapshot names the newest build, whichever of two jobs came last", async () => {
    const folder = `${DEMO}/1.0-SNAPSHOT`;
    await Promise.all([
      deployBuild(registry, "demo", "1.0", "20261121.100002-1"),
      deployBuild(registry, "demo", "1.0", "20261121.100001-1"),
    ]);
    const text = await textOf(registry, `${folder}/maven-metadata.xml`);
    expect(elements(text, "timestamp")).toEqual(["20261121.100002"]);
    expect(elements(text, "value")).toEqual(["1.0-20261121.100002-1", "1.0-20261121.100002-1"]);
    expect(await textOf(registry, `${folder}/demo-1.0-SNAPSHOT.jar`)).toBe(
      "build 20261121.100002-1",
    );
  });

  test("has both of two builds that chose one name, and neither is told anything but success", async () => {
    const folder = `${DEMO}/1.0-SNAPSHOT`;
    const build = `${folder}/demo-1.0-20261121.100001-1`;
    await put(registry, `${build}.pom`, pom("demo", "1.0-SNAPSHOT"));
    expect((await put(registry, `${build}.jar`, "left")).status).toBe(201);
    const right = await put(registry, `${build}.jar`, "right");
    expect(right.status).toBe(201);
    expect(right.headers.get("location")).toBe("demo-1.0-20261121.100001-2.jar");
    await put(registry, `${build}.pom`, pom("demo", "1.0-SNAPSHOT"));
    for (const job of ["left", "right"]) {
      expect((await put(registry, `${build}.jar.sha1`, sha1(job))).status).toBe(201);
    }
    expect((await put(registry, `${build}.jar.sha1`, sha1("third"))).status).toBe(400);
    const text = await textOf(registry, `${folder}/maven-metadata.xml`);
    expect(elements(text, "value").toSorted()).toEqual([
      "1.0-20261121.100001-1",
      "1.0-20261121.100001-2",
    ]);
    expect(await textOf(registry, `${build}.jar`)).toBe("left");
    expect(await textOf(registry, `${folder}/demo-1.0-SNAPSHOT.jar`)).toBe("right");
    // Ivy looks at the newest build's number only, and asks for every file by it.
    const shared = await textOf(registry, `${folder}/demo-1.0-20261121.100001-2.pom`);
    expect(shared).toBe(pom("demo", "1.0-SNAPSHOT"));
    await deployBuild(registry, "demo", "1.0", "20261121.100002-3");
    expect(await textOf(registry, `${folder}/demo-1.0-20261121.100001-2.pom`)).toBe(shared);
    expect(await textOf(registry, `${folder}/demo-1.0-20261121.100001-3.war`)).toBe("404");
  });

  test("of a snapshot tells classifiers from extensions where both have dots", async () => {
    const build = `${DEMO}/1.0-SNAPSHOT/demo-1.0-20261121.100001-1`;
    for (const end of [".jar", "-jdk1.8.jar", "-jdk1.8.jar.asc", "-bin.tar.gz", ".tar.gz.asc"]) {
      await put(registry, build + end, end);
    }
    const text = await textOf(registry, `${DEMO}/1.0-SNAPSHOT/maven-metadata.xml`);
    expect(elements(text, "classifier")).toEqual(["jdk1.8", "jdk1.8", "bin"]);
    expect(elements(text, "extension")).toEqual(["jar", "jar", "jar.asc", "tar.gz", "tar.gz.asc"]);
  });

  test("keeps the builds of a snapshot as they are", async () => {
    await deployBuild(registry, "demo", "1.0", "20261121.100001-1");
    registry.clock.aheadMs = DAY_MS;
    const path = `${DEMO}/1.0-SNAPSHOT/demo-1.0-20261121.100001-1.jar`;
    expect((await put(registry, path, "other")).status).toBe(409);
  });
});

describe("retention of snapshots", () => {
  const STAMPS = ["20261121.100001-1", "20261121.100002-2", "20261121.100003-3"];
  const left = async (): Promise<readonly string[]> => {
    const page = await textOf(registry, `${DEMO}/1.0-SNAPSHOT/`);
    return STAMPS.filter((stamp) => page.includes(`demo-1.0-${stamp}.jar`));
  };

  test("keeps as many builds as the policy says", async () => {
    await registry.createRegistry({ slug: "few", ecosystem: "maven" });
    const edit = { policies: { snapshotBuilds: 2 } };
    await registry.request(`/api/v1/registries/${REGISTRY}`, {
      method: "PATCH",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(edit),
    });
    for (const stamp of STAMPS) await deployBuild(registry, "demo", "1.0", stamp);
    expect(await left()).toEqual(STAMPS.slice(1));
    expect(await version("org.example:demo", "1.0-SNAPSHOT")).toMatchObject({ fileCount: 4 });
  });

  test("drops builds of another age, but never the newest", async () => {
    for (const stamp of STAMPS) await deployBuild(registry, "demo", "1.0", stamp);
    await registry.request(`/api/v1/registries/${REGISTRY}`, {
      method: "PATCH",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ policies: { snapshotDays: 5 } }),
    });
    await sweepAfter(10);
    expect(await left()).toEqual(STAMPS.slice(2));
  });
});

test("the package page shows the POM, and the catalogue archetypes", async () => {
  const more = `<packaging>maven-archetype</packaging><name>A &lt;name&gt;</name><description>What it is</description>
    <licenses><license><name>Apache-2.0</name></license></licenses>
    <developers><developer><id>ann</id></developer><developer><id>bob</id></developer></developers>
    <dependencies><dependency><groupId>g</groupId><artifactId>a</artifactId><version>1</version></dependency></dependencies>`;
  await deploy(registry, "demo", "1.0", more);
  expect(await version("org.example:demo", "1.0")).toMatchObject({
    metadata: {
      deploy: "complete",
      pom: {
        name: "A <name>",
        description: "What it is",
        licenses: [{ name: "Apache-2.0" }],
        developers: [{ id: "ann" }, { id: "bob" }],
        dependencies: [{ groupId: "g", artifactId: "a", version: "1" }],
      },
    },
  });
  const catalogue = await textOf(registry, "archetype-catalog.xml");
  expect(elements(catalogue, "artifactId")).toEqual(["demo"]);
});

test("folders are listed from the root to the file", async () => {
  await deploy(registry, "demo", "1.0");
  await deploy(registry, "demo-b", "1.0");
  expect(await textOf(registry, "")).toContain('href="org/"');
  expect(await textOf(registry, "org/")).toContain('href="example/"');
  const group = await textOf(registry, "org/example/");
  expect(group).toContain('href="demo/"');
  expect(group).toContain('href="demo-b/"');
  expect(await textOf(registry, `${DEMO}/`)).toContain('href="1.0/"');
  expect(await textOf(registry, `${DEMO}/1.0/`)).toContain('href="demo-1.0.jar"');
  expect(await textOf(registry, "org/nothing/")).toBe("404");
});
