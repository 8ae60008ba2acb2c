import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeFiles } from "../../support/jvm-tools.ts";
import {
  copyRepository,
  type MavenProject,
  modules,
  pomOf,
  resolvedPath,
  runMaven,
} from "../../support/maven.ts";
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

  const deployProject = (project: MavenProject, ...args: string[]): Promise<void> =>
    runMaven(program, project, server, [
      ...args,
      "deploy",
      `-DaltDeploymentRepository=libs::default::${server.url}/maven/libs/`,
    ]);
  const deploy = (name: string, version: string, count: number, ...args: string[]): Promise<void> =>
    deployProject(modules(join(folder, name), GROUP, version, count), ...args);
  const bytes = async (path: string): Promise<Buffer> => {
    const headers = { authorization: `Bearer ${server.adminToken}` };
    const response = await fetch(`${server.url}/maven/libs/${FOLDER}/${path}`, { headers });
    return Buffer.from(await response.arrayBuffer());
  };
  const text = async (path: string): Promise<string> => (await bytes(path)).toString();
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
    // Names of builds hold the second in which Maven started: these two mostly choose the same.
    const jobs = ["left", "right"].map((name) => ({
      ...modules(join(folder, name), GROUP, "2.0-SNAPSHOT", 2),
      repository: join(folder, `${name}-repository`),
    }));
    for (const { repository } of jobs) await copyRepository(repository);
    await Promise.all(jobs.map((job) => deployProject(job)));
    const listing = await text("m0/2.0-SNAPSHOT/");
    const builds = [...listing.matchAll(/href="m0-2\.0-([\d.-]+)\.jar"/g)].map(
      ([, build = ""]) => build,
    );
    expect(builds).toHaveLength(2);
    const newest = builds.toSorted((a, b) => numberOf(a) - numberOf(b) || (a < b ? -1 : 1)).at(-1);
    const metadata = await text("m0/2.0-SNAPSHOT/maven-metadata.xml");
    const files = [...metadata.matchAll(/<extension>(\w+)<\/extension>\s*<value>([^<]+)</g)];
    const named = new Map(files.map(([, extension, value]) => [extension, value]));
    expect(new Set(named.keys())).toEqual(new Set(["jar", "pom"]));
    expect(named.get("jar")).toBe(`2.0-${newest}`);
    for (const [extension, value] of named) {
      const path = `m0/2.0-SNAPSHOT/m0-${value}.${extension}`;
      const sum = createHash("sha1")
        .update(await text(path))
        .digest("hex");
      if (extension === "pom") expect(await text(`${path}.sha1`)).toBe(sum);
    }
    expect(versionsOf(await text("m0/maven-metadata.xml"))).toContain("2.0-SNAPSHOT");
  });

  test("deploys a file without a POM, which is there to stay", async () => {
    await writeFiles(folder, { "alone.jar": "a jar without a POM" });
    await runMaven(program, { folder: join(folder, "alone"), files: {} }, server, [
      "deploy:deploy-file",
      `-Durl=${server.url}/maven/libs/`,
      "-DrepositoryId=libs",
      "-Dfile=../alone.jar",
      "-DgeneratePom=false",
      `-DgroupId=${GROUP}`,
      "-DartifactId=alone",
      "-Dversion=1.0",
    ]);
    expect(versionsOf(await text("alone/maven-metadata.xml"))).toEqual(["1.0"]);
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
