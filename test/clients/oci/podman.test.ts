import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { buildImage, buildIndex, writeLayout } from "../../support/oci-image.ts";
import { describeWith, programPath } from "../../support/programs.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/temporary-folder.ts";
import { Client } from "./client.ts";
import { writeContainersConfig } from "./containers.ts";
import { type OciRegistry, startRegistry } from "./registry.ts";

// podman and buildah keep images in a storage of their own, so nothing of what they push is made by our layouts.
/** Logging in does not look at what the configuration says of a registry. */
const HTTP = "--tls-verify=false";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const inspected = z.array(z.looseObject({ Digest: z.string(), RepoDigests: z.array(z.string()) }));

for (const name of ["podman", "buildah"] as const) {
  describeWith(name, name, (program) => {
    let registry: OciRegistry;
    let folder: TemporaryFolder;
    let client: Client;
    let stranger: Client;

    const opened = new AsyncDisposableStack();

    beforeAll(async () => {
      folder = opened.use(await temporaryFolder(`oci-${name}`));
      registry = opened.use(await startRegistry());
      const env = await writeContainersConfig(join(folder.path, "containers"), registry);
      client = await Client.create(program, join(folder.path, "client"), env);
      const other = await writeContainersConfig(join(folder.path, "others"), registry);
      stranger = await Client.create(program, join(folder.path, "stranger"), other);
    });
    afterAll(() => opened.disposeAsync());

    const login = async (): Promise<void> => {
      for (const visibility of ["private", "public"] as const) {
        const host = registry.host(visibility);
        const args = ["login", HTTP, "--username", registry.user, "--password-stdin", host];
        await client.succeed(args, `${registry.password}\n`);
      }
    };

    /** Builds an image from nothing but one file. */
    const build = async (reference: string, text: string): Promise<void> => {
      const context = join(client.folder, "context");
      await mkdir(context, { recursive: true });
      await writeFile(join(context, "hello.txt"), text);
      await writeFile(join(context, "Dockerfile"), `FROM scratch\nCOPY hello.txt /\nLABEL a=b\n`);
      await client.succeed(["build", "--isolation", "chroot", "-t", reference, context]);
    };

    for (const visibility of ["private", "public"] as const) {
      test(`builds, pushes and pulls by tag and digest with a ${visibility} registry`, async () => {
        await login();
        const repository = registry.repository(visibility, "team/built");
        const reference = `${repository}:v1`;
        await build(reference, `built for ${visibility}\n`);
        const digestFile = join(client.folder, "digest");
        await client.succeed(["push", "--digestfile", digestFile, reference]);
        const answer = await registry.request(repository, "manifests/v1", {
          method: "HEAD",
          headers: { accept: MANIFEST },
        });
        const digest = answer.headers.get("docker-content-digest");
        expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
        await client.succeed(["rmi", "--all", "--force"]);
        await client.succeed(["pull", reference]);
        await client.succeed(["rmi", "--all", "--force"]);
        await client.succeed(["pull", `${repository}@${digest}`]);
      });
    }

    test("pushes in the format of Docker, and pulls that", async () => {
      await login();
      const repository = registry.repository("private", "docker/format");
      await build(`${repository}:v1`, "docker\n");
      await client.succeed(["push", "--format", "v2s2", `${repository}:v1`]);
      const type = "application/vnd.docker.distribution.manifest.v2+json";
      const answer = await registry.request(repository, "manifests/v1", {
        headers: { accept: type },
      });
      expect(answer.headers.get("content-type")).toBe(type);
      await client.succeed(["rmi", "--all", "--force"]);
      await client.succeed(["pull", `${repository}:v1`]);
    });

    test("pulls its own platform out of an index", async () => {
      await login();
      const images = ["amd64", "arm64"].map((architecture) =>
        buildImage({ architecture, layers: [{ "platform.txt": architecture }] }),
      );
      await writeLayout(join(folder.path, "index"), buildIndex(await Promise.all(images)), "v1");
      const reference = `${registry.repository("private", "platforms")}:v1`;
      await pushLayout(join(folder.path, "index"), reference);
      await client.succeed(["pull", "--arch", "arm64", reference]);
      const text = await client.succeed(
        name === "podman"
          ? ["image", "inspect", "--format", "{{.Architecture}}", reference]
          : ["inspect", "--type", "image", "--format", "{{.OCIv1.Architecture}}", reference],
      );
      expect(text.trim()).toBe("arm64");
    });

    test("makes and pushes a manifest list of its own", async () => {
      await login();
      const repository = registry.repository("private", "listed");
      await build(`${repository}:amd64`, "one of a list\n");
      await client.succeed([
        "manifest",
        "create",
        "a-list",
        `containers-storage:${repository}:amd64`,
      ]);
      await client.succeed([
        "manifest",
        "push",
        HTTP,
        "--all",
        "a-list",
        `docker://${repository}:list`,
      ]);
      const type = "application/vnd.oci.image.index.v1+json";
      const docker = "application/vnd.docker.distribution.manifest.list.v2+json";
      const answer = await registry.request(repository, "manifests/list", {
        headers: { accept: `${type}, ${docker}` },
      });
      expect(answer.status).toBe(200);
      expect([type, docker]).toContain(answer.headers.get("content-type"));
    });

    test("pulls from a public registry without a login, and not from a private one", async () => {
      await login();
      for (const visibility of ["public", "private"] as const) {
        const reference = `${registry.repository(visibility, "strangers")}:v1`;
        await build(reference, "for strangers\n");
        await client.succeed(["push", reference]);
        const { code, stderr } = await stranger.run(["pull", reference]);
        if (visibility === "public") expect(code, stderr).toBe(0);
        else {
          expect(code).not.toBe(0);
          expect(stderr).toMatch(/unauthori[sz]ed|authentication required|denied/i);
        }
      }
    });

    test("refuses to log in with a wrong password", async () => {
      const args = ["login", HTTP, "--username", registry.user, "--password-stdin"];
      const { code } = await stranger.run([...args, registry.host("private")], "wrong\n");
      expect(code).not.toBe(0);
    });

    if (name === "podman") {
      test("knows an image by the digest that the registry has", async () => {
        await login();
        const repository = registry.repository("private", "known");
        await build(`${repository}:v1`, "known\n");
        await client.succeed(["push", `${repository}:v1`]);
        await client.succeed(["rmi", "--all", "--force"]);
        await client.succeed(["pull", `${repository}:v1`]);
        const text = await client.succeed(["image", "inspect", `${repository}:v1`]);
        const [image] = inspected.parse(JSON.parse(text));
        const answer = await registry.request(repository, "manifests/v1", {
          method: "HEAD",
          headers: { accept: MANIFEST },
        });
        expect(image?.RepoDigests).toContain(
          `${repository}@${answer.headers.get("docker-content-digest") ?? ""}`,
        );
      });
    }

    /** Only skopeo pushes from a layout; podman and buildah then meet what it made. */
    async function pushLayout(layout: string, reference: string): Promise<void> {
      const skopeo = programPath("skopeo");
      if (skopeo === undefined) throw new Error("skopeo comes with podman and is missing");
      const pusher = await Client.create(skopeo, join(folder.path, "pusher"));
      const credentials = `${registry.user}:${registry.password}`;
      const flags = ["--all", "--dest-tls-verify=false", "--dest-creds", credentials];
      const [from, to] = [`oci:${layout}:v1`, `docker://${reference}`];
      await pusher.succeed(["--insecure-policy", "copy", ...flags, from, to]);
    }
  });
}
