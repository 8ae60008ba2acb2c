import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { launchDevpi, pythonPeer } from "../servers/devpi.ts";
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
  return name === "devpi" ? startDevpi(folder) : startPypiserver(folder);
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

async function startPypiserver(folder: string): Promise<PypiServer | undefined> {
  const program = pythonPeer("pypiserver/bin/pypi-server");
  if (program === undefined) return undefined;
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

async function startDevpi(folder: string): Promise<PypiServer | undefined> {
  const devpi = await launchDevpi(folder);
  if (devpi === undefined) return undefined;
  const { port, pid, stop, headers } = devpi;
  await devpi.put("/root/bench", { type: "stage", bases: [], volatile: true });
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
