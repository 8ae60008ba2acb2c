import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWhen } from "../../support/programs.ts";
import { buildSdist, buildWheel, sha256Of } from "../../support/python-package.ts";
import { pythonPrograms, realDistributions } from "../../support/python-clients.ts";
import { openPythonRegistry, type PythonRegistry } from "./python-registry.ts";

let registry: PythonRegistry;

beforeAll(async () => {
  registry = await openPythonRegistry(["py", "real"]);
});

afterAll(() => registry?.[Symbol.asyncDispose]());

/** An environment for installs; gives its `python`. */
async function makeEnvironment(uv: string, name: string): Promise<string> {
  await registry.home.ok(uv, ["venv", "-q", "--python", "python3", name]);
  return join(registry.home.path, name, "bin", "python");
}

describeWhen(
  pythonPrograms("twine", "pip-19", "pip-26", "uv"),
  "twine, pip and uv",
  "twine, pip and uv",
  (programs) => {
    test("twine publishes a wheel and an sdist; the same again passes, others are refused in words", async () => {
      const wheel = await registry.writeWheel("twine-demo", "1.0");
      const sdist = await buildSdist({ name: "twine-demo", version: "1.0" });
      const sdistPath = join(registry.home.path, "dist", sdist.fileName);
      await writeFile(sdistPath, sdist.bytes);
      await registry.home.ok(programs.twine, [...registry.twineArguments(), wheel, sdistPath]);
      await registry.home.ok(programs.twine, [...registry.twineArguments(), wheel]);
      await registry.writeWheel("twine-demo", "1.0", { "other.py": "" });
      const { code, output } = await registry.home.run(programs.twine, [
        ...registry.twineArguments(),
        "--verbose",
        wheel,
      ]);
      expect(code).not.toBe(0);
      expect(output).toContain("File already exists");
    });

    test("twine is told in words when its token is wrong", async () => {
      const args = registry
        .twineArguments()
        .map((arg) => arg.replace(registry.server.adminToken, "wrong"));
      const { code, output } = await registry.home.run(programs.twine, [
        ...args,
        await registry.writeWheel("refused-demo", "1.0"),
      ]);
      expect(code).not.toBe(0);
      expect(output).toContain("401");
    });

    test("uv publishes, again too, and is told of a file that exists with other bytes", async () => {
      const args = [
        "publish",
        "--publish-url",
        registry.uploadUrl(),
        "-u",
        "__token__",
        "-p",
        registry.server.adminToken,
      ];
      const wheel = await registry.writeWheel("uv-demo", "1.0");
      await registry.home.ok(programs.uv, [...args, wheel]);
      await registry.home.ok(programs.uv, [...args, wheel]);
      await registry.writeWheel("uv-demo", "1.0", { "other.py": "" });
      const { code, output } = await registry.home.run(programs.uv, [...args, wheel]);
      expect(code).not.toBe(0);
      expect(output).toContain("File already exists");
    });

    test.each(["pip-19", "pip-26"] as const)(
      "%s installs by any spelling of the name",
      async (client) => {
        await registry.home.ok(programs.twine, [
          ...registry.twineArguments(),
          await registry.writeWheel("pip-demo", "2.0"),
        ]);
        const target = join(registry.home.path, `target-${client}`);
        const args = [
          "install",
          "--index-url",
          registry.indexUrl(),
          "--target",
          target,
          "Pip.Demo",
        ];
        await registry.home.ok(programs[client], [...args, "--trusted-host", "127.0.0.1"]);
        expect(readFileSync(join(target, "pip_demo", "__init__.py"), "utf8")).toContain("2.0");
      },
    );

    test.each(["pip-19", "pip-26"] as const)(
      "%s leaves out a yanked release, unless it is asked for",
      async (client) => {
        const name = `yanked-${client}`;
        for (const version of ["1.0", "1.1"]) {
          await registry.home.ok(programs.twine, [
            ...registry.twineArguments(),
            await registry.writeWheel(name, version),
          ]);
        }
        await registry.server.api(`/registries/py/packages/${name}/versions/1.1/deprecation`, {
          method: "PUT",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ message: "loses data" }),
        });
        const args = [
          "download",
          "--no-deps",
          "--index-url",
          registry.indexUrl(),
          "-d",
          `yank-${client}`,
        ];
        const trusted = ["--trusted-host", "127.0.0.1"];
        expect(await registry.home.ok(programs[client], [...args, ...trusted, name])).toContain(
          "-1.0-",
        );
        const pinned = await registry.home.ok(programs[client], [
          ...args,
          ...trusted,
          `${name}==1.1`,
        ]);
        expect(pinned).toContain("loses data");
      },
    );

    test("uv installs, and locks with hashes", async () => {
      await registry.home.ok(programs.twine, [
        ...registry.twineArguments(),
        await registry.writeWheel("lock-demo", "1.0"),
      ]);
      const python = await makeEnvironment(programs.uv, "uv-env");
      await registry.home.write("requirements.in", "lock-demo\n");
      const index = ["--default-index", registry.indexUrl()];
      const lock = ["pip", "compile", "--generate-hashes", "-o", "lock.txt", "requirements.in"];
      await registry.home.ok(programs.uv, [...lock, ...index]);
      const install = ["pip", "install", "--require-hashes", "-r", "lock.txt", "--python", python];
      await registry.home.ok(programs.uv, [...install, ...index]);
      const shown = await registry.home.ok(python, [
        "-c",
        "import lock_demo; print(lock_demo.VERSION)",
      ]);
      expect(shown.trim()).toBe("1.0");
    });
  },
);

