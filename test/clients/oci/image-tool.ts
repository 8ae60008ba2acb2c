import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  buildImage,
  buildIndex,
  digestOf,
  type TestImage,
  writeLayout,
} from "../../support/oci-image.ts";
import type { Client } from "./client.ts";
import type { Visibility } from "./registry.ts";
import type { Session } from "./session.ts";

/** The command lines of a program that moves images between registries and layouts. */
export interface ImageTool {
  /** What must happen before anything is said to a host; nothing when absent. */
  readonly prepare?: (client: Client, host: string) => Promise<void>;
  /** The password goes to standard input as a line when `passwordOnInput`. */
  readonly login: (host: string, user: string, password: string) => readonly string[];
  readonly passwordOnInput: boolean;
  /** From the layout, all platforms. */
  readonly push: (layout: string, name: string, reference: string) => readonly string[];
  /** Into a layout that does not exist yet, all platforms. */
  readonly pull: (reference: string, layout: string, name: string) => readonly string[];
  /** Between two registries, all platforms. */
  readonly copy: (from: string, to: string) => readonly string[];
  readonly tags: (repository: string) => readonly string[];
  /** Deletes the manifest of `repository@digest`. */
  readonly remove: (reference: string) => readonly string[];
}

const TAG = "v1";
/** How the programs say 401: a failure of another kind proves nothing. */
const REFUSED = /unauthori[sz]ed|401|denied|authentication required|credential not found/i;

/** Logs in to a visibility's host as the builder. */
export async function login(tool: ImageTool, session: Session, visibility: Visibility) {
  const { registry, client } = session;
  const host = registry.host(visibility);
  await tool.prepare?.(client, host);
  const input = tool.passwordOnInput ? `${registry.password}\n` : "";
  await client.succeed(tool.login(host, registry.user, registry.password), input);
}

