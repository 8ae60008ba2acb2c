import { createHash } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestRegistry, type TestRegistry } from "../../support/services.ts";
import { elements, pom, put, REGISTRY, textOf } from "./builders.ts";

const GLIB = "org/example/glib";
const SUMS = ["sha1", "md5", "sha256", "sha512"] as const;
let registry: TestRegistry;

beforeEach(async () => {
  registry = await openTestRegistry();
  await registry.createRegistry({ slug: REGISTRY, ecosystem: "maven" });
});

afterEach(async () => registry.close());

/**
 * What Gradle 8 sends for `gradle publish`, in its order, each file with its checksums behind it:
 * https://github.com/gradle/gradle/blob/master/platforms/software/maven/src/main/java/org/gradle/api/publish/maven/internal/publisher/AbstractMavenPublisher.java
 *
 * @param name - of the files: the version, or that of a unique snapshot.
 * @returns statuses of the answers.
 */
async function publish(version: string, name = version): Promise<readonly number[]> {
  const statuses: number[] = [];
  const send = async (path: string, body: string): Promise<void> => {
    statuses.push((await put(registry, path, body)).status);
    for (const sum of SUMS) {
      const hex = createHash(sum).update(body).digest("hex");
      statuses.push((await put(registry, `${path}.${sum}`, hex)).status);
    }
  };
  const file = `${GLIB}/${version}/glib-${name}`;
  await send(`${file}.jar`, `jar of ${name}`);
  await send(`${file}.pom`, pom("glib", version));
  await send(`${file}-sources.jar`, `sources of ${name}`);
  await send(`${file}.module`, `{"formatVersion":"1.1","component":{"version":"${version}"}}`);
  const head = "<metadata><groupId>org.example</groupId><artifactId>glib</artifactId>";
  if (name !== version) {
    const snapshots = `<snapshotVersions><snapshotVersion><extension>jar</extension><value>${name}</value></snapshotVersion></snapshotVersions>`;
    const text = `${head}<version>${version}</version><versioning>${snapshots}</versioning></metadata>`;
    await send(`${GLIB}/${version}/maven-metadata.xml`, text);
  }
  const before = elements(await textOf(registry, `${GLIB}/maven-metadata.xml`), "version");
  const versions = [...before, version].map((each) => `<version>${each}</version>`).join("");
  const versioning = `<latest>${version}</latest><versions>${versions}</versions>`;
  await send(
    `${GLIB}/maven-metadata.xml`,
    `${head}<versioning>${versioning}</versioning></metadata>`,
  );
  return statuses;
}

test("what Gradle publishes is taken whole: module metadata, sources, all four sums of everything", async () => {
  for (const version of ["1.0", "1.1"]) {
    expect(new Set(await publish(version))).toEqual(new Set([201]));
  }
  const metadata = await textOf(registry, `${GLIB}/maven-metadata.xml`);
  expect(elements(metadata, "version")).toEqual(["1.0", "1.1"]);
  expect(await textOf(registry, `${GLIB}/1.1/glib-1.1.module`)).toContain('"version":"1.1"');
});

test("Gradle's snapshots are listed by file, module metadata among them", async () => {
  const name = "2.0-20261121.100001-1";
  expect(new Set(await publish("2.0-SNAPSHOT", name))).toEqual(new Set([201]));
  const metadata = await textOf(registry, `${GLIB}/2.0-SNAPSHOT/maven-metadata.xml`);
  expect(elements(metadata, "extension").toSorted()).toEqual(["jar", "jar", "module", "pom"]);
  expect(new Set(elements(metadata, "value"))).toEqual(new Set([name]));
});

test("publishing a release again is refused, with the first file that differs", async () => {
  await publish("1.0");
  const path = `${GLIB}/1.0/glib-1.0.module`;
  expect((await put(registry, path, "{}")).status).toBe(409);
});
