import { execFile } from "node:child_process";
import { accessSync, constants, readdirSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Where each client's program is below the folder that `.ci/pypi-programs` fills. */
const PROGRAMS = {
  uv: "uv/bin/uv",
  twine: "twine/bin/twine",
  poetry: "poetry/bin/poetry",
  flit: "flit/bin/flit",
  hatch: "hatch/bin/hatch",
  pdm: "pdm/bin/pdm",
  "pip-19": "pip-19/bin/pip",
  "pip-26": "pip-26/bin/pip",
  pypiserver: "pypiserver/bin/pypi-server",
} as const;
export type PythonClient = keyof typeof PROGRAMS;

const PROJECT = join(import.meta.dirname, "..", "..");
const FOLDER =
  process.env["ENTREPOT_PYTHON_CLIENTS"] ?? join(PROJECT, ".tmp", "programs", "python");
const TIMEOUT_MILLISECONDS = 120_000;

/** Paths of these clients' programs by name; `undefined` when one is not installed. */
export function pythonPrograms(
  ...names: readonly PythonClient[]
): Readonly<Record<PythonClient, string>> | undefined {
  const at = (name: PythonClient): string => join(FOLDER, PROGRAMS[name]);
  try {
    for (const name of names) accessSync(at(name), constants.X_OK);
  } catch {
    return undefined;
  }
  return {
    uv: at("uv"),
    twine: at("twine"),
    poetry: at("poetry"),
    flit: at("flit"),
    hatch: at("hatch"),
    pdm: at("pdm"),
    "pip-19": at("pip-19"),
    "pip-26": at("pip-26"),
    pypiserver: at("pypiserver"),
  };
}

/** Distributions of the real world, pulled from the public index; `undefined` when they were not. */
export function realDistributions(): readonly string[] | undefined {
  const folder = join(FOLDER, "dist");
  try {
    return readdirSync(folder)
      .filter((name) => /\.(?:whl|tar\.gz)$/.test(name))
      .map((name) => join(folder, name));
  } catch {
    return undefined;
  }
}

export interface Outcome {
  readonly code: number;
  /** Standard output and standard error. */
  readonly output: string;
}

/** A home of a client's own, with nothing of this machine's configuration or caches. */
export interface PythonHome extends AsyncDisposable {
  readonly path: string;
  /** `folder` is below the home. */
  run(
    program: string,
    args: readonly string[],
    options?: { readonly folder?: string; readonly env?: Readonly<Record<string, string>> },
  ): Promise<Outcome>;
  /** As `run`; fails the test unless the program ends with 0. Gives its output. */
  ok(...args: Parameters<PythonHome["run"]>): Promise<string>;
  write(path: string, content: string): Promise<void>;
  read(path: string): Promise<string>;
}

export async function openPythonHome(): Promise<PythonHome> {
  const path = await mkdtemp(join(tmpdir(), "entrepot-python-"));
  const run: PythonHome["run"] = (program, args, { folder = "", env = {} } = {}) =>
    new Promise((resolve) => {
      const options = {
        cwd: join(path, folder),
        env: { ...cleanEnvironment(path), ...env },
        timeout: TIMEOUT_MILLISECONDS,
        maxBuffer: 64 * 1024 * 1024,
      };
      execFile(program, args, options, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
        resolve({ code, output: stdout + stderr });
      });
    });
  return {
    path,
    run,
    ok: async (...args) => {
      const { code, output } = await run(...args);
      if (code !== 0)
        throw new Error(`${args[0]} ${args[1].join(" ")} ended with ${code}:\n${output}`);
      return output;
    },
    write: async (file, content) => {
      await mkdir(dirname(join(path, file)), { recursive: true });
      await writeFile(join(path, file), content);
    },
    read: (file) => readFile(join(path, file), "utf8"),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

/** What every client gets: its own home, no keyring, no questions, no news of itself. */
function cleanEnvironment(home: string): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    LANG: "C.UTF-8",
    NO_COLOR: "1",
    PYTHON_KEYRING_BACKEND: "keyring.backends.null.Keyring",
    PIP_DISABLE_PIP_VERSION_CHECK: "1",
    PIP_NO_CACHE_DIR: "1",
    PIP_NO_INPUT: "1",
    PDM_CHECK_UPDATE: "0",
    UV_PYTHON_DOWNLOADS: "never",
    UV_NO_CACHE: "1",
    POETRY_VIRTUALENVS_IN_PROJECT: "true",
    POETRY_CACHE_DIR: join(home, "poetry-cache"),
  };
}
