import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { programPath } from "../../test/support/programs.ts";
import { launchEntrepot } from "../servers/entrepot.ts";
import { freePort, launch } from "../servers/launch.ts";

/**
 * In the order of the columns. `docker-registry` is Debian's 2.8, `distribution` 3 from the Go module proxy, whose
 * program is called `registry`; `.ci/oci-programs` installs both. zot cannot be had there.
 */
export const SERVER_NAMES = ["entrepot", "distribution", "docker-registry"] as const;
export type ServerName = (typeof SERVER_NAMES)[number];

/** A registry under measurement: a process of its own on 127.0.0.1. */
export interface OciServer {
  readonly name: ServerName;
  readonly port: number;
  /** What names of images begin with: `bench/` or nothing. */
  readonly prefix: string;
  /** Value of the Authorization header; absent where everybody may do everything. */
  readonly authorization: string | undefined;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

/**
 * Starts one with its data in a folder of its own. Ours checks a token with every request and writes its access log
 * as a person would have it. The peers ask for no password, since the only kind that they check themselves costs a
 * bcrypt with every request; that is to their advantage.
 */
export async function startServer(name: ServerName, parent: string): Promise<OciServer> {
  const folder = join(parent, name);
  await mkdir(folder, { recursive: true });
  return name === "entrepot" ? startOurs(folder) : startPeer(name, folder);
}

async function startOurs(folder: string): Promise<OciServer> {
  const { port, token, pid, stop } = await launchEntrepot(folder, "oci");
  const authorization = `Bearer ${token}`;
  return { name: "entrepot", port, prefix: "bench/", authorization, pid, stop };
}

async function startPeer(
  name: Exclude<ServerName, "entrepot">,
  folder: string,
): Promise<OciServer> {
  const program = programPath(name === "distribution" ? "registry" : name);
  if (program === undefined) throw new Error(`${name} is missing; .ci/oci-programs installs it`);
  const port = await freePort();
  const file = join(folder, "config.json");
  await writeFile(file, JSON.stringify(configuration(folder, port)));
  const env = { OTEL_TRACES_EXPORTER: "none" };
  const options = { env, readyPath: "/v2/" };
  const { pid, stop } = await launch([program, "serve", file], port, options);
  return { name, port, prefix: "", authorization: undefined, pid, stop };
}

// The configuration is YAML, of which JSON is a part. Debian's and the upstream defaults, the access log included.
const configuration = (folder: string, port: number) => ({
  version: "0.1",
  log: { level: "info", formatter: "json" },
  storage: {
    filesystem: { rootdirectory: join(folder, "data") },
    cache: { blobdescriptor: "inmemory" },
    delete: { enabled: true },
  },
  http: { addr: `127.0.0.1:${port}`, headers: { "X-Content-Type-Options": ["nosniff"] } },
});
