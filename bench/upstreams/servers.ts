import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { launchEntrepot } from "../servers/entrepot.ts";
import { freePort, launch } from "../servers/launch.ts";
import { verdaccioProgram } from "../servers/verdaccio.ts";
import { DEVPI_PROGRAM } from "../pypi/servers.ts";

/** In the order of the columns. `direct` is the public registry itself, or the mirror of it that this machine uses. */
export const SERVER_NAMES = ["entrepot", "direct", "verdaccio", "devpi"] as const;
export type ServerName = (typeof SERVER_NAMES)[number];

/** Where a client installs from. */
export interface Source {
  readonly name: ServerName;
  /** Of npm's registry or the simple index, with a slash at its end. */
  readonly url: string;
  /** Empty where everybody may read. */
  readonly token: string;
  /** 0 where it is no process of ours. */
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

const API_HEADERS = { "content-type": "application/json" } as const;

/** What npm installs from on this machine. */
export function npmUpstream(): string {
  const { stdout } = spawnSync("npm", ["config", "get", "registry"], { encoding: "utf8" });
  return withSlash(stdout.trim());
}

/** What pip installs from on this machine. */
export function pypiUpstream(): string {
  const { stdout } = spawnSync("pip", ["config", "get", "global.index-url"], { encoding: "utf8" });
  return withSlash(stdout.trim() === "" ? "https://pypi.org/simple" : stdout.trim());
}

const withSlash = (url: string): string => url.replace(/\/?$/, "/");

export const direct = (url: string): Source => ({
  name: "direct",
  url,
  token: "",
  pid: 0,
  stop: async () => {},
});

/** Ours: a composite of an own registry and a proxy, as a team has it. */
export async function startEntrepot(
  folder: string,
  ecosystem: "npm" | "pypi",
  upstream: string,
): Promise<Source> {
  const { port, token, pid, stop } = await launchEntrepot(folder, ecosystem);
  const post = async (path: string, body: object): Promise<void> => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1${path}`, {
      method: "POST",
      headers: { ...API_HEADERS, authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(await answer.text());
  };
  // A mirror may be on a private network.
  await post("/upstreams", { key: "public", ecosystem, url: upstream, allowPrivate: true });
  await post("/registries", { slug: "mirror", ecosystem, kind: "proxy", upstream: "public" });
  const upstreams = ["bench", "mirror"];
  await post("/registries", { slug: "all", ecosystem, kind: "composite", upstreams });
  const path = ecosystem === "npm" ? "/npm/all/" : "/pypi/all/simple/";
  return { name: "entrepot", url: `http://127.0.0.1:${port}${path}`, token, pid, stop };
}

/** Verdaccio with the public registry as its uplink, readable by everybody, its access log as ours. */
export async function startVerdaccio(folder: string, upstream: string): Promise<Source> {
  const port = await freePort();
  const home = join(folder, "verdaccio");
  await mkdir(home, { recursive: true });
  const config = join(home, "config.json");
  const settings = {
    storage: join(home, "storage"),
    auth: { htpasswd: { file: join(home, "htpasswd") } },
    uplinks: {
      public: {
        url: upstream,
        maxage: "5m",
        timeout: "60s",
        agent_options: { keepAlive: true, maxSockets: 40 },
      },
    },
    packages: { "**": { access: "$all", proxy: "public" } },
    log: { type: "stdout", format: "json", level: "http" },
  };
  await writeFile(config, JSON.stringify(settings));
  const program = await verdaccioProgram();
  const command = [
    process.execPath,
    program,
    "--config",
    config,
    "--listen",
    `127.0.0.1:${port}`,
  ] as const;
  const { pid, stop } = await launch([...command], port, { readyPath: "/-/ping" });
  return { name: "verdaccio", url: `http://127.0.0.1:${port}/`, token: "", pid, stop };
}

/** devpi with its mirror of the public index; `undefined` when it is not installed. */
export async function startDevpi(folder: string, upstream: string): Promise<Source | undefined> {
  if (!existsSync(DEVPI_PROGRAM)) return undefined;
  const home = join(folder, "devpi");
  const password = "benchmark-password";
  const init = DEVPI_PROGRAM.replace(/server$/, "init");
  spawnSync(init, ["--serverdir", home, "--root-passwd", password]);
  const port = await freePort();
  const args = ["--serverdir", home, "--host", "127.0.0.1", "--port", `${port}`];
  const { pid, stop } = await launch([DEVPI_PROGRAM, ...args], port);
  const ask = async (method: string, path: string, body: object, headers = {}): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { ...API_HEADERS, accept: "application/json", ...headers },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`devpi: ${path} answered ${answer.status}`);
    const login = z.object({ result: z.looseObject({ password: z.string().optional() }) });
    return login.parse(await answer.json()).result.password ?? "";
  };
  const token = await ask("POST", "/+login", { user: "root", password });
  const headers = { "X-Devpi-Auth": Buffer.from(`root:${token}`).toString("base64") };
  await ask(
    "PUT",
    "/root/pypi",
    { type: "mirror", mirror_url: upstream, volatile: false },
    headers,
  );
  return {
    name: "devpi",
    url: `http://127.0.0.1:${port}/root/pypi/+simple/`,
    token: "",
    pid,
    stop,
  };
}
