import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { launchEntrepot } from "../servers/entrepot.ts";
import { freePort, launch } from "../servers/launch.ts";
import { findNginx } from "../servers/nginx.ts";

/** In the order of the columns. */
export const SERVER_NAMES = ["entrepot", "nginx"] as const;
export type ServerName = (typeof SERVER_NAMES)[number];

/** A repository under measurement: a process of its own on 127.0.0.1. */
export interface MavenServer {
  readonly name: ServerName;
  readonly port: number;
  /** Path of the repository, with a slash at its end. */
  readonly base: string;
  /** What every request carries; empty where everybody may do everything. */
  readonly headers: Readonly<Record<string, string>>;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

/**
 * Starts one with its data in a folder of its own, `undefined` when nginx is not installed. nginx serves a folder and
 * takes PUT by its WebDAV module: the limit of what a repository can do that checks no token and no checksum, makes no
 * metadata, writes no log, and acknowledges what is not on the disk yet.
 */
export async function startServer(
  name: ServerName,
  parent: string,
): Promise<MavenServer | undefined> {
  const folder = join(parent, name);
  await mkdir(join(folder, "files"), { recursive: true });
  if (name === "nginx") return startNginx(folder);
  const { port, pid, token, stop } = await launchEntrepot(folder, "maven");
  const headers = { Authorization: `Bearer ${token}` };
  return { name, port, base: "/maven/bench/", headers, pid, stop };
}

async function startNginx(folder: string): Promise<MavenServer | undefined> {
  const program = findNginx();
  if (program === undefined) return undefined;
  const port = await freePort();
  const file = join(folder, "nginx.conf");
  await writeFile(file, configuration(port, folder));
  const command = [program, "-p", folder, "-e", join(folder, "error.log"), "-c", file] as const;
  const { pid, stop } = await launch([...command], port);
  return { name: "nginx", port, base: "/", headers: {}, pid, stop };
}

const configuration = (port: number, folder: string): string => `
daemon off;
worker_processes 1;
user root;
pid ${folder}/nginx.pid;
events { worker_connections 256; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  client_max_body_size 0;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${port};
    root ${folder}/files;
    dav_methods PUT;
    create_full_put_path on;
  }
}
`;
