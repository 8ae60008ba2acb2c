import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ForwardingUpstream, startForwarding } from "../../support/forwarding-upstream.ts";
import { runTool, writeFiles } from "../../support/jvm-tools.ts";
import { pomOf } from "../../support/maven.ts";
import { describeWith } from "../../support/programs.ts";
import { startServer, type TestServer } from "../../support/server.ts";

/** The public repository, or a mirror of it. */
const CENTRAL = process.env["ENTREPOT_TEST_MAVEN"] ?? "https://repo.maven.apache.org/maven2";

const GROUP = "com.acme.internal";
const LIBRARY = "com/acme/internal/greeting/1.0/greeting-1.0";

const dependency = (group: string, artifact: string, version: string, scope: string): string =>
  `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version><scope>${scope}</scope></dependency>`;
const COMMONS = dependency("org.apache.commons", "commons-lang3", "3.12.0", "compile");

const COMPILER = `<properties><maven.compiler.source>8</maven.compiler.source><maven.compiler.target>8</maven.compiler.target><project.build.sourceEncoding>UTF-8</project.build.sourceEncoding></properties>`;

const GREETING = {
  "pom.xml": pomOf(GROUP, "greeting", "1.0", COMPILER),
  "src/main/java/com/acme/internal/Greeting.java":
    'package com.acme.internal; public class Greeting { public static final String TEXT = "hello"; }',
} as const;

/** A program with dependencies of its own company (in a range) and of the public repository, and a test. */
const APPLICATION = {
  "pom.xml": pomOf(
    "com.acme",
    "application",
    "1.0",
    `${COMPILER}<dependencies>${dependency(GROUP, "greeting", "[1.0,2.0)", "compile")}${COMMONS}${dependency("junit", "junit", "4.13.2", "test")}</dependencies>`,
  ),
  "src/main/java/com/acme/Application.java": `package com.acme;
import com.acme.internal.Greeting;
import org.apache.commons.lang3.StringUtils;
public class Application { public static String text() { return StringUtils.capitalize(Greeting.TEXT); } }`,
  "src/test/java/com/acme/ApplicationTest.java": `package com.acme;
import org.junit.*;
public class ApplicationTest { @Test public void greets() { Assert.assertEquals("Hello", Application.text()); } }`,
} as const;

let server: TestServer;
let upstream: ForwardingUpstream;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "entrepot-maven-composite-"));
  upstream = await startForwarding(CENTRAL);
  server = await startServer();
  await writeFiles(folder, {
    ...below("greeting", GREETING),
    ...below("application", APPLICATION),
  });
  await writeFile(join(folder, "settings.xml"), settings(server));
  const post = async (path: string, body: object): Promise<void> => {
    const answer = await server.api(path, { method: "POST", body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(await answer.text());
  };
  const ecosystem = "maven";
  await post("/upstreams", { key: "central", ecosystem, url: upstream.url, allowPrivate: true });
  await post("/registries", { slug: "own", ecosystem, kind: "source" });
  await post("/registries", { slug: "central", ecosystem, kind: "proxy", upstream: "central" });
  const composite = { upstreams: ["own", "central"], publishTo: "own" };
  await post("/registries", { slug: "all", ecosystem, kind: "composite", ...composite });
  const path = "com/acme/internal/plain/1.0/plain-1.0";
  const pom = pomOf(GROUP, "plain", "1.0", `<dependencies>${COMMONS}</dependencies>`);
  for (const [suffix, body] of [
    ["pom", pom],
    ["jar", "plain"],
  ] as const) {
    const answer = await request(`all/${path}.${suffix}`, { method: "PUT", body });
    if (answer.status !== 201) throw new Error(await answer.text());
  }
});

afterAll(async () => {
  await server?.stop();
  await upstream?.cutOff();
  await rm(folder, { recursive: true, force: true });
});