/** What every such program must be able to do with a private and with a public registry. */
export function testImageTool(current: () => Session, tool: ImageTool): void {
  for (const visibility of ["private", "public"] as const) {
    describe(`with a ${visibility} registry`, () => {
      const repository = (image: string): string =>
        current().registry.repository(visibility, image);

      test("logs in", async () => {
        await login(tool, current(), visibility);
      });

      test("pushes an image and pulls it by tag and by digest, byte for byte", async () => {
        const image = await buildImage({ layers: [{ "a.txt": visibility }, { "b.txt": "b" }] });
        await push(image, repository("team/app"));
        const names = [`${repository("team/app")}:${TAG}`, digestOfName(image, "team/app")];
        for (const name of names) expect(await pull(name)).toEqual(contentsOf(image));
        const accept = image.descriptor.mediaType;
        const answer = await current().registry.request(
          repository("team/app"),
          `manifests/${TAG}`,
          {
            headers: { accept },
          },
        );
        expect(answer.headers.get("docker-content-digest")).toBe(image.descriptor.digest);
        expect(answer.headers.get("content-type")).toBe(image.descriptor.mediaType);
      });

      test("pushes and pulls an index with all its platforms", async () => {
        const index = await buildIndexOfTwo(visibility);
        await push(index, repository("multi"));
        expect(await pull(`${repository("multi")}:${TAG}`)).toEqual(contentsOf(index));
      });

      test("pushes again what is there already", async () => {
        const image = await buildImage({ layers: [{ "again.txt": visibility }] });
        await push(image, repository("again"));
        await push(image, repository("again"));
        expect(await pull(`${repository("again")}:${TAG}`)).toEqual(contentsOf(image));
      });

      test("copies an index to the other registry", async () => {
        const other = visibility === "private" ? "public" : "private";
        await login(tool, current(), other);
        const index = await buildIndexOfTwo(`to be copied from ${visibility}`);
        await push(index, repository("origin"));
        const target = `${current().registry.repository(other, "copied/here")}:v2`;
        await current().client.succeed(tool.copy(`${repository("origin")}:${TAG}`, target));
        expect(await pull(target)).toEqual(contentsOf(index));
      });

      test("lists tags", async () => {
        const image = await buildImage({ labels: { test: `tags ${visibility}` } });
        for (const tag of ["1.0", "1.1", "latest"]) await push(image, repository("tagged"), tag);
        const listed = await current().client.succeed(tool.tags(repository("tagged")));
        for (const tag of ["1.0", "1.1", "latest"]) expect(listed).toContain(tag);
      });

      test("deletes a manifest, after which it and its tag are gone", async () => {
        const image = await buildImage({ labels: { test: `deletion ${visibility}` } });
        await push(image, repository("doomed"));
        await current().client.succeed(tool.remove(digestOfName(image, "doomed")));
        for (const reference of [TAG, image.descriptor.digest]) {
          const { registry } = current();
          const answer = await registry.request(repository("doomed"), `manifests/${reference}`);
          expect(answer.status).toBe(404);
        }
      });

      const digestOfName = (image: TestImage, name: string): string =>
        `${repository(name)}@${image.descriptor.digest}`;
    });
  }

  test("pulls from a public registry without a login", async () => {
    const image = await buildImage({ labels: { test: "for everybody" } });
    const name = current().registry.repository("public", "everybody");
    await push(image, name);
    const stranger = await anonymous("public");
    expect(await pull(`${name}:${TAG}`, stranger)).toEqual(contentsOf(image));
  });

  test("gets nothing from a private registry without a login, and cannot push to it", async () => {
    const image = await buildImage({ labels: { test: "not for everybody" } });
    const name = current().registry.repository("private", "nobody");
    await push(image, name);
    const stranger = await anonymous("private");
    const pulled = await stranger.run(tool.pull(`${name}:${TAG}`, newFolder(), TAG));
    expect(pulled.code).not.toBe(0);
    expect(pulled.stderr).toMatch(REFUSED);
    const pushed = await stranger.run(tool.push(await layoutOf(image), TAG, `${name}:stranger`));
    expect(pushed.code).not.toBe(0);
    const answer = await current().registry.request(name, "manifests/stranger");
    expect(answer.status).toBe(404);
  });

  test("gets nothing with a wrong password", async () => {
    const image = await buildImage({ labels: { test: "not for a wrong password" } });
    const { registry } = current();
    const name = registry.repository("private", "guessed");
    await push(image, name);
    const stranger = await anonymous("private");
    // Most refuse at once; crane stores whatever it is given.
    const args = tool.login(registry.host("private"), registry.user, "not-the-password");
    await stranger.run(args, tool.passwordOnInput ? "not-the-password\n" : "");
    const pulled = await stranger.run(tool.pull(`${name}:${TAG}`, newFolder(), TAG));
    expect(pulled.code).not.toBe(0);
    expect(pulled.stderr).toMatch(REFUSED);
  });

  let folders = 0;
  const newFolder = (): string => current().path(`folder-${folders++}`);

  async function anonymous(visibility: Visibility): Promise<Client> {
    const stranger = await current().anonymous();
    await tool.prepare?.(stranger, current().registry.host(visibility));
    return stranger;
  }

  async function layoutOf(image: TestImage, name = TAG): Promise<string> {
    const layout = newFolder();
    await writeLayout(layout, image, name);
    return layout;
  }

  async function push(image: TestImage, repository: string, tag = TAG): Promise<void> {
    const layout = await layoutOf(image, tag);
    await current().client.succeed(tool.push(layout, tag, `${repository}:${tag}`));
  }

  async function pull(
    reference: string,
    client = current().client,
  ): Promise<Readonly<Record<string, true>>> {
    const layout = newFolder();
    await client.succeed(tool.pull(reference, layout, TAG));
    return readLayout(layout);
  }
}

/** Digests of all blobs of a layout. @throws {Error} when one's bytes are not what its name says. */
export async function readLayout(layout: string): Promise<Readonly<Record<string, true>>> {
  const folder = join(layout, "blobs", "sha256");
  const names = await readdir(folder);
  for (const name of names) {
    const digest = digestOf(await readFile(join(folder, name)));
    if (digest !== `sha256:${name}`) throw new Error(`${name} holds the bytes of ${digest}`);
  }
  return Object.fromEntries(names.map((name) => [`sha256:${name}`, true] as const));
}

/** Digests of all that an image is made of. */
export function contentsOf(image: TestImage): Readonly<Record<string, true>> {
  return Object.fromEntries([...image.blobs.keys()].map((digest) => [digest, true] as const));
}

/** An index of two images whose layers hold `text`. */
export async function buildIndexOfTwo(text: string): Promise<TestImage> {
  const layers = (architecture: string) => [{ "text.txt": `${text} on ${architecture}` }];
  const architectures = ["amd64", "arm64"];
  return buildIndex(
    await Promise.all(
      architectures.map((architecture) =>
        buildImage({ architecture, layers: layers(architecture) }),
      ),
    ),
  );
}
