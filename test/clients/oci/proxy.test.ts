import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { writeLayout } from "../../support/oci-image.ts";
import { describeWith, programPath } from "../../support/programs.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/temporary-folder.ts";
import { Client } from "./client.ts";
import { writeContainersConfig } from "./containers.ts";
import { buildIndexOfTwo, contentsOf, type ImageTool, readLayout } from "./image-tool.ts";
import { crane, oras, regctl, skopeo } from "./image-tools.ts";
import { startPeer } from "./peer.ts";
import { type OciRegistry, registryOf, startRegistry } from "./registry.ts";

const TOOLS: Readonly<Record<string, ImageTool>> = { skopeo, crane, oras, regctl };

let folder: TemporaryFolder;
let front: OciRegistry;
let upstream: OciRegistry | undefined;
let folders = 0;

beforeEach(async () => {
  folder = await temporaryFolder("oci-proxy");
  front = await startRegistry();
});
afterEach(async () => {
  await stopUpstream();
  await front[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const newFolder = (): string => join(folder.path, `folder-${folders++}`);

async function stopUpstream(): Promise<void> {
  await upstream?.[Symbol.asyncDispose]();
  upstream = undefined;
}

async function post(path: string, body: object): Promise<void> {
  const response = await front.server?.api(path, { method: "POST", body: JSON.stringify(body) });
  if (response?.status !== 201) throw new Error(await response?.text());
}

/** Has the front proxy what the upstream's private repositories hold; every pull asks whether its tag moved. */
async function proxyOf(registry: OciRegistry): Promise<string> {
  upstream = registry;
  const repository = registry.repository("private", "");
  await post("/upstreams", {
    key: "behind",
    ecosystem: "oci",
    url: `http://${repository.replace(/\/$/, "")}`,
    auth: { kind: "basic", username: registry.user },
    secret: registry.password,
    allowPrivate: true,
    documentTtlSeconds: 0,
  });
  await post("/registries", {
    slug: "mirror",
    ecosystem: "oci",
    kind: "proxy",
    upstream: "behind",
  });
  return `${front.host("private")}/mirror`;
}

async function loggedIn(program: string, tool: ImageTool): Promise<Client> {
  const client = await Client.create(program, newFolder());
  const registries = upstream === undefined ? [front] : [front, upstream];
  for (const registry of registries) {
    const { user, password } = registry;
    const host = registry.host("private");
    await tool.prepare?.(client, host);
    const input = tool.passwordOnInput ? `${password}\n` : "";
    await client.succeed(tool.login(host, user, password), input);
  }
  return client;
}

async function push(client: Client, tool: ImageTool, name: string) {
  const image = await buildIndexOfTwo(name);
  const layout = newFolder();
  await writeLayout(layout, image, "v1");
  await client.succeed(tool.push(layout, "v1", `${name}:v1`));
  return image;
}

for (const [name, tool] of Object.entries(TOOLS)) {
  describeWith(name, `${name} through a proxy`, (program) => {
    const pull = async (client: Client, reference: string) => {
      const layout = newFolder();
      await client.succeed(tool.pull(reference, layout, "v1"));
      return readLayout(layout);
    };

    test("pulls an index of another Entrepot, also when that is gone", async () => {
      const other = await startRegistry();
      const mirror = await proxyOf(other);
      const client = await loggedIn(program, tool);
      const image = await push(client, tool, other.repository("private", "team/multi"));
      expect(await pull(client, `${mirror}/team/multi:v1`)).toEqual(contentsOf(image));
      expect(await client.succeed(tool.tags(`${mirror}/team/multi`))).toContain("v1");
      await stopUpstream();
      expect(await pull(client, `${mirror}/team/multi:v1`)).toEqual(contentsOf(image));
      const byDigest = `${mirror}/team/multi@${image.descriptor.digest}`;
      expect(await pull(client, byDigest)).toEqual(contentsOf(image));
      expect(await client.succeed(tool.tags(`${mirror}/team/multi`))).toContain("v1");
    });

    describe.skipIf(programPath("registry") === undefined)("of distribution", () => {
      test("pulls an index, also when that is gone", async () => {
        const other = registryOf(await startPeer("registry"));
        const mirror = await proxyOf(other);
        const client = await loggedIn(program, tool);
        const image = await push(client, tool, other.repository("private", "team/multi"));
        expect(await pull(client, `${mirror}/team/multi:v1`)).toEqual(contentsOf(image));
        await stopUpstream();
        expect(await pull(client, `${mirror}/team/multi:v1`)).toEqual(contentsOf(image));
      });
    });
  });
}

describeWith("podman", "podman with a mirror", (podman) => {
  test("pulls images of Docker Hub's names through a proxy", async () => {
    const other = await startRegistry();
    const mirror = await proxyOf(other);
    const tool = skopeo;
    const program = programPath("skopeo");
    if (program === undefined) throw new Error("skopeo is missing, and comes with podman");
    const pusher = await loggedIn(program, tool);
    await push(pusher, tool, other.repository("private", "library/multi"));
    const config = newFolder();
    const env = await writeContainersConfig(config, front);
    await mkdir(config, { recursive: true });
    await writeFile(
      join(config, "registries.conf"),
      `[[registry]]\nprefix = "docker.io"\nlocation = "${mirror}"\ninsecure = true\n`,
    );
    const client = await Client.create(podman, newFolder(), env);
    const host = front.host("private");
    const login = ["login", "--tls-verify=false", "-u", front.user, "-p", front.password, host];
    await client.succeed(login);
    await client.succeed(["pull", "docker.io/library/multi:v1"]);
    await stopUpstream();
    await client.succeed(["rmi", "docker.io/library/multi:v1"]);
    await client.succeed(["pull", "docker.io/library/multi:v1"]);
  });
});
