import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import * as z from "zod";
import { launchEntrepot } from "../servers/entrepot.ts";
import { freePort, launch } from "../servers/launch.ts";

/** In the order of the columns; `.ci/pypi-peers` installs the peers. */
export const SERVER_NAMES = ["entrepot", "pypiserver", "devpi"] as const;
export type ServerName = (typeof SERVER_NAMES)[number];

/** A registry under measurement: a process of its own on 127.0.0.1. */
export interface PypiServer {
  readonly name: ServerName;
  readonly port: number;
  /** Path of the index, with a slash at its end. */
  readonly simplePath: string;
  readonly uploadPath: string;
  /** What every request carries; empty where everybody may do everything. */
  readonly headers: Readonly<Record<string, string>>;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

const FOLDER =
  process.env["ENTREPOT_PYTHON_PEERS"] ??
  join(import.meta.dirname, "../../.tmp/programs/python-peers");
/** devpi's server, where `.ci/pypi-peers` puts it. */
export const DEVPI_PROGRAM = join(FOLDER, "devpi/bin/devpi-server");
const PASSWORD = "benchmark-password";

/**
 * Starts one with its data in a folder of its own, `undefined` when its program is not installed. Ours checks a token
 * with every request, and writes its access log. The peers run as their manuals have it, without a mirror of the public
 * index: pypiserver with its cache and no passwords, which it would hash with every upload; devpi with a login made
 * beforehand, to its advantage too.
 */
export async function startServer(
  name: ServerName,
  parent: string,
): Promise<PypiServer | undefined> {
  const folder = join(parent, name);
  await mkdir(folder, { recursive: true });
  if (name === "entrepot") return startOurs(folder);
  const program = name === "devpi" ? DEVPI_PROGRAM : join(FOLDER, "pypiserver/bin/pypi-server");
  if (!existsSync(program)) return undefined;
  return name === "devpi" ? startDevpi(program, folder) : startPypiserver(program, folder);
}

async function startOurs(folder: string): Promise<PypiServer> {
  const { port, pid, token, stop } = await launchEntrepot(folder, "pypi");
  return {
    name: "entrepot",
    port,
    simplePath: "/pypi/bench/simple/",
    uploadPath: "/pypi/bench/",
    headers: { Authorization: `Bearer ${token}` },
    pid,
    stop,
  };
}

async function startPypiserver(program: string, folder: string): Promise<PypiServer> {
  const port = await freePort();
  const args = ["run", "-i", "127.0.0.1", "-p", `${port}`, "-a", ".", "-P", ".", "-v"];
  const command = [program, ...args, "--disable-fallback", folder] as const;
  const { pid, stop } = await launch([...command], port);
  return {
    name: "pypiserver",
    port,
    simplePath: "/simple/",
    uploadPath: "/",
    headers: {},
    pid,
    stop,
  };
}

async function startDevpi(program: string, folder: string): Promise<PypiServer> {
  const init = program.replace(/server$/, "init");
  const options = ["--serverdir", folder, "--no-root-pypi", "--root-passwd", PASSWORD];
  await promisify(execFile)(init, options);
  const port = await freePort();
  const args = ["--serverdir", folder, "--host", "127.0.0.1", "--port", `${port}`];
  const { pid, stop } = await launch([program, ...args], port);
  const ask = async (method: string, path: string, body: object, headers = {}) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { "content-type": "application/json", accept: "application/json", ...headers },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`devpi: ${path} answered ${answer.status}`);
    const login = z.object({ result: z.looseObject({ password: z.string().optional() }) });
    return login.parse(await answer.json()).result.password ?? "";
  };
  const token = await ask("POST", "/+login", { user: "root", password: PASSWORD });
  const headers = { "X-Devpi-Auth": Buffer.from(`root:${token}`).toString("base64") };
  await ask("PUT", "/root/bench", { type: "stage", bases: [], volatile: true }, headers);
  return {
    name: "devpi",
    port,
    simplePath: "/root/bench/+simple/",
    uploadPath: "/root/bench/",
    headers,
    pid,
    stop,
  };
}
