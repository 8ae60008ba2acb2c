import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ForwardingUpstream, startForwarding } from "../../support/forwarding-upstream.ts";
import { pomOf } from "../../support/maven.ts";
import { describeWith } from "../../support/programs.ts";
import { startServer, type TestServer } from "../../support/server.ts";

const run = promisify(execFile);
/** The public repository, or a mirror of it. */
const CENTRAL = process.env["ENTREPOT_TEST_MAVEN"] ?? "https://repo.maven.apache.org/maven2";

const GROUP = "com.acme.internal";
const LIBRARY = "com/acme/internal/greeting/1.0/greeting-1.0";

let server: TestServer;
let upstream: ForwardingUpstream;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "entrepot-maven-composite-"));
  upstream = await startForwarding(CENTRAL);
  server = await startServer();
  const post = async (path: string, body: object): Promise<void> => {
    const answer = await server.api(path, { method: "POST", body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(await answer.text());
  };
  const { url } = upstream;
  await post("/upstreams", { key: "central", ecosystem: "maven", url, allowPrivate: true });
  await post("/registries", { slug: "own", ecosystem: "maven", kind: "source" });
  const proxy = { slug: "central", ecosystem: "maven", kind: "proxy", upstream: "central" };
  await post("/registries", proxy);
  const upstreams = ["own", "central"];
  const publishTo = "own";
  await post("/registries", {
    slug: "all",
    ecosystem: "maven",
    kind: "composite",
    upstreams,
    publishTo,
  });
});

afterAll(async () => {
  await server?.stop();
  await upstream?.cutOff();
  await rm(folder, { recursive: true, force: true });
});

async function write(project: string, files: Readonly<Record<string, string>>): Promise<string> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, project, path)), { recursive: true });
    await writeFile(join(folder, project, path), text);
  }
  return join(folder, project);
}

/** Everything through the composite, with a new local repository. Rejects with what was printed. */
async function maven(
  program: string,
  project: string,
  repository: string,
  goals: readonly string[],
) {
  const args = ["-B", "-C", "-s", join(folder, "settings.xml"), ...goals];
  await run(program, [...args, `-Dmaven.repo.local=${join(folder, repository)}`], {
    cwd: project,
    maxBuffer: 50_000_000,
  }).catch((error: unknown) => {
    const printed = error instanceof Error && "stdout" in error ? String(error.stdout) : "";
    throw new Error(`mvn ${goals.join(" ")} failed:\n${printed.slice(-6000)}`, { cause: error });
  });
}

const settings = ({ url, adminToken }: TestServer): string => `<settings>
  <mirrors><mirror><id>all</id><mirrorOf>*</mirrorOf><url>${url}/maven/all/</url></mirror></mirrors>
  <servers><server><id>all</id><username>entrepot</username><password>${adminToken}</password></server></servers>
</settings>`;

const COMPILER = `<properties><maven.compiler.source>8</maven.compiler.source><maven.compiler.target>8</maven.compiler.target><project.build.sourceEncoding>UTF-8</project.build.sourceEncoding></properties>`;

const dependency = (group: string, artifact: string, version: string, scope: string): string =>
  `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version><scope>${scope}</scope></dependency>`;

/** A program with dependencies of its own company, of the public repository (in a range), and a test. */
const APPLICATION = {
  "pom.xml": pomOf(
    "com.acme",
    "application",
    "1.0",
    `${COMPILER}<dependencies>${dependency(GROUP, "greeting", "[1.0,2.0)", "compile")}${dependency("org.apache.commons", "commons-lang3", "3.12.0", "compile")}${dependency("junit", "junit", "4.13.2", "test")}</dependencies>`,
  ),
  "src/main/java/com/acme/Application.java": `package com.acme;
import com.acme.internal.Greeting;
import org.apache.commons.lang3.StringUtils;
public class Application { public static String text() { return StringUtils.capitalize(Greeting.TEXT); } }`,
  "src/test/java/com/acme/ApplicationTest.java": `package com.acme;
import org.junit.*;
public class ApplicationTest { @Test public void greets() { Assert.assertEquals("Hello", Application.text()); } }`,
} as const;

describeWith(
  "mvn",
  "a build through a composite of our own artifacts and the public repository",
  (program) => {
    let application: string;

    beforeAll(async () => {
      await writeFile(join(folder, "settings.xml"), settings(server));
      application = await write("application", APPLICATION);
      const library = await write("greeting", {
        "pom.xml": pomOf(GROUP, "greeting", "1.0", COMPILER),
        "src/main/java/com/acme/internal/Greeting.java":
          'package com.acme.internal; public class Greeting { public static final String TEXT = "hello"; }',
      });
      const target = `-DaltDeploymentRepository=all::default::${server.url}/maven/all/`;
      await maven(program, library, "cold", ["deploy", target]);
    });

    const package_ = async (repository: string): Promise<void> => {
      await maven(program, application, repository, ["clean", "package"]);
      const local = await readFile(join(folder, repository, `${LIBRARY}.jar`));
      const headers = { authorization: `Bearer ${server.adminToken}` };
      const sum = await fetch(`${server.url}/maven/own/${LIBRARY}.jar.sha1`, { headers });
      expect(createHash("sha1").update(local).digest("hex")).toBe(await sum.text());
    };

    test("works cold, and asks the public repository for nothing twice and nothing of ours", async () => {
      await package_("cold");
      const asked = upstream.requested;
      expect(new Set(asked).size).toBe(asked.length);
      expect(asked.filter((path) => path.startsWith("/com/acme/internal"))).toEqual([]);
    });

    test("works with an empty local repository without a request to the public one", async () => {
      const before = upstream.requested.length;
      await package_("warm");
      expect(upstream.requested.slice(before)).toEqual([]);
    });

    test("works with the public repository cut off", async () => {
      await upstream.cutOff();
      await package_("cut-off");
    });
  },
);
