import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { type TemporaryFolder, temporaryFolder } from "../../support/temporary-folder.ts";
import { Client } from "./client.ts";
import { type OciRegistry, startRegistry } from "./registry.ts";

/** What the tests of one client work with: a registry and the client, for as long as the file's tests run. */
export interface Session {
  readonly registry: OciRegistry;
  readonly client: Client;
  /** For layouts and what is pulled. */
  readonly path: (...names: readonly string[]) => string;
  /** The same program without any login. */
  readonly anonymous: () => Promise<Client>;
}

/**
 * Opens a session before the tests of the surrounding `describe` and closes it after them.
 *
 * @param env - adds to the client's environment.
 * @param started - further arguments of `entrepot serve`, or what starts another registry.
 */
export function useSession(
  program: string,
  env: Readonly<Record<string, string>> = {},
  started: readonly string[] | (() => Promise<OciRegistry>) = [],
): () => Session {
  let session: Session | undefined;
  let folder: TemporaryFolder | undefined;
  beforeAll(async () => {
    folder = await temporaryFolder("oci-client");
    const root = folder.path;
    const registry = await (typeof started === "function" ? started() : startRegistry(started));
    session = {
      registry,
      client: await Client.create(program, join(root, "client"), env),
      path: (...names) => join(root, ...names),
      anonymous: () => Client.create(program, join(root, "anonymous"), env),
    };
  });
  afterAll(async () => {
    await session?.registry[Symbol.asyncDispose]();
    await folder?.[Symbol.asyncDispose]();
  });
  return () => {
    if (session === undefined) throw new Error("the session is not open");
    return session;
  };
}
