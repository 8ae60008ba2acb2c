import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { OciRegistry } from "./registry.ts";

/**
 * Configuration of podman and buildah for a machine without user namespaces, overlay mounts or systemd, such as a
 * container: storage by plain copies, no journal, HTTP to the registry under test, and all of it below `folder`.
 *
 * @returns the environment that makes them use it.
 */
export async function writeContainersConfig(
  folder: string,
  registry: OciRegistry,
): Promise<Readonly<Record<string, string>>> {
  await mkdir(folder, { recursive: true });
  const path = (name: string): string => join(folder, name);
  await writeFile(
    path("storage.conf"),
    `[storage]\ndriver = "vfs"\ngraphroot = "${path("graph")}"\nrunroot = "${path("run")}"\n`,
  );
  const hosts = new Set([registry.host("private"), registry.host("public")]);
  const entries = [...hosts].map((host) => `[[registry]]\nlocation = "${host}"\ninsecure = true\n`);
  await writeFile(path("registries.conf"), entries.join("\n"));
  await writeFile(
    path("containers.conf"),
    '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\n',
  );
  await writeFile(path("policy.json"), '{"default":[{"type":"insecureAcceptAnything"}]}');
  await writeFile(path("auth.json"), "{}");
  return {
    CONTAINERS_STORAGE_CONF: path("storage.conf"),
    CONTAINERS_REGISTRIES_CONF: path("registries.conf"),
    CONTAINERS_CONF: path("containers.conf"),
    REGISTRY_AUTH_FILE: path("auth.json"),
  };
}
