import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { startServer, type TestServer } from "../../support/server.ts";
import { isPeer, startPeer } from "./peer.ts";

export type Visibility = "private" | "public";

/** A registry under test: ours, or a peer that shows whether the tests themselves are right. */
export interface OciRegistry extends AsyncDisposable {
  /** `host:port` of a visibility's repositories. Ours has one for both. */
  host(visibility: Visibility): string;
  /** Whole name of an image, `host:port/…/image`, without a tag. */
  repository(visibility: Visibility, image: string): string;
  readonly user: string;
  readonly password: string;
  /** `GET` and the like of a path below `/v2/<repository>/`, with the password unless told otherwise. */
  request(repository: string, path: string, init?: OciRequest): Promise<Response>;
  /** The folder in which everything is stored. */
  readonly folder: string;
  readonly pid: number;
  /** Ours; `undefined` when this is a peer. */
  readonly server: TestServer | undefined;
}

export type OciRequest = RequestInit & { readonly anonymous?: boolean };

/** What a registry listens on and accepts; {@link OciRegistry} is made of it. */
export interface Started {
  readonly hosts: Readonly<Record<Visibility, string>>;
  /** What stands between the host and the image's own name, with a slash at its end, or nothing. */
  readonly prefixes: Readonly<Record<Visibility, string>>;
  readonly user: string;
  readonly password: string;
  readonly folder: string;
  readonly pid: number;
  readonly server: TestServer | undefined;
  readonly stop: () => Promise<void>;
}

/**
 * Starts `entrepot serve` with a private and a public registry. With `ENTREPOT_OCI_PEER` set to
 * `docker-registry` or `registry` (distribution 3) starts that instead.
 *
 * @param args - further arguments of `entrepot serve`.
 */
export async function startRegistry(args: readonly string[] = []): Promise<OciRegistry> {
  const peer = process.env["ENTREPOT_OCI_PEER"];
  if (peer === undefined || peer === "") return registryOf(await startOurs(args));
  if (!isPeer(peer)) throw new Error(`there is no peer ${peer}`);
  return registryOf(await startPeer(peer));
}

const SLUGS = { private: "secret", public: "open" } as const;
const createdToken = z.object({ token: z.string() });

async function startOurs(args: readonly string[]): Promise<Started> {
  const folder = await mkdtemp(join(tmpdir(), "entrepot-oci-"));
  const server = await startServer({ args, folder });
  try {
    for (const visibility of ["private", "public"] as const) {
      const slug = SLUGS[visibility];
      await server.createRegistry({ slug, ecosystem: "oci", kind: "source", visibility });
    }
    const host = new URL(server.url).host;
    return {
      hosts: { private: host, public: host },
      prefixes: { private: `${SLUGS.private}/`, public: `${SLUGS.public}/` },
      user: "builder",
      password: await createToken(server, ["packages:read", "packages:write", "packages:delete"]),
      folder,
      pid: server.process.pid ?? 0,
      server,
      stop: () => server.stop(),
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** The text of a new token of our server. */
export async function createToken(server: TestServer, scopes: readonly string[]): Promise<string> {
  const body = JSON.stringify({ description: "an OCI client", scopes });
  const answer = await server.api("/tokens", { method: "POST", body });
  if (answer.status !== 201) throw new Error(await answer.text());
  return createdToken.parse(await answer.json()).token;
}

/** Requests and names of a registry that runs. */
export function registryOf(started: Started): OciRegistry {
  const { hosts, prefixes, user, password, folder, pid, server, stop } = started;
  const basic = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  return {
    host: (visibility) => hosts[visibility],
    repository: (visibility, image) => `${hosts[visibility]}/${prefixes[visibility]}${image}`,
    user,
    password,
    folder,
    pid,
    server,
    request: async (repository, path, { anonymous = false, ...init } = {}) => {
      const slash = repository.indexOf("/");
      const url = `http://${repository.slice(0, slash)}/v2/${repository.slice(slash + 1)}/${path}`;
      const headers = new Headers(init.headers);
      if (!anonymous) headers.set("authorization", basic);
      return fetch(url, { ...init, headers });
    },
    [Symbol.asyncDispose]: async () => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
