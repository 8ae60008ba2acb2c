import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { npmRegistryHere } from "../../test/support/npm-application.ts";
import { launchDevpi } from "../servers/devpi.ts";
import { launchEntrepot } from "../servers/entrepot.ts";
import { launchVerdaccio } from "../servers/verdaccio.ts";

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

/** What npm installs from on this machine. */
export const npmUpstream = (): string => withSlash(npmRegistryHere());

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
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
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

/** Verdaccio with the public registry as its uplink, readable by everybody. */
export async function startVerdaccio(folder: string, upstream: string): Promise<Source> {
  const uplink = {
    url: upstream,
    maxage: "5m",
    timeout: "60s",
    agent_options: { keepAlive: true, maxSockets: 40 },
  };
  const { port, pid, stop } = await launchVerdaccio(folder, {
    uplinks: { public: uplink },
    packages: { "**": { access: "$all", proxy: "public" } },
  });
  return { name: "verdaccio", url: `http://127.0.0.1:${port}/`, token: "", pid, stop };
}

/** devpi with its mirror of the public index; `undefined` when it is not installed. */
export async function startDevpi(folder: string, upstream: string): Promise<Source | undefined> {
  const devpi = await launchDevpi(join(folder, "devpi"));
  if (devpi === undefined) return undefined;
  const { port, pid, stop } = devpi;
  await devpi.put("/root/mirror", { type: "mirror", mirror_url: upstream, volatile: false });
  const url = `http://127.0.0.1:${port}/root/mirror/+simple/`;
  return { name: "devpi", url, token: "", pid, stop };
}
