import { temporaryFolder } from "../support/temporary-folder.ts";
import { type OciRegistry, registryOf } from "../clients/oci/registry.ts";
import type { Deployment } from "./deployment.ts";

/** A private and a public registry of the deployment, with a token that may do everything to packages. */
export async function deployedRegistry(deployment: Deployment): Promise<OciRegistry> {
  const secret = await deployment.createRegistry("oci", "private");
  const open = await deployment.createRegistry("oci", "public");
  const { host } = new URL(deployment.url);
  const { path } = await temporaryFolder("deployed-oci");
  return registryOf({
    hosts: { private: host, public: host },
    prefixes: { private: `${secret}/`, public: `${open}/` },
    user: "builder",
    password: await deployment.createToken(["packages:read", "packages:write", "packages:delete"]),
    folder: path,
    pid: 0,
    server: undefined,
    stop: () => Promise.resolve(),
  });
}
