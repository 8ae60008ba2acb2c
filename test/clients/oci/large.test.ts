import { randomBytes } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { buildImage, writeLayout } from "../../support/oci-image.ts";
import { describeWith } from "../../support/programs.ts";
import { crane, skopeo } from "./image-tools.ts";
import { login } from "./image-tool.ts";
import { writeLargeLayout } from "./large-layout.ts";
import { watchMemory } from "./resident-memory.ts";
import { useSession } from "./session.ts";

/** 3 GB where it counts; elsewhere as much as shows whether memory grows, and spares a laptop's disk 9 GB. */
const LAYER_BYTES = process.env["CI"] === "true" ? 3_000_000_000 : 500_000_000;
/** What buffers in flight and a lazy garbage collector may add, whatever the size of the layer. */
const GROWTH_BYTES = 200_000_000;
const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

describeWith("skopeo", "a large layer", (program) => {
  const current = useSession(program);

  test(`of ${megabytes(LAYER_BYTES)} is pushed and pulled, and the server's memory stays flat`, async () => {
    const { registry, client, path } = current();
    await login(skopeo, current(), "private");
    const layer = await writeLargeLayout(path("large"), "v1", LAYER_BYTES);
    const reference = `docker://${registry.repository("private", "large")}:v1`;
    const copy = ["--insecure-policy", "copy", "--preserve-digests"];
    const ways = {
      push: ["--dest-tls-verify=false", `oci:${path("large")}:v1`, reference],
      pull: ["--src-tls-verify=false", reference, `dir:${path("pulled")}`],
    };
    for (const [name, args] of Object.entries(ways)) {
      using memory = watchMemory(registry.pid);
      const startedAt = performance.now();
      await client.succeed([...copy, ...args]);
      const seconds = (performance.now() - startedAt) / 1000;
      const rss = `${megabytes(memory.startBytes)} before, at most ${megabytes(memory.peakBytes())}`;
      console.log(`${name} of ${megabytes(LAYER_BYTES)}: ${seconds.toFixed(1)} s, RSS ${rss}`);
      expect(memory.peakBytes() - memory.startBytes).toBeLessThan(GROWTH_BYTES);
    }
    // skopeo has checked the digest; a folder of its kind names blobs by it.
    const pulled = await stat(path("pulled", layer.digest.replace("sha256:", "")));
    expect(pulled.size).toBe(LAYER_BYTES);
  });
});

describeWith("crane", "twenty pushes at once", (program) => {
  const current = useSession(program);

  test("of images that share their layers store each layer once", async () => {
    const { registry, client, path } = current();
    for (const visibility of ["private", "public"] as const) {
      await login(crane, current(), visibility);
    }
    const layerBytes = 4_000_000;
    const layers = [1, 2, 3, 4].map(() => ({ "noise.bin": randomBytes(layerBytes) }));
    const pushes = Array.from({ length: 20 }, async (_, at) => {
      const image = await buildImage({ layers, labels: { number: `${at}` } });
      const layout = path(`shared-${at}`);
      await writeLayout(layout, image, "v1");
      const name = registry.repository(at % 2 === 0 ? "private" : "public", `shared/image-${at}`);
      await client.succeed(crane.push(layout, "v1", `${name}:v1`));
      return { name, digest: image.descriptor.digest };
    });
    for (const { name, digest } of await Promise.all(pushes)) {
      const accept = "application/vnd.oci.image.manifest.v1+json";
      const answer = await registry.request(name, "manifests/v1", { headers: { accept } });
      expect(answer.headers.get("docker-content-digest")).toBe(digest);
    }
    const stored = await fileSizes(registry.folder);
    expect(stored.filter((size) => size >= layerBytes && size < layerBytes * 1.1)).toHaveLength(4);
  });
});

/** Sizes of all files below a folder. */
async function fileSizes(folder: string): Promise<readonly number[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const stats = await Promise.all(files.map((file) => stat(join(file.parentPath, file.name))));
  return stats.map(({ size }) => size);
}
