import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { expect, test } from "vitest";
import { describeWith } from "../../support/programs.ts";
import { login, testImageTool } from "./image-tool.ts";
import { oras } from "./image-tools.ts";
import { type Session, useSession } from "./session.ts";

const HTTP = "--plain-http";

const discovered = z.object({
  manifests: z.array(z.object({ digest: z.string(), artifactType: z.string() })),
});

describeWith("oras", "oras", (program) => {
  const current = useSession(program);

  testImageTool(current, oras);

  test("pushes a file as an artifact and pulls it", async () => {
    const { client } = current();
    const reference = await pushNotes(current(), "artifact");
    await client.succeed(["pull", HTTP, "--output", "pulled", reference]);
    expect(await readFile(join(client.folder, "pulled", "notes.txt"), "utf8")).toBe("notes\n");
  });

  test("attaches to an artifact, discovers by type, and leaves no tag for it", async () => {
    const { registry, client } = current();
    const reference = await pushNotes(current(), "attached");
    await writeFile(join(client.folder, "sbom.json"), "{}");
    await writeFile(join(client.folder, "signature"), "signed");
    await attach("application/vnd.example.sbom", "sbom.json");
    await attach("application/vnd.example.signature", "signature");
    expect(await discover()).toEqual([
      "application/vnd.example.sbom",
      "application/vnd.example.signature",
    ]);
    const filter = ["--artifact-type", "application/vnd.example.sbom"];
    expect(await discover(...filter)).toEqual(["application/vnd.example.sbom"]);
    // Clients that find no referrers API keep an index under a tag instead; distribution has none.
    const tags = await client.succeed(oras.tags(registry.repository("private", "attached")));
    if (registry.server !== undefined) expect(tags.trim()).toBe("v1");

    async function attach(type: string, file: string): Promise<void> {
      const content = `${file}:application/octet-stream`;
      await client.succeed(["attach", HTTP, "--artifact-type", type, reference, content]);
    }

    async function discover(...args: readonly string[]): Promise<readonly string[]> {
      const listed = await client.succeed([
        "discover",
        HTTP,
        "--format",
        "json",
        ...args,
        reference,
      ]);
      const { manifests } = discovered.parse(JSON.parse(listed));
      return manifests.map(({ artifactType }) => artifactType).sort();
    }
  });

  test("copies an artifact with everything that refers to it", async () => {
    const { registry, client } = current();
    await login(oras, current(), "public");
    const reference = await pushNotes(current(), "copied-with");
    await writeFile(join(client.folder, "sbom.json"), "{}");
    const type = "application/vnd.example.sbom";
    await client.succeed(["attach", HTTP, "--artifact-type", type, reference, "sbom.json"]);
    const target = `${registry.repository("public", "copied-with")}:v1`;
    await client.succeed(
      ["cp", "--recursive", "--from-plain-http", "--to-plain-http"].concat(reference, target),
    );
    const listed = await client.succeed(["discover", HTTP, "--format", "json", target]);
    expect(discovered.parse(JSON.parse(listed)).manifests).toHaveLength(1);
  });

  test("pushes, fetches and deletes a blob of its own", async () => {
    const { registry, client } = current();
    await login(oras, current(), "private");
    const name = registry.repository("private", "blobs/alone");
    await writeFile(join(client.folder, "blob.bin"), "the bytes of a blob");
    const pushed = await client.succeed(["blob", "push", HTTP, "--descriptor", name, "blob.bin"]);
    const { digest } = z.object({ digest: z.string() }).parse(JSON.parse(pushed));
    const reference = `${name}@${digest}`;
    const fetched = await client.succeed(["blob", "fetch", HTTP, "--output", "-", reference]);
    expect(fetched).toBe("the bytes of a blob");
    await client.succeed(["blob", "delete", HTTP, "--force", reference]);
    const answer = await registry.request(name, `blobs/${digest}`, { method: "HEAD" });
    expect(answer.status).toBe(404);
  });
});

/** Pushes a text file to the private registry, logged in. Gives the reference. */
async function pushNotes(session: Session, image: string): Promise<string> {
  const { registry, client } = session;
  await login(oras, session, "private");
  await writeFile(join(client.folder, "notes.txt"), "notes\n");
  const reference = `${registry.repository("private", image)}:v1`;
  const type = ["--artifact-type", "application/vnd.example.notes"];
  await client.succeed(["push", HTTP, ...type, reference, "notes.txt:text/plain"]);
  return reference;
}
