import { pack, type Header } from "tar-stream";
import { type Bytes, bytesOf, descriptor, type Pushed, type Repository } from "./builders.ts";

const IMAGE_CONFIG = "application/vnd.oci.image.config.v1+json";
const TAR_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip";

/** An entry of an archive: a file's text, or a header and what follows it. */
type ArchiveEntry = readonly [name: string, content?: string, header?: Partial<Header>];

/** A tar archive; names are written as they are given. */
export async function tar(entries: readonly ArchiveEntry[]): Promise<Bytes> {
  const archive = pack();
  for (const [name, content = "", header = {}] of entries) {
    archive.entry({ name, ...header }, content);
  }
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) if (chunk instanceof Uint8Array) chunks.push(chunk);
  return Uint8Array.from(Buffer.concat(chunks));
}

/** Pushes an image of these layers, bottom first. */
export async function pushLayers(
  repository: Repository,
  layers: readonly Bytes[],
  {
    tag,
    config = { os: "linux", architecture: "amd64" },
    mediaType = TAR_GZIP,
  }: { tag?: string; config?: unknown; mediaType?: string } = {},
): Promise<Pushed> {
  const text = typeof config === "string" ? config : JSON.stringify(config);
  const configBlob = await repository.pushBlob(bytesOf(text), IMAGE_CONFIG);
  const pushed: Pushed[] = [];
  for (const layer of layers) pushed.push(await repository.pushBlob(layer, mediaType));
  return repository.pushManifest(tag, "application/vnd.oci.image.manifest.v1+json", {
    config: descriptor(configBlob),
    layers: pushed.map((layer) => descriptor(layer)),
  });
}
