import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Source } from "./servers.ts";

/** An application of the usual tools: some 570 packages. */
const NPM_DEPENDENCIES = {
  "@babel/core": "^7",
  "@babel/preset-env": "^7",
  axios: "^1",
  eslint: "^8",
  express: "^4",
  jest: "^29",
  react: "^18",
  "react-dom": "^18",
  typescript: "^5",
  webpack: "^5",
  "webpack-cli": "^5",
};
const PYTHON_REQUIREMENTS = ["numpy", "pandas", "scipy", "matplotlib", "scikit-learn", "requests"];

/** Installs once with empty caches; gives the seconds it took. */
export type Install = (source: Source) => Promise<number>;

/** `npm install` without a lock file: documents and tarballs of every package. */
export const npmInstall: Install = (source) =>
  inFolder(async (folder) => {
    const settings = [
      `registry=${source.url}`,
      ...(source.token === ""
        ? []
        : [`${source.url.slice("http:".length)}:_authToken=${source.token}`]),
      `cache=${join(folder, "cache")}`,
      "audit=false",
      "fund=false",
      "ignore-scripts=true",
      "update-notifier=false",
    ];
    await writeFile(join(folder, "npmrc"), `${settings.join("\n")}\n`);
    const manifest = { name: "app", version: "1.0.0", dependencies: NPM_DEPENDENCIES };
    await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
    await run(["npm", "install"], folder, { npm_config_userconfig: join(folder, "npmrc") });
  });

/** `pip download` of a scientific stack: the resolver, metadata and wheels, without what pip does with them. */
export const pipDownload: Install = (source) =>
  inFolder(async (folder) => {
    const url = new URL(source.url);
    if (source.token !== "") {
      url.username = "__token__";
      url.password = source.token;
    }
    const args = ["download", "--no-cache-dir", "--only-binary", ":all:", "-q", "-d", folder];
    await run(
      ["pip", ...args, "-i", url.href, "--trusted-host", url.hostname, ...PYTHON_REQUIREMENTS],
      folder,
      { PIP_CONFIG_FILE: process.env["PIP_CONFIG_FILE"] ?? "" },
    );
  });

async function inFolder(work: (folder: string) => Promise<void>): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "entrepot-bench-install-"));
  try {
    const startedAt = performance.now();
    await work(folder);
    return (performance.now() - startedAt) / 1000;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function run(
  [program, ...args]: readonly [string, ...string[]],
  cwd: string,
  more: Readonly<Record<string, string>>,
): Promise<void> {
  const ours = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name));
  const env = { ...Object.fromEntries(ours), ...more };
  const child = spawn(program, args, { cwd, env, stdio: ["ignore", "ignore", "pipe"] });
  let printed = "";
  child.stderr.on("data", (chunk: Buffer) => {
    printed += chunk.toString();
  });
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) =>
      code === 0 ? resolve() : reject(new Error(`${program} ended with ${code}:\n${printed}`)),
    );
  });
}
