import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readImageList } from "../../../../cli/client/lockfiles/image-list.ts";
import { distinct, type Lockfile, LockfileError } from "../../../../cli/client/lockfiles/locked.ts";
import { readMavenList, readPom } from "../../../../cli/client/lockfiles/maven-list.ts";
import { readNpmLock } from "../../../../cli/client/lockfiles/npm-lock.ts";
import { readPnpmLock } from "../../../../cli/client/lockfiles/pnpm-lock.ts";
import { readPythonLock } from "../../../../cli/client/lockfiles/python-lock.ts";
import { readRequirements } from "../../../../cli/client/lockfiles/requirements.ts";
import { readYarnLock } from "../../../../cli/client/lockfiles/yarn-lock.ts";

/** Written by the tools themselves: npm 11, pnpm 10, Yarn 1 and 4, uv, Maven's dependency plugin. */
const sample = (name: string): string =>
  readFileSync(join(import.meta.dirname, "samples", name), "utf8");

const names = ({ packages }: Lockfile): readonly string[] =>
  [...new Set(packages.map((one) => `${one.package} ${one.version}`))].sort();

const NPM = [
  "@types/ms 0.7.34",
  "is-number 4.0.0",
  "is-number 6.0.0",
  "is-odd 2.0.0",
  "is-odd 3.0.1",
];
/** Of is-odd 3.0.1, from its packument. */
const IS_ODD = `sha512:${Buffer.from(
  "CQpnWPrDwmP1+SMHXZhtLtJv90yiyVfluGsX5iNCVkrhQtU3TQHsUWPG9wkdk9Lgd5yNpAg9jQEo90CBaXgWMA==",
  "base64",
).toString("hex")}`;

describe("locks of npm packages", () => {
  test.each([
    ["package-lock-v1.json", readNpmLock],
    ["package-lock-v2.json", readNpmLock],
    ["package-lock-v3.json", readNpmLock],
    ["pnpm-lock.yaml", readPnpmLock],
    ["yarn-1.lock", readYarnLock],
  ] as const)("%s names each package by its real name, with its sum", (file, read) => {
    const lockfile = read(sample(file));
    expect(names(lockfile)).toEqual(NPM);
    expect(lockfile.skipped).toEqual([]);
    const isOdd = lockfile.packages.find(
      (one) => one.package === "is-odd" && one.version === "3.0.1",
    );
    expect(isOdd?.digests).toEqual([IS_ODD]);
  });

  test("of Yarn 4 name packages without sums of a registry", () => {
    const lockfile = readYarnLock(sample("yarn-4.lock"));
    expect(names(lockfile)).toEqual(NPM);
    expect(lockfile.packages.every(({ digests }) => digests.length === 0)).toBe(true);
    expect(lockfile.skipped).toEqual([]);
  });

  test("of npm leave out workspaces, links, bundles, and what is from elsewhere", () => {
    const lock = {
      lockfileVersion: 3,
      packages: {
        "": { name: "app", version: "1.0.0" },
        "packages/a": { version: "1.0.0" },
        "node_modules/a": { resolved: "packages/a", link: true },
        "node_modules/b": { version: "1.0.0", resolved: "git+ssh://git@example.com/b.git#abc" },
        "node_modules/c/node_modules/d": { version: "1.0.0", inBundle: true },
        "node_modules/e": { version: "1.0.0", resolved: "file:e.tgz" },
      },
    };
    const { packages, skipped } = readNpmLock(JSON.stringify(lock));
    expect(packages).toEqual([]);
    expect(skipped).toHaveLength(2);
  });

  test("of older pnpm are read too", () => {
    const lock = (key: string): string =>
      `lockfileVersion: '6.0'\n\npackages:\n\n  ${key}:\n    resolution: {integrity: sha1-AAAA}\n`;
    for (const key of ["/@a/b@1.0.0(react@18.0.0)", "/@a/b/1.0.0", "/@a/b/1.0.0_react@18.0.0"]) {
      expect(names(readPnpmLock(lock(key)))).toEqual(["@a/b 1.0.0"]);
    }
  });
});

