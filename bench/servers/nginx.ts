import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { ABBREVIATED } from "../load/requests.ts";
import { addressAnswers } from "./answers.ts";
import type { BenchServer } from "./server.ts";
import { freePort, launch } from "./launch.ts";

/** Where Debian puts it, which is not in everybody's PATH. */
const ELSEWHERE = "/usr/sbin";

/** The path of nginx, or `undefined` when it is not installed. */
export function findNginx(): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), ELSEWHERE];
  return folders.map((folder) => join(folder, "nginx")).find((path) => existsSync(path));
}

/** nginx with one worker over the same answers as files, gzipped beforehand: the limit of what a server can do. */
export async function startNginx(
  program: string,
  folder: string,
  answers: string,
): Promise<BenchServer> {
  const port = await freePort();
  const own = join(folder, "nginx");
  await mkdir(own, { recursive: true });
  await addressAnswers(answers, own, `http://127.0.0.1:${port}/`);
  await writeFile(join(own, "nginx.conf"), configuration(port, own, answers));
  const command = [
    program,
    "-p",
    own,
    "-e",
    join(own, "error.log"),
    "-c",
    join(own, "nginx.conf"),
  ] as const;
  const { pid, stop } = await launch([...command], port);
  return { name: "nginx", port, base: "", token: "unchecked", pid, stop };
}

const configuration = (port: number, own: string, answers: string): string => `
daemon off;
worker_processes 1;
user root;
pid ${own}/nginx.pid;
events { worker_connections 256; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  open_file_cache max=1000 inactive=60s;
  client_body_temp_path ${own}/body;
  proxy_temp_path ${own}/proxy;
  fastcgi_temp_path ${own}/fastcgi;
  uwsgi_temp_path ${own}/uwsgi;
  scgi_temp_path ${own}/scgi;
  map $http_accept $form {
    default full;
    ~*${ABBREVIATED.replaceAll(".", String.raw`\.`).replaceAll("+", String.raw`\+`)} abbreviated;
  }
  server {
    listen 127.0.0.1:${port};
    location ~ ^/[^/]+/-/ { root ${answers}/tarballs; }
    location / {
      root ${own};
      default_type application/json;
      types {}
      gzip_static on;
      rewrite ^/(?<package>[^/]+)$ /packuments/$package.$form.json break;
    }
  }
}
`;