describeWhen(
  pythonPrograms("poetry", "pdm", "flit", "hatch"),
  "poetry, pdm, flit and hatch",
  "build tools",
  (programs) => {
    const credentials = (): readonly [string, string] => ["__token__", registry.server.adminToken];

    test("poetry publishes, skips what exists, and adds a package from here", async () => {
      const env = {
        POETRY_HTTP_BASIC_ENTREPOT_USERNAME: credentials()[0],
        POETRY_HTTP_BASIC_ENTREPOT_PASSWORD: credentials()[1],
        POETRY_REPOSITORIES_ENTREPOT_URL: registry.uploadUrl(),
      };
      await registry.home.write("poetry/pyproject.toml", poetryProject());
      await registry.home.write("poetry/dist/.keep", "");
      const wheel = buildWheel({ name: "poetry-demo", version: "1.0" });
      await writeFile(join(registry.home.path, "poetry", "dist", wheel.fileName), wheel.bytes);
      const options = { folder: "poetry", env };
      await registry.home.ok(programs.poetry, ["publish", "-n", "-r", "entrepot"], options);
      const other = buildWheel({ name: "poetry-demo", version: "1.0", files: { "other.py": "" } });
      await writeFile(join(registry.home.path, "poetry", "dist", wheel.fileName), other.bytes);
      const again = ["publish", "-n", "-r", "entrepot", "--skip-existing"];
      expect(await registry.home.ok(programs.poetry, again, options)).toContain(
        "File exists. Skipping",
      );
      await registry.home.write("poetry-user/pyproject.toml", poetryProject("poetry-demo"));
      await registry.home.ok(programs.poetry, ["lock", "-n"], { folder: "poetry-user", env });
      expect(await registry.home.read("poetry-user/poetry.lock")).toContain(sha256Of(wheel.bytes));
      await registry.home.ok(programs.poetry, ["install", "-n", "--no-root"], {
        folder: "poetry-user",
        env,
      });
    });

    test("pdm publishes, and locks a package from here", async () => {
      const wheel = buildWheel({ name: "pdm-demo", version: "1.0" });
      const project = '[project]\nname = "pdm-demo"\nversion = "1.0"\nrequires-python = ">=3.11"\n';
      await registry.home.write("pdm/pyproject.toml", project);
      await registry.home.write(`pdm/dist/${wheel.fileName}`, "");
      await writeFile(join(registry.home.path, "pdm", "dist", wheel.fileName), wheel.bytes);
      const [user, password] = credentials();
      const login = ["--username", user, "--password", password];
      const publish = ["publish", "--no-build", "--repository", registry.uploadUrl(), ...login];
      await registry.home.ok(programs.pdm, publish, { folder: "pdm" });
      const other = buildWheel({ name: "pdm-demo", version: "1.0", files: { "other.py": "" } });
      const path = join(registry.home.path, "pdm", "dist", wheel.fileName);
      await writeFile(path, other.bytes);
      const again = [...publish, "--skip-existing"];
      const said = await registry.home.ok(programs.pdm, again, { folder: "pdm" });
      expect(said).toContain("appears to already exist");
      await writeFile(path, wheel.bytes);
      const dependent = project.replace("pdm-demo", "pdm-user");
      const source = `[[tool.pdm.source]]\nname = "pypi"\nurl = "${registry.indexUrl()}"\n`;
      await registry.home.write(
        "pdm-user/pyproject.toml",
        `${dependent}dependencies = ["pdm-demo"]\n${source}`,
      );
      await registry.home.ok(programs.pdm, ["lock"], { folder: "pdm-user" });
      expect(await registry.home.read("pdm-user/pdm.lock")).toContain(sha256Of(wheel.bytes));
      await registry.home.ok(programs.pdm, ["sync", "--no-self"], { folder: "pdm-user" });
    });

    test("flit builds and publishes", async () => {
      await registry.home.write(
        "flit/pyproject.toml",
        '[build-system]\nrequires = ["flit_core"]\nbuild-backend = "flit_core.buildapi"\n[project]\nname = "Flit.Demo"\nversion = "1.0"\ndescription = "A test"\n[tool.flit.module]\nname = "flit_demo"\n',
      );
      await registry.home.write("flit/flit_demo.py", "");
      const [user, password] = credentials();
      const env = {
        FLIT_INDEX_URL: registry.uploadUrl(),
        FLIT_USERNAME: user,
        FLIT_PASSWORD: password,
      };
      await registry.home.ok(programs.flit, ["publish", "--no-use-vcs"], { folder: "flit", env });
      expect((await registry.page("flit-demo")).split("</a>")).toHaveLength(3);
    });

    test("hatch publishes", async () => {
      const wheel = buildWheel({ name: "hatch-demo", version: "1.0" });
      await registry.home.write(
        "hatch/pyproject.toml",
        '[project]\nname = "hatch-demo"\nversion = "1.0"\n',
      );
      await registry.home.write(`hatch/dist/${wheel.fileName}`, "");
      await writeFile(join(registry.home.path, "hatch", "dist", wheel.fileName), wheel.bytes);
      const [user, password] = credentials();
      const args = ["publish", "--repo", registry.uploadUrl(), "--user", user, "--auth", password];
      await registry.home.ok(programs.hatch, args, { folder: "hatch" });
      expect(await registry.page("hatch-demo")).toContain(wheel.fileName);
    });
  },
);

