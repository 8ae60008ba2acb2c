import { expect, test } from "vitest";
import { describeWith } from "../../support/programs.ts";
import { buildImage, writeLayout } from "../../support/oci-image.ts";
import { login, testImageTool } from "./image-tool.ts";
import { crane } from "./image-tools.ts";
import { useSession } from "./session.ts";

describeWith("crane", "crane", (program) => {
  const current = useSession(program);

  testImageTool(current, crane);

  test("moves a tag, and lists the repositories that its login may read", async () => {
    const { registry, client, path } = current();
    await login(crane, current(), "private");
    const image = await buildImage({ labels: { test: "crane tag" } });
    await writeLayout(path("tag"), image, "v1");
    const name = registry.repository("private", "moved/image");
    await client.succeed(crane.push(path("tag"), "v1", `${name}:v1`));
    await client.succeed(["tag", `${name}:v1`, "stable"]);
    expect((await client.succeed(["digest", `${name}:stable`])).trim()).toBe(
      image.descriptor.digest,
    );
    const listed = await client.succeed(["catalog", registry.host("private")]);
    expect(listed.split("\n")).toContain(name.slice(name.indexOf("/") + 1));
  });

  test("reads the configuration and the files of an image", async () => {
    const { registry, client, path } = current();
    const image = await buildImage({
      layers: [{ "motd.txt": "welcome" }],
      labels: { maintainer: "somebody" },
    });
    await writeLayout(path("export"), image, "v1");
    const reference = `${registry.repository("public", "exported")}:v1`;
    await client.succeed(crane.push(path("export"), "v1", reference));
    expect(await client.succeed(["config", reference])).toContain('"maintainer":"somebody"');
    expect(await client.succeed(["export", reference, "-"])).toContain("welcome");
  });
});