const below = (name: string, files: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(files).map(([path, text]) => [`${name}/${path}`, text]));

const request = (path: string, init: RequestInit = {}): Promise<Response> => {
  const headers = { authorization: `Bearer ${server.adminToken}` };
  return fetch(`${server.url}/maven/${path}`, { ...init, headers });
};

const settings = ({ url, adminToken }: TestServer): string => `<settings>
  <mirrors><mirror><id>all</id><mirrorOf>*</mirrorOf><url>${url}/maven/all/</url></mirror></mirrors>
  <servers><server><id>all</id><username>entrepot</username><password>${adminToken}</password></server></servers>
</settings>`;

/** What other tools resolve: an artifact of ours, and what it needs from the public repository. */
const RESOLVED = ["commons-lang3-3.12.0.jar", "plain-1.0.jar"];

describeWith("coursier", "coursier, which sbt resolves with,", (coursier) => {
  test("resolves through a composite", async () => {
    const login = `${new URL(server.url).hostname} entrepot:${server.adminToken}`;
    const from = ["--no-default", "--credentials", login, "-r", `${server.url}/maven/all/`];
    const args = ["fetch", ...from, `${GROUP}:plain:1.+`];
    const cache = { COURSIER_CACHE: join(folder, "coursier") };
    const printed = await runTool(coursier, folder, args, cache);
    const names = printed
      .trim()
      .split("\n")
      .map((path) => basename(path));
    expect(names.toSorted()).toEqual(RESOLVED);
  });
});

describeWith("gradle", "Gradle, as Debian has it,", (gradle) => {
  test("resolves through a composite", async () => {
    const project = join(folder, "gradle");
    await writeFiles(project, {
      "settings.gradle": "rootProject.name = 'resolving'",
      "build.gradle": `apply plugin: 'java'
repositories { maven { url '${server.url}/maven/all/'; credentials { username 'entrepot'; password '${server.adminToken}' } } }
dependencies { compile '${GROUP}:plain:[1.0,2.0)' }
task show { doLast { configurations.compile.files.each { println it.name } } }
`,
    });
    const args = ["--no-daemon", "-q", "-g", join(folder, "gradle-home"), "show"];
    const printed = await runTool(gradle, project, args);
    expect(printed.trim().split("\n").toSorted()).toEqual(RESOLVED);
  });
});

describeWith(
  "mvn",
  "a build of Maven's, everything of which comes through a composite,",
  (program) => {
    const maven = (project: string, repository: string, ...goals: string[]): Promise<string> =>
      runTool(program, join(folder, project), [
        "-B",
        // A checksum that is wrong ends the build.
        "-C",
        "-s",
        join(folder, "settings.xml"),
        `-Dmaven.repo.local=${join(folder, repository)}`,
        ...goals,
      ]);

    beforeAll(async () => {
      const target = `-DaltDeploymentRepository=all::default::${server.url}/maven/all/`;
      await maven("greeting", "cold", "deploy", target);
    });

    const build = async (repository: string): Promise<void> => {
      await maven("application", repository, "clean", "package");
      const local = await readFile(join(folder, repository, `${LIBRARY}.jar`));
      const sum = await (await request(`own/${LIBRARY}.jar.sha1`)).text();
      expect(createHash("sha1").update(local).digest("hex")).toBe(sum);
    };

    test("works cold, and asks the public repository for nothing twice and nothing of ours", async () => {
      await build("cold");
      const asked = upstream.requested;
      expect(new Set(asked).size).toBe(asked.length);
      expect(asked.filter((path) => path.startsWith("/com/acme/internal"))).toEqual([]);
    });

    test("works with an empty local repository without a request to the public one", async () => {
      const before = upstream.requested.length;
      await build("warm");
      expect(upstream.requested.slice(before)).toEqual([]);
    });

    test("works with the public repository cut off", async () => {
      await upstream.cutOff();
      await build("cut-off");
    });
  },
);
