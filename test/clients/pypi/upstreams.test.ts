import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "../../support/free-port.ts";
import { describeWhen } from "../../support/programs.ts";
import { openPythonHome, type PythonHome, pythonPrograms } from "../../support/python-clients.ts";
import { buildSdist, buildWheel, sha256Of } from "../../support/python-package.ts";
import { startServer, type TestServer } from "../../support/server.ts";

const PUBLIC_INDEX = "https://pypi.org/simple";
const STACK = ["numpy", "scipy", "pandas", "scikit-learn", "matplotlib"];

/** Reads the public index; has a composite, `all`, of its own packages and those. */
let near: TestServer;
/** Reads `all` of the other: everything there, and nothing else, is behind its composite `team`. */
let far: TestServer;
let home: PythonHome;

beforeAll(async () => {
  near = await startServer();
  far = await startServer();
  home = await openPythonHome();
  await near.createRegistry({ slug: "own", ecosystem: "pypi", kind: "source" });
  // A test machine may reach it through a mirror on its own network.
  await proxy(near, "public", { url: PUBLIC_INDEX, allowPrivate: true });
  await composite(near, "all", ["own", "public"]);
  await far.createRegistry({ slug: "own", ecosystem: "pypi", kind: "source" });
  await proxy(far, "near", {
    url: `${near.url}/pypi/all/simple`,
    allowPrivate: true,
    auth: { kind: "bearer" },
    secret: near.adminToken,
    documentTtlSeconds: 0,
  });
  await composite(far, "team", ["own", "near"]);
});

afterAll(async () => {
  await home?.[Symbol.asyncDispose]();
  await near?.stop();
  await far?.stop();
});

async function proxy(server: TestServer, slug: string, upstream: object): Promise<void> {
  const body = JSON.stringify({ key: slug, ecosystem: "pypi", ...upstream });
  const response = await server.api("/upstreams", { method: "POST", body });
  if (response.status !== 201) throw new Error(await response.text());
  await server.createRegistry({ slug, ecosystem: "pypi", kind: "proxy", upstream: slug });
}

const composite = (server: TestServer, slug: string, upstreams: readonly string[]): Promise<void> =>
  server.createRegistry({ slug, ecosystem: "pypi", kind: "composite", upstreams });

const indexUrl = (registry = "team"): string =>
  `${far.url}/pypi/${registry}/simple/`.replace("://", `://__token__:${far.adminToken}@`);

/** Publishes a package of our own. */
async function publish(server: TestServer, twine: string, name: string): Promise<void> {
  const wheel = buildWheel({ name, version: "1.0", metadata: ["Requires-Dist: six"] });
  await home.write(`dist/${wheel.fileName}`, "");
  const path = join(home.path, "dist", wheel.fileName);
  await writeFile(path, wheel.bytes);
  const to = `--repository-url=${server.url}/pypi/own/`;
  const login = ["--username=__token__", `--password=${server.adminToken}`];
  await home.ok(twine, ["upload", "--non-interactive", to, ...login, path]);
}

/** `name==version --hash=…` of each wheel in a folder, with the hashes that the public index has for them. */
async function publicRequirements(folder: string): Promise<readonly string[]> {
  return Promise.all(
    readdirSync(folder).map(async (fileName) => {
      const [name = "", version = ""] = fileName.split("-");
      const page = await (
        await fetch(`${PUBLIC_INDEX}/${name.toLowerCase().replaceAll("_", "-")}/`)
      ).text();
      const [, after = ""] = page.split(`/${fileName}#sha256=`);
      const hash = after.slice(0, 64);
      if (!/^[0-9a-f]{64}$/.test(hash)) throw new Error(`the public index has no ${fileName}`);
      return `${name}==${version} --hash=sha256:${hash}`;
    }),
  );
}

