import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { blobPath, buildImage, writeLayout } from "../../support/oci-image.ts";
import { describeWith } from "../../support/programs.ts";
import { login, testImageTool } from "./image-tool.ts";
import { regctl } from "./image-tools.ts";
import { useSession } from "./session.ts";

describeWith("regctl", "regctl", (program) => {
  const current = useSession(program);

  testImageTool(current, regctl);

  test("deletes one tag and leaves the image to the others", async () => {
    const { registry, client, path } = current();
    await login(regctl, current(), "private");
    const image = await buildImage({ labels: { test: "two tags" } });
    await writeLayout(path("two-tags"), image, "v1");
    const name = registry.repository("private", "two-tags");
    for (const tag of ["keep", "drop"]) {
      await client.succeed(regctl.push(path("two-tags"), "v1", `${name}:${tag}`));
    }
    await client.succeed(["tag", "delete", `${name}:drop`]);
    const tags = (await client.succeed(regctl.tags(name))).trim().split("\n");
    expect(tags).toEqual(["keep"]);
    expect((await client.succeed(["image", "digest", `${name}:keep`])).trim()).toBe(
      image.descriptor.digest,
    );
  });

  test("lists the repositories that its login may read, not only the public ones", async () => {
    const { registry, client, path } = current();
    await login(regctl, current(), "private");
    await writeLayout(path("listed"), await buildImage({ labels: { test: "listed" } }), "v1");
    for (const visibility of ["private", "public"] as const) {
      const name = registry.repository(visibility, "listed");
      await client.succeed(regctl.push(path("listed"), "v1", `${name}:v1`));
    }
    const listed = await client.succeed(["repo", "ls", registry.host("private")]);
    for (const visibility of ["private", "public"] as const) {
      const name = registry.repository(visibility, "listed");
      expect(listed.split("\n")).toContain(name.slice(name.indexOf("/") + 1));
    }
  });

  test("attaches an artifact, lists it, and copies an image with its referrers", async () => {
    const { registry, client, path } = current();
    await login(regctl, current(), "private");
    const image = await buildImage({ labels: { test: "referred to" } });
    await writeLayout(path("subject"), image, "v1");
    const name = registry.repository("private", "subject");
    await client.succeed(regctl.push(path("subject"), "v1", `${name}:v1`));
    await writeFile(join(client.folder, "sbom.json"), '{"sbom":true}');
    const type = "application/vnd.example.sbom";
    const media = "application/json";
    await client.succeed(
      ["artifact", "put", "--artifact-type", type, "--subject", `${name}:v1`].concat([
        "--file",
        "sbom.json",
        "--file-media-type",
        media,
      ]),
    );
    const listed = ["artifact", "list", "--filter-artifact-type", type, `${name}:v1`];
    expect(await client.succeed(listed)).toContain(type);
    const copy = registry.repository("private", "subject-copy");
    await client.succeed(["image", "copy", "--referrers", `${name}:v1`, `${copy}:v1`]);
    const copied = ["artifact", "get", "--subject", `${copy}:v1`, "--filter-artifact-type", type];
    expect(await client.succeed(copied)).toBe('{"sbom":true}');
  });

  test("sends a blob in chunks of 64 KiB", async () => {
    const { registry, client, path } = current();
    await login(regctl, current(), "private");
    const flags = ["--skip-check", "--blob-chunk", "65536", "--blob-max", "65536"];
    await client.succeed(["registry", "set", ...flags, registry.host("private")]);
    const image = await buildImage({ layers: [{ "noise.bin": randomBytes(300_000) }] });
    await writeLayout(path("chunks"), image, "v1");
    const reference = `${registry.repository("private", "chunks")}:v1`;
    await client.succeed(regctl.push(path("chunks"), "v1", reference));
    await client.succeed(regctl.pull(reference, path("chunks-pulled"), "v1"));
    const layer = image.layers[0]?.digest ?? "";
    const pulled = await readFile(blobPath(path("chunks-pulled"), layer));
    expect(pulled).toEqual(image.blobs.get(layer));
    const { server } = registry;
    if (server === undefined) return;
    // The server writes its log a moment later.
    await expect.poll(() => server.output().match(/"method":"PATCH"/g)).toHaveLength(5);
  });
});