describe("locks of Python packages", () => {
  test("requirements with hashes mean the files that have them", () => {
    const { packages, skipped } = readRequirements(sample("requirements.txt"));
    expect(skipped).toEqual([]);
    expect(packages.map(({ package: name, version }) => [name, version])).toEqual([
      ["click", "8.1.7"],
      ["idna", "3.7"],
    ]);
    expect(packages[1]).toMatchObject({
      byDigest: true,
      digests: [
        "sha256:028ff3aadf0609c1fd278d8ea3089299412a7a8b9bd005dd08b9f8285bcb5cfc",
        "sha256:82fee1fc78add43492d3a1898bfa6d8a904cc97d8427f683ed8e798d07761aa0",
      ],
    });
  });

  test("requirements without hashes mean all files, and what is not pinned is named", () => {
    const { packages, skipped } = readRequirements(
      [
        "--index-url https://example.com/simple",
        "a[x,y] == 1.0 ; python_version < '4'  # why",
        "b>=2",
        "c==1.*",
        "-e ./d",
        "-r more.txt",
        "f @ https://example.com/f.whl",
      ].join("\n"),
    );
    expect(packages).toEqual([{ package: "a", version: "1.0", digests: [] }]);
    expect(skipped).toEqual(["b>=2", "c==1.*", "-e", "-r", "f"]);
  });

  test("uv.lock names each file with its sum, and not the project", () => {
    const { packages, skipped } = readPythonLock(sample("uv.lock"));
    expect(skipped).toEqual([]);
    expect(packages.map(({ package: name, path }) => [name, path])).toEqual([
      ["colorama", "colorama-0.4.6.tar.gz"],
      ["colorama", "colorama-0.4.6-py2.py3-none-any.whl"],
      ["idna", "idna-3.7.tar.gz"],
      ["idna", "idna-3.7-py3-none-any.whl"],
    ]);
    expect(packages[3]?.digests).toEqual([
      "sha256:82fee1fc78add43492d3a1898bfa6d8a904cc97d8427f683ed8e798d07761aa0",
    ]);
  });

  test("poetry.lock names each file with its sum, and what is from elsewhere", () => {
    const lock = `[[package]]
name = "idna"
version = "3.7"
optional = false
files = [
    {file = "idna-3.7-py3-none-any.whl", hash = "sha256:${"ab".repeat(32)}"},
    {file = "idna-3.7.tar.gz", hash = "sha256:${"cd".repeat(32)}"},
]

[[package]]
name = "other"
version = "1.0"
files = []

[package.source]
type = "git"
url = "https://example.com/other.git"

[metadata]
lock-version = "2.1"
`;
    const { packages, skipped } = readPythonLock(lock);
    expect(packages.map(({ path, digests }) => [path, digests])).toEqual([
      ["idna-3.7-py3-none-any.whl", [`sha256:${"ab".repeat(32)}`]],
      ["idna-3.7.tar.gz", [`sha256:${"cd".repeat(32)}`]],
    ]);
    expect(skipped).toEqual(["other"]);
  });
});