const REAL = realDistributions();
const REAL_PROGRAMS = pythonPrograms("twine", "pip-19", "pip-26");

describeWhen(
  REAL === undefined || REAL_PROGRAMS === undefined ? undefined : { files: REAL, ...REAL_PROGRAMS },
  "distributions pulled from the public index",
  "distributions of the real world",
  ({ files, ...programs }) => {
    test("are published as they are, and install where only their public hashes are allowed", async () => {
      await registry.home.ok(programs.twine, [...registry.twineArguments("real"), ...files]);
      const lines = files
        .map((file) => {
          const [name = "", version = ""] = basename(file)
            .replace(/\.tar\.gz$/, "")
            .split("-");
          return { name, version, hash: sha256Of(readFileSync(file)), file };
        })
        // One file of each: an sdist beside its wheel has another hash.
        .filter(({ file }) => file.endsWith(".whl"))
        .map(({ name, version, hash }) => `${name}==${version} --hash=sha256:${hash}`);
      await registry.home.write("real.txt", `${lines.join("\n")}\n`);
      const index = ["--index-url", registry.indexUrl("real"), "--trusted-host", "127.0.0.1"];
      const args = ["download", "--require-hashes", "--no-deps", "-r", "real.txt", ...index];
      await registry.home.ok(programs["pip-26"], [...args, "-d", "real-26"]);
      for (const file of files.filter((name) => name.endsWith(".whl"))) {
        const got = readFileSync(join(registry.home.path, "real-26", basename(file)));
        expect(got.equals(readFileSync(file)), file).toBe(true);
      }
      await registry.home.ok(programs["pip-26"], [
        "install",
        ...index,
        `--target=${join(registry.home.path, "real-target")}`,
        "requests==2.32.3",
        "numpy==2.1.3",
        "six==1.17.0",
      ]);
      const old = ["download", "--require-hashes", "--no-deps", "-d", "real-19", "-r", "old.txt"];
      await registry.home.write(
        "old.txt",
        `${lines.filter((line) => /^(?:six|idna|certifi)/.test(line)).join("\n")}\n`,
      );
      await registry.home.ok(programs["pip-19"], [...old, ...index]);
    });

    test("a hash that is not theirs is refused by the client", async () => {
      await registry.home.write("wrong.txt", `six==1.17.0 --hash=sha256:${"0".repeat(64)}\n`);
      const args = ["download", "--require-hashes", "--no-deps", "-r", "wrong.txt"];
      const { code, output } = await registry.home.run(programs["pip-26"], [
        ...args,
        `--index-url=${registry.indexUrl("real")}`,
      ]);
      expect(code).not.toBe(0);
      expect(output).toContain("HASHES");
    });
  },
);

/** A project of poetry's, depending on a package from here where one is named. */
function poetryProject(dependency?: string): string {
  return [
    "[project]",
    `name = "${dependency === undefined ? "poetry-demo" : "poetry-user"}"`,
    'version = "1.0"',
    'requires-python = ">=3.11"',
    `dependencies = [${dependency === undefined ? "" : `"${dependency}"`}]`,
    "[[tool.poetry.source]]",
    'name = "entrepot"',
    `url = "${registry.server.url}/pypi/py/simple/"`,
    'priority = "primary"',
    "",
  ].join("\n");
}
