import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildWheel, type Distribution } from "../../support/python-package.ts";
import { openPythonHome, type PythonHome } from "../../support/python-clients.ts";
import { startServer, type TestServer } from "../../support/server.ts";

/** A server with registries of Python packages, and a home for the clients that use it. */
export interface PythonRegistry extends AsyncDisposable {
  readonly server: TestServer;
  readonly home: PythonHome;
  uploadUrl(registry?: string): string;
  /** With the admin's token in it. */
  indexUrl(registry?: string): string;
  twineArguments(registry?: string): readonly string[];
  /** Writes a distribution into the folder `dist` of the home; gives its path. */
  write(distribution: Distribution): Promise<string>;
  /** As `write`, for a wheel of one module that knows its version. */
  writeWheel(
    name: string,
    version: string,
    files?: Readonly<Record<string, string>>,
  ): Promise<string>;
  /** A project's page in HTML. */
  page(project: string, registry?: string): Promise<string>;
}

/** `slugs`: the registries to create; the first is the default. */
export async function openPythonRegistry(
  slugs: readonly [string, ...string[]],
): Promise<PythonRegistry> {
  const server = await startServer();
  const home = await openPythonHome();
  const [first] = slugs;
  for (const slug of slugs) {
    await server.createRegistry({ slug, ecosystem: "pypi", kind: "source", visibility: "private" });
  }
  const registry: PythonRegistry = {
    server,
    home,
    uploadUrl: (slug = first) => `${server.url}/pypi/${slug}/`,
    indexUrl: (slug) =>
      `${registry.uploadUrl(slug)}simple/`.replace("://", `://__token__:${server.adminToken}@`),
    twineArguments: (slug) => [
      "upload",
      "--non-interactive",
      "--disable-progress-bar",
      `--repository-url=${registry.uploadUrl(slug)}`,
      "--username=__token__",
      `--password=${server.adminToken}`,
    ],
    write: async ({ fileName, bytes }) => {
      await home.write(`dist/${fileName}`, "");
      const path = join(home.path, "dist", fileName);
      await writeFile(path, bytes);
      return path;
    },
    writeWheel: async (name, version, files = {}) => {
      const module = name.replaceAll("-", "_");
      const metadata = ["Summary: A test", "Requires-Python: >=3.8"];
      const own = { [`${module}/__init__.py`]: `VERSION = "${version}"\n`, ...files };
      return registry.write(buildWheel({ name, version, metadata, files: own }));
    },
    page: async (project, slug) => {
      const headers = { authorization: `Bearer ${server.adminToken}` };
      const url = `${registry.uploadUrl(slug)}simple/${project}/`;
      return (await fetch(url, { headers })).text();
    },
    [Symbol.asyncDispose]: async () => {
      await home[Symbol.asyncDispose]();
      await server.stop();
    },
  };
  return registry;
}