describeWhen(
  pythonPrograms("twine", "pip-26", "uv", "poetry"),
  "twine, pip, uv and poetry",
  "through composites, one Entrepot behind the other",
  (programs) => {
    const environment = async (name: string): Promise<string> => {
      await home.ok(programs.uv, ["venv", "-q", "--python", "python3", name]);
      return join(home.path, name, "bin", "python");
    };
    const requireHashes = (python: string): readonly string[] => [
      ..."pip install --require-hashes --no-deps -r stack.txt --default-index".split(" "),
      indexUrl(),
      "--python",
      python,
    ];
    const usesStack =
      "import numpy, scipy, pandas, sklearn, matplotlib, six; print(numpy.eye(2).sum())";

    test("pip resolves and downloads a scientific stack, which has the hashes of the public index", async () => {
      const download = ["download", "--only-binary", ":all:", "-d", "stack", ...STACK, "six"];
      await home.ok(programs["pip-26"], [...download, "--index-url", indexUrl()]);
      const lines = await publicRequirements(join(home.path, "stack"));
      expect(lines.length).toBeGreaterThan(STACK.length);
      await home.write("stack.txt", `${lines.join("\n")}\n`);
      const python = await environment("warm");
      await home.ok(programs.uv, requireHashes(python));
      expect(await home.ok(python, ["-c", usesStack])).toBe("2.0\n");
    });

    test("uv and poetry lock and install what is from here and what is from there", async () => {
      await publish(near, programs.twine, "near-demo");
      await publish(far, programs.twine, "far-demo");
      const dependencies = '["near-demo", "far-demo", "requests==2.32.3"]';
      const project = `[project]\nname = "user"\nversion = "1.0"\nrequires-python = ">=3.11"\ndependencies = ${dependencies}\n`;
      const lines = await publicRequirements(await downloaded(programs["pip-26"]));
      const hashes = lines.map((line) => line.split("sha256:")[1] ?? "");
      await home.write("uv/pyproject.toml", project);
      const index = ["--default-index", indexUrl()];
      await home.ok(programs.uv, ["lock", ...index], { folder: "uv" });
      await home.ok(programs.uv, ["sync", "--frozen", ...index], { folder: "uv" });
      const source = `[[tool.poetry.source]]\nname = "entrepot"\nurl = "${far.url}/pypi/team/simple/"\npriority = "primary"\n`;
      await home.write("poetry/pyproject.toml", `${project}${source}`);
      const options = {
        folder: "poetry",
        env: {
          POETRY_HTTP_BASIC_ENTREPOT_USERNAME: "__token__",
          POETRY_HTTP_BASIC_ENTREPOT_PASSWORD: far.adminToken,
        },
      };
      await home.ok(programs.poetry, ["lock", "-n"], options);
      await home.ok(programs.poetry, ["install", "-n", "--no-root"], options);
      for (const lock of ["uv/uv.lock", "poetry/poetry.lock"]) {
        const text = await home.read(lock);
        expect(text).toContain("near-demo");
        for (const hash of hashes) expect(text).toContain(hash);
      }
    });

    test("everything installs again from the far one when the near one is gone", async () => {
      await near.stop({ keepData: true });
      const python = await environment("cut-off");
      await home.ok(programs.uv, requireHashes(python));
      expect(await home.ok(python, ["-c", usesStack])).toBe("2.0\n");
      const sync = ["sync", "--frozen", "--reinstall", "--default-index", indexUrl()];
      await home.ok(programs.uv, sync, { folder: "uv" });
      const pip = ["download", "--no-deps", "-d", "again", "--index-url", indexUrl(), "near-demo"];
      await home.ok(programs["pip-26"], pip);
    });

    /** Downloads `requests`; gives the folder. */
    async function downloaded(pip: string): Promise<string> {
      const args = ["download", "--no-deps", "-d", "requests", "--index-url", indexUrl()];
      await home.ok(pip, [...args, "requests==2.32.3"]);
      return join(home.path, "requests");
    }
  },
);

describeWhen(
  pythonPrograms("pypiserver", "pip-26", "uv"),
  "pypiserver, pip and uv",
  "pypiserver, which only has HTML, as upstream",
  (programs) => {
    let child: ChildProcess | undefined;

    afterAll(() => child?.kill());

    test("is read through a proxy, wheel and sdist, with its digests", async () => {
      const wheel = buildWheel({ name: "Html.Demo", version: "1.0" });
      const sdist = await buildSdist({ name: "html-demo", version: "0.9" });
      const folder = join(home.path, "packages");
      await mkdir(folder);
      for (const { fileName, bytes } of [wheel, sdist]) {
        await writeFile(join(folder, fileName), bytes);
      }
      const port = await freePort();
      const args = ["run", "-p", String(port), "-i", "127.0.0.1", "--disable-fallback", folder];
      child = spawn(programs.pypiserver, args, { stdio: "ignore" });
      await listening(port);
      const url = `http://127.0.0.1:${port}/simple`;
      await proxy(far, "html", { url, allowPrivate: true });
      await home.write("html.in", "html-demo\n");
      const lock = ["pip", "compile", "--generate-hashes", "-o", "html.txt", "html.in"];
      await home.ok(programs.uv, [...lock, "--default-index", indexUrl("html")]);
      const download = ["download", "--require-hashes", "-r", "html.txt", "-d", "html"];
      await home.ok(programs["pip-26"], [...download, "--index-url", indexUrl("html")]);
      expect(readdirSync(join(home.path, "html"))).toEqual([wheel.fileName]);
      const headers = { authorization: `Bearer ${far.adminToken}` };
      const old = `${far.url}/pypi/html/files/html-demo/0.9/${sdist.fileName}`;
      const bytes = await (await fetch(old, { headers })).arrayBuffer();
      expect(sha256Of(new Uint8Array(bytes))).toBe(sha256Of(sdist.bytes));
    });
  },
);

/** Waits until a port of this machine is served. */
async function listening(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    const isThere = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isThere) return;
    await sleep(50);
  }
}
