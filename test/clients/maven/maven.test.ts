import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { modules, pomOf, resolvedPath, runMaven } from "../../support/maven.ts";
import { describeWith } from "../../support/programs.ts";
import { startServer, type TestServer } from "../../support/server.ts";

describe.each(["mvn", "mvn-3.9"])("Maven as %s", (name) => {
  describeWith(name, "a private registry", (program) => testMaven(program, name));
});

function testMaven(program: string, name: string): void {
  // Another for every run: the local repository with Maven's plugins outlives the test.
  const run = `${name.replaceAll(/\W/g, "-")}-${Date.now().toString(36)}`;
  const GROUP = `org.example.${run}`;
  const FOLDER = `org/example/${run}`;
  let server: TestServer;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "entrepot-maven-"));
    server = await startServer();
    await server.createRegistry({ slug: "libs", ecosystem: "maven", kind: "source" });
  });

  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const deploy = (name: string, version: string, count: number, ...args: string[]): Promise<void> =>
    runMaven(program, modules(join(folder, name), GROUP, version, count), server, [
      ...args,
      "deploy",
      `-DaltDeploymentRepository=libs::default::${server.url}/maven/libs/`,
    ]);
  const text = async (path: string): Promise<string> => {
    const headers = { authorization: `Bearer ${server.adminToken}` };
    return (await fetch(`${server.url}/maven/libs/${FOLDER}/${path}`, { headers })).text();
  };
  const versionsOf = (xml: string): readonly string[] =>
    [...xml.matchAll(/<version>([^<]+)<\/version>/g)].map(([, version = ""]) => version);

  test("deploys twenty modules in four threads", async () => {
    await deploy("many", "1.0", 20, "-T4");
    for (let module = 0; module < 20; module++) {
      expect(versionsOf(await text(`m${module}/maven-metadata.xml`))).toEqual(["1.0"]);
      expect(await text(`m${module}/1.0/m${module}-1.0.jar.sha1`)).toMatch(/^[0-9a-f]{40}$/);
    }
  });

  test("deploys snapshots of one artifact from two jobs at once, and metadata has the newest", async () => {
    const jobs = ["left", "right"].map(async (name, position) => {
      // Names of snapshots hold the second; jobs of one second would take the same name, which only one can have.
      await new Promise((resolve) => setTimeout(resolve, position * 1500));
      await deploy(name, "2.0-SNAPSHOT", 2);
    });
    await Promise.all(jobs);
    const listing = await text("m0/2.0-SNAPSHOT/");
    const builds = [...listing.matchAll(/href="m0-2\.0-([\d.-]+)\.jar"/g)].map(
      ([, build = ""]) => build,
    );
    expect(builds).toHaveLength(2);
    const newest = builds.toSorted((a, b) => numberOf(a) - numberOf(b) || (a < b ? -1 : 1)).at(-1);
    const metadata = await text("m0/2.0-SNAPSHOT/maven-metadata.xml");
    expect(
      [...metadata.matchAll(/<value>2\.0-([^<]+)<\/value>/g)].map(([, value]) => value),
    ).toEqual([newest, newest]);
    expect(versionsOf(await text("m0/maven-metadata.xml"))).toEqual(["1.0", "2.0-SNAPSHOT"]);
  });

  test("resolves ranges and snapshots, sums verified", async () => {
    const dependencies = [
      ["m1", "[1.0,2.0-alpha)"],
      ["m0", "2.0-SNAPSHOT"],
    ].map(
      ([artifact, version]) =>
        `<dependency><groupId>${GROUP}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`,
    );
    const pom = pomOf(GROUP, "app", "1", `<dependencies>${dependencies.join("")}</dependencies>`);
    const files = { "pom.xml": pom, "src/main/resources/a.txt": "a" };
    await runMaven(program, { folder: join(folder, "app"), files }, server, ["-U", "package"]);
    const jar = await readFile(resolvedPath(`${FOLDER}/m1/1.0/m1-1.0.jar`));
    expect(createHash("sha1").update(jar).digest("hex")).toBe(await text("m1/1.0/m1-1.0.jar.sha1"));
    await readFile(resolvedPath(`${FOLDER}/m0/2.0-SNAPSHOT/m0-2.0-SNAPSHOT.jar`));
  });

  test("is told when a release was deployed before", async () => {
    await expect(deploy("again", "1.0", 1)).rejects.toThrow(/409/);
  });
}

/** The number behind the last dash of `20261121.003113-2`. */
const numberOf = (build: string): number => Number(build.slice(build.lastIndexOf("-") + 1));
