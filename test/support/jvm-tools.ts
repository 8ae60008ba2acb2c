import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { TestServer } from "./server.ts";

const run = promisify(execFile);
const TIMEOUT_MS = 300_000;

/** Writes files, given by their paths below the folder. */
export async function writeFiles(
  folder: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

/** What the program printed on its standard output. Rejects with all that it printed when it fails. */
export async function runTool(
  program: string,
  folder: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const options = {
    cwd: folder,
    env: { ...process.env, ...environment },
    timeout: TIMEOUT_MS,
    maxBuffer: 50_000_000,
  };
  const { stdout } = await run(program, args, options).catch((error: unknown) => {
    const printed =
      error instanceof Error && "stdout" in error && "stderr" in error
        ? `${String(error.stdout)}${String(error.stderr)}`
        : "";
    throw new Error(`${program} ${args.join(" ")} failed:\n${printed.slice(-6000)}`, {
      cause: error,
    });
  });
  return stdout;
}

/** Where the registry `libs` of a server is. */
export const libsOf = ({ url }: TestServer): string => `${url}/maven/libs/`;

/** Ivy's settings, as Ivy's own documents have them for a repository in Maven's layout that asks for a password; `cache`: a folder. */
export function ivySettings(server: TestServer, cache: string): string {
  const root = libsOf(server);
  const { hostname } = new URL(root);
  return `<ivysettings>
  <settings defaultResolver="libs"/>
  <credentials host="${hostname}" realm="Entrepot" username="entrepot" passwd="${server.adminToken}"/>
  <caches defaultCacheDir="${cache}"/>
  <resolvers>
    <ibiblio name="libs" m2compatible="true" root="${root}"/>
    <url name="publish" m2compatible="true">
      <artifact pattern="${root}[organisation]/[module]/[revision]/[artifact]-[revision](-[classifier]).[ext]"/>
    </url>
  </resolvers>
</ivysettings>`;
}

/** The build of a library in Gradle 4, which resolves from `libs` and publishes there by its ivy-publish plugin. */
export function gradleBuild(server: TestServer, dependency: string): string {
  const root = libsOf(server);
  return `apply plugin: 'java'
apply plugin: 'ivy-publish'
group = 'org.example.gradle'
version = '1.0'
def login = { username 'entrepot'; password '${server.adminToken}' }
repositories { maven { url '${root}'; credentials(login) } }
dependencies { compile '${dependency}' }
publishing {
  publications {
    lib(IvyPublication) { from components.java; artifact(file('glib.pom')) { extension 'pom'; type 'pom' } }
  }
  repositories { ivy { url '${root}'; layout 'maven'; credentials(login) } }
}
task show { doLast { configurations.compile.files.each { println it.name } } }
`;
}
