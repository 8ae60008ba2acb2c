import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { gradleBuild, ivySettings, libsOf, runTool, writeFiles } from "../../support/jvm-tools.ts";
import { pomOf } from "../../support/maven.ts";
import { describeWith } from "../../support/programs.ts";
import { startServer, type TestServer } from "../../support/server.ts";

let server: TestServer;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "entrepot-jvm-tools-"));
  server = await startServer();
  await server.createRegistry({ slug: "libs", ecosystem: "maven", kind: "source" });
  for (const version of ["1.0", "1.1", "2.0"]) await deploy("lib", version, "");
  const dependency = `<dependencies><dependency><groupId>org.example</groupId><artifactId>lib</artifactId><version>1.1</version></dependency></dependencies>`;
  await deploy("app", "1.0", dependency);
});

afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

const request = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(libsOf(server) + path, {
    ...init,
    headers: { authorization: `Bearer ${server.adminToken}` },
  });

async function deploy(artifact: string, version: string, more: string): Promise<void> {
  const start = `org/example/${artifact}/${version}/${artifact}-${version}`;
  const files = {
    ".pom": pomOf("org.example", artifact, version, more),
    ".jar": `jar of ${artifact} ${version}`,
    "-sources.jar": `sources of ${artifact} ${version}`,
  };
  for (const [suffix, body] of Object.entries(files)) {
    const response = await request(start + suffix, { method: "PUT", body });
    if (response.status !== 201) throw new Error(await response.text());
  }
}

describeWith("coursier", "coursier, which sbt resolves with,", (coursier) => {
  const fetchFiles = async (...args: string[]): Promise<readonly string[]> => {
    const host = new URL(server.url).hostname;
    const printed = await runTool(
      coursier,
      folder,
      [
        "fetch",
        "--no-default",
        "--credentials",
        `${host} entrepot:${server.adminToken}`,
        "-r",
        libsOf(server),
        ...args,
      ],
      { COURSIER_CACHE: join(folder, "coursier") },
    );
    return printed.trim().split("\n");
  };

  test("resolves what a POM depends on, and checks its sums", async () => {
    const paths = await fetchFiles("org.example:app:1.0");
    const texts = await Promise.all(paths.map((path) => readFile(path, "utf8")));
    expect(texts).toEqual(["jar of app 1.0", "jar of lib 1.1"]);
  });

  test.each([
    ["1.+", "1.1"],
    ["[1.0,1.1)", "1.0"],
    ["latest.release", "2.0"],
  ])("finds %s by maven-metadata.xml", async (range, version) => {
    const [path = ""] = await fetchFiles(`org.example:lib:${range}`);
    expect(await readFile(path, "utf8")).toBe(`jar of lib ${version}`);
  });

  test("finds files by their classifier", async () => {
    const paths = await fetchFiles("--sources", "org.example:lib:1.0");
    const texts = await Promise.all(paths.map((path) => readFile(path, "utf8")));
    expect(texts).toContain("sources of lib 1.0");
  });
});

describeWith("ivy", "Ivy", (ivy) => {
  const runIvy = async (name: string, ...args: string[]): Promise<string> => {
    const cwd = join(folder, name);
    await writeFiles(cwd, { "settings.xml": ivySettings(server, join(cwd, "cache")) });
    return runTool(ivy, cwd, ["-settings", "settings.xml", ...args]);
  };

  test("resolves what a POM depends on", async () => {
    await runIvy(
      "resolve",
      "-dependency",
      "org.example",
      "app",
      "[1.0,2.0)",
      "-retrieve",
      "out/[artifact]-[revision](-[classifier]).[ext]",
      "-confs",
      "default",
    );
    const files = await readdir(join(folder, "resolve", "out"));
    expect(files.toSorted()).toEqual(["app-1.0.jar", "lib-1.1.jar"]);
  });

  test("publishes a version that is complete, and that it finds again", async () => {
    await writeFiles(join(folder, "publish"), {
      "ivy.xml": `<ivy-module version="2.0"><info organisation="org.example" module="ivied"/><publications><artifact name="ivied" ext="jar"/></publications></ivy-module>`,
      "ivied.jar": "jar of ivied",
    });
    await runIvy(
      "publish",
      "-ivy",
      "ivy.xml",
      "-publish",
      "publish",
      "-publishpattern",
      "[artifact].[ext]",
      "-revision",
      "3.1",
      "-deliverto",
      "ivy-[revision].xml",
    );
    expect(await (await request("org/example/ivied/maven-metadata.xml")).text()).toContain(
      "<release>3.1</release>",
    );
    await runIvy(
      "again",
      "-dependency",
      "org.example",
      "ivied",
      "3.+",
      "-retrieve",
      "[artifact].[ext]",
    );
    expect(await readFile(join(folder, "again", "ivied.jar"), "utf8")).toBe("jar of ivied");
  });
});

describeWith("gradle", "Gradle, as Debian has it,", (gradle) => {
  const runGradle = async (dependency: string, task: string): Promise<string> => {
    const cwd = join(folder, "gradle");
    await writeFiles(cwd, {
      "build.gradle": gradleBuild(server, dependency),
      "settings.gradle": "rootProject.name = 'glib'",
      "glib.pom": pomOf("org.example.gradle", "glib", "1.0", ""),
      "src/main/resources/a.txt": "a",
    });
    return runTool(gradle, cwd, ["--no-daemon", "-q", "-g", join(folder, "gradle-home"), task]);
  };

  test("resolves a dynamic version and what it depends on", async () => {
    const printed = await runGradle("org.example:app:[1.0,2.0)", "show");
    expect(printed).toContain("app-1.0.jar\nlib-1.1.jar");
  });

  test("publishes a version that is complete", async () => {
    await runGradle("org.example:lib:2.+", "publish");
    expect(await (await request("org/example/gradle/glib/maven-metadata.xml")).text()).toContain(
      "<release>1.0</release>",
    );
    const jar = await request("org/example/gradle/glib/1.0/glib-1.0.jar.sha256");
    expect(await jar.text()).toMatch(/^[0-9a-f]{64}$/);
  });
});
