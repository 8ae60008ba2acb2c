import { cp, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runTool, writeFiles } from "./jvm-tools.ts";
import type { TestServer } from "./server.ts";

/** Plugins come from Maven Central once; nothing of the tests is ever installed here. */
const PLUGINS = join(dirname(fileURLToPath(import.meta.url)), "..", "..", ".tmp", "maven-plugins");

export interface MavenProject {
  /** Below the folder, by path; written before the run. */
  readonly files: Readonly<Record<string, string>>;
  readonly folder: string;
  /** A local repository of its own: Maven's bears no two processes. Absent: the one that all tests share. */
  readonly repository?: string;
}

/** Fills a local repository with the plugins that earlier runs got. */
export async function copyRepository(repository: string): Promise<void> {
  await mkdir(PLUGINS, { recursive: true });
  await cp(PLUGINS, repository, { recursive: true });
}

/** The elements of a POM with its coordinates; `more` goes behind them. */
export function pomOf(group: string, artifact: string, version: string, more: string): string {
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>${more}</project>`;
}

/** A parent and as many modules, each of which makes a jar. */
export function modules(
  folder: string,
  group: string,
  version: string,
  count: number,
): MavenProject {
  const names = Array.from({ length: count }, (_, position) => `m${position}`);
  const list = names.map((name) => `<module>${name}</module>`).join("");
  const parent = `<parent><groupId>${group}</groupId><artifactId>parent</artifactId><version>${version}</version></parent>`;
  const files: Record<string, string> = {
    "pom.xml": pomOf(
      group,
      "parent",
      version,
      `<packaging>pom</packaging><modules>${list}</modules>`,
    ),
  };
  for (const name of names) {
    files[`${name}/pom.xml`] = pomOf(group, name, version, parent);
    files[`${name}/src/main/resources/${name}.txt`] = `${name} of ${folder}`;
  }
  return { folder, files };
}

/** Writes the project and runs Maven in it. Rejects with what it printed when it fails. */
export async function runMaven(
  program: string,
  { folder, files, repository = PLUGINS }: MavenProject,
  server: TestServer,
  args: readonly string[],
): Promise<void> {
  await writeFiles(folder, { ...files, "settings.xml": settingsOf(server) });
  await mkdir(repository, { recursive: true });
  await runTool(program, folder, [
    "-B",
    "-s",
    "settings.xml",
    `-Dmaven.repo.local=${repository}`,
    "-Dmaven.install.skip=true",
    ...args,
  ]);
}

/** Where {@link runMaven} keeps what was resolved. */
export const resolvedPath = (path: string): string => join(PLUGINS, path);

/** Credentials and the repository `libs`, as `entrepot setup` has them. */
const settingsOf = ({ url, adminToken }: TestServer): string => `<settings>
  <servers><server><id>libs</id><username>entrepot</username><password>${adminToken}</password></server></servers>
  <profiles><profile><id>libs</id><repositories><repository><id>libs</id><url>${url}/maven/libs/</url>
    <releases><checksumPolicy>fail</checksumPolicy></releases>
    <snapshots><enabled>true</enabled><checksumPolicy>fail</checksumPolicy></snapshots></repository></repositories></profile></profiles>
  <activeProfiles><activeProfile>libs</activeProfile></activeProfiles>
</settings>`;