describe("locks of Maven artifacts", () => {
  const paths = ({ packages }: Lockfile): readonly string[] =>
    packages.map((one) => `${one.package}/${one.path ?? ""}`);

  test("the output of dependency:list means POMs and files, classifiers included", () => {
    const lockfile = readMavenList(sample("dependency-list.txt"));
    expect(lockfile.packages).toHaveLength(18);
    expect(paths(lockfile)).toContain(
      "io.netty:netty-transport-native-epoll/netty-transport-native-epoll-4.1.100.Final-linux-x86_64.jar",
    );
    expect(paths(lockfile).slice(0, 2)).toEqual([
      "commons-logging:commons-logging/commons-logging-1.2.pom",
      "commons-logging:commons-logging/commons-logging-1.2.jar",
    ]);
    const logged = sample("dependency-list.txt").replaceAll(/^ +/gm, "[INFO]    ");
    expect(paths(readMavenList(logged))).toEqual(paths(lockfile));
  });

  test("a gradle.lockfile means POMs, and module files and jars if there are any", () => {
    const { packages } = readMavenList(
      "# This is a Gradle generated file for dependency locking.\ncommons-logging:commons-logging:1.2=compileClasspath,runtimeClasspath\nempty=annotationProcessor\n",
    );
    expect(packages.map(({ path, optional }) => [path, optional])).toEqual([
      ["commons-logging-1.2.pom", undefined],
      ["commons-logging-1.2.jar", true],
      ["commons-logging-1.2.module", true],
    ]);
  });

  test("a POM means its direct dependencies, with properties filled in", () => {
    expect(paths(readPom(sample("pom.xml"))).filter((path) => path.endsWith(".jar"))).toEqual([
      "commons-logging:commons-logging/commons-logging-1.2.jar",
      "org.hamcrest:hamcrest/hamcrest-2.2.jar",
      "io.netty:netty-transport-native-epoll/netty-transport-native-epoll-4.1.100.Final-linux-x86_64.jar",
    ]);
    const managed =
      "<project><dependencies><dependency><groupId>a</groupId><artifactId>b</artifactId></dependency></dependencies></project>";
    expect(readPom(managed)).toEqual({ packages: [], skipped: ["a:b:(no version)"] });
  });
});

describe("lists of images", () => {
  test("are references as docker takes them, without the host", () => {
    const digest = `sha256:${"0a".repeat(32)}`;
    const { packages, skipped } = readImageList(
      [
        "# base images",
        "alpine",
        "docker.io/library/debian:12-slim # why",
        `localhost:5000/team/app:1.0@${digest}`,
        "grafana/grafana:11.0.0",
        "Not An Image",
      ].join("\n"),
    );
    expect(packages.map((one) => `${one.package} ${one.version}`)).toEqual([
      "alpine latest",
      "library/debian 12-slim",
      `team/app ${digest}`,
      "grafana/grafana 11.0.0",
    ]);
    expect(skipped).toEqual(["Not"]);
  });
});

describe("any text", () => {
  test.each([
    ["npm", readNpmLock],
    ["pnpm", readPnpmLock],
    ["yarn", readYarnLock],
    ["requirements", readRequirements],
    ["python", readPythonLock],
    ["maven", readMavenList],
    ["pom", readPom],
    ["images", readImageList],
  ] as const)("is read as %s or refused as none", (_name, read) => {
    const texts = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .string()
        .map((text) => `lockfileVersion: 9\npackages:\n  ${text}:\n    resolution: {${text}}`),
      fc.string().map((text) => `# yarn lockfile v1\n${text}@1:\n  version ${text}`),
      fc.string().map((text) => `[[package]]\nname = "${text}"\nversion = "1"\nurl = "${text}"`),
      fc.json().map((json) => `{"lockfileVersion":3,"packages":${json},"dependencies":${json}}`),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          read(text);
        } catch (error) {
          expect(error).toBeInstanceOf(LockfileError);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("that is long and repeats itself is read in no time", () => {
    const long = `${'"'.repeat(50_000)}${"a@".repeat(50_000)}${" ".repeat(50_000)}`;
    const before = performance.now();
    for (const read of [readRequirements, readMavenList, readImageList]) read(long);
    readYarnLock(`# yarn lockfile v1\n${long}:\n  version "1"`);
    readPnpmLock(`lockfileVersion: '9'\npackages:\n  ${long}:\n    resolution: {${long}}`);
    readPythonLock(`[[package]]\nname = "a"\nversion = "1"\n{ url = "${long}`);
    expect(performance.now() - before).toBeLessThan(2000);
  });
});

test("what several lockfiles name is there once", () => {
  const one = { package: "a", version: "1", digests: [] };
  expect(distinct([one, { ...one }, { ...one, version: "2" }])).toHaveLength(2);
});
