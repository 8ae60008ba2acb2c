import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { programPath } from "../../support/programs.ts";
import type { Started } from "./registry.ts";

const PEERS = ["docker-registry", "registry"] as const;
export type Peer = (typeof PEERS)[number];

export function isPeer(name: string): name is Peer {
  return PEERS.some((peer) => peer === name);
}

const USER = "builder";
const PASSWORD = "server-admin-token-of-29-chars";
/** bcrypt of {@link PASSWORD}, the only kind that distribution takes. */
const HTPASSWD = `${USER}:$2a$04$s9MAu4IalDnqTHPKkUlajuz.mnDo.Esk/fLsCNjXliVbQeZ5SebJG\n`;
const START_MS = 10_000;

/** A peer over one folder, twice: one process that asks for a password, and one that does not. */
export async function startPeer(peer: Peer): Promise<Started> {
  const program = programPath(peer);
  if (program === undefined) throw new Error(`${peer} is not installed`);
  const folder = await mkdtemp(join(tmpdir(), "entrepot-oci-peer-"));
  await writeFile(join(folder, "htpasswd"), HTPASSWD);
  const [closed, open] = await Promise.all([
    startOne(program, folder, true),
    startOne(program, folder, false),
  ]);
  return {
    hosts: { private: closed.host, public: open.host },
    prefixes: { private: "secret/", public: "open/" },
    user: USER,
    password: PASSWORD,
    folder,
    pid: closed.child.pid ?? 0,
    server: undefined,
    stop: async () => {
      await Promise.all([stopOne(closed.child), stopOne(open.child)]);
    },
  };
}

async function startOne(
  program: string,
  folder: string,
  closed: boolean,
): Promise<{ readonly host: string; readonly child: ChildProcess }> {
  const host = `127.0.0.1:${await freePort()}`;
  const file = join(folder, closed ? "closed.yml" : "open.yml");
  // The configuration is YAML, of which JSON is a part.
  const configuration = {
    version: "0.1",
    log: { level: "warn" },
    storage: { filesystem: { rootdirectory: join(folder, "data") }, delete: { enabled: true } },
    http: { addr: host },
    ...(closed ? { auth: { htpasswd: { realm: "peer", path: join(folder, "htpasswd") } } } : {}),
  };
  await writeFile(file, JSON.stringify(configuration));
  const child = spawn(program, ["serve", file], {
    stdio: "ignore",
    env: { OTEL_TRACES_EXPORTER: "none" },
  });
  const deadline = Date.now() + START_MS;
  while (!(await answers(host))) {
    if (Date.now() > deadline) throw new Error(`${program} does not answer`);
    await wait(50);
  }
  return { host, child };
}

async function stopOne(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGKILL");
  await exited;
}

async function answers(host: string): Promise<boolean> {
  try {
    await fetch(`http://${host}/v2/`);
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
