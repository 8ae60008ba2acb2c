import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Seconds that work takes in an empty folder, which is removed with all that was put there. */
export async function secondsInFolder(work: (folder: string) => Promise<void>): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "entrepot-bench-install-"));
  try {
    const startedAt = performance.now();
    await work(folder);
    return (performance.now() - startedAt) / 1000;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Seconds of a real `npm install` with an empty cache and no lock file: documents and tarballs of every package. */
export const secondsOfNpmInstall = (
  { url, token }: { readonly url: string; readonly token: string },
  dependencies: Readonly<Record<string, string>>,
): Promise<number> =>
  secondsInFolder(async (folder) => {
    const settings = [
      `registry=${url}`,
      ...(token === "" ? [] : [`${url.slice("http:".length)}:_authToken=${token}`]),
      `cache=${join(folder, "cache")}`,
      "audit=false",
      "fund=false",
      "ignore-scripts=true",
      "update-notifier=false",
    ];
    await writeFile(join(folder, "npmrc"), `${settings.join("\n")}\n`);
    const manifest = { name: "bench-project", version: "1.0.0", dependencies };
    await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
    await run(["npm", "install"], folder, { npm_config_userconfig: join(folder, "npmrc") });
  });

/** Runs a client without the settings that npm gave us. @throws {Error} with what it printed, when it fails. */
export async function run(
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
