import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";

const CONFIG = "application/vnd.oci.image.config.v1+json";
const LAYER = "application/vnd.oci.image.layer.v1.tar+gzip";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";
const HELLO = { "hello.txt": "hello from a layer\n" };
const NAME = "org.opencontainers.image.ref.name";

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md */
export interface Descriptor {
  readonly mediaType: string;
  /** `sha256:` and 64 lower-case hexadecimal digits. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  readonly platform?: { readonly os: string; readonly architecture: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** An image or an index, and all that it points to. */
export interface TestImage {
  /** Of its manifest or index. */
  readonly descriptor: Descriptor;
  /** Manifests, configurations and layers by digest, its own manifest among them. */
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  /** Of one image; of an index none. */
  readonly layers: readonly Descriptor[];
}

export interface ImageOptions {
  /** The files of each layer, from the lowest, by path. One layer with one file when absent. */
  readonly layers?: readonly Readonly<Record<string, string | Uint8Array>>[];
  /** Instead of `layers`: layers whose bytes the caller keeps. They are not among the image's blobs. */
  readonly foreignLayers?: readonly Descriptor[];
  readonly architecture?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** An image for Linux made of nothing but the files given. The same options give the same bytes. */
export async function buildImage(options: ImageOptions = {}): Promise<TestImage> {
  const architecture = options.architecture ?? "amd64";
  const blobs = new Map<string, Uint8Array>();
  const foreign = options.foreignLayers ?? [];
  const layers: Descriptor[] = [...foreign];
  const diffIds = foreign.map(({ digest }) => digest);
  const contents = options.layers ?? (foreign.length > 0 ? [] : [HELLO]);
  for (const files of contents) {
    const tar = await tarOf(files);
    diffIds.push(digestOf(tar));
    layers.push(addBlob(blobs, LAYER, gzipSync(tar, { level: 1 })));
  }
  const config = addJson(blobs, CONFIG, {
    architecture,
    os: "linux",
    created: "2026-01-01T00:00:00Z",
    config: { Cmd: ["/hello"], Env: ["PATH=/"], Labels: options.labels ?? {} },
    rootfs: { type: "layers", diff_ids: diffIds },
    history: diffIds.map(() => ({ created: "2026-01-01T00:00:00Z", created_by: "a test" })),
  });
  const manifest = addJson(blobs, MANIFEST, {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config,
    layers,
  });
  return { descriptor: { ...manifest, platform: { os: "linux", architecture } }, blobs, layers };
}

/** An index of these images. Their platforms should differ. */
export function buildIndex(images: readonly TestImage[]): TestImage {
  const blobs = new Map(images.flatMap((image) => [...image.blobs]));
  const manifests = images.map(({ descriptor }) => descriptor);
  const descriptor = addJson(blobs, INDEX, { schemaVersion: 2, mediaType: INDEX, manifests });
  return { descriptor, blobs, layers: [] };
}

/**
 * Writes an OCI image layout whose image has the name given, into a folder that is created when missing.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 */
export async function writeLayout(folder: string, image: TestImage, name: string): Promise<void> {
  await mkdir(join(folder, "blobs", "sha256"), { recursive: true });
  for (const [digest, bytes] of image.blobs) await writeFile(blobPath(folder, digest), bytes);
  const entry = { ...image.descriptor, annotations: { [NAME]: name } };
  const index = { schemaVersion: 2, mediaType: INDEX, manifests: [entry] };
  await writeFile(join(folder, "index.json"), JSON.stringify(index));
  await writeFile(join(folder, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
}

/** Where a layout keeps a blob. */
export function blobPath(layout: string, digest: string): string {
  return join(layout, "blobs", ...digest.split(":"));
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function addJson(blobs: Map<string, Uint8Array>, mediaType: string, value: unknown): Descriptor {
  return addBlob(blobs, mediaType, Buffer.from(JSON.stringify(value)));
}

function addBlob(blobs: Map<string, Uint8Array>, mediaType: string, bytes: Uint8Array): Descriptor {
  const digest = digestOf(bytes);
  blobs.set(digest, bytes);
  return { mediaType, digest, size: bytes.length };
}

async function tarOf(files: Readonly<Record<string, string | Uint8Array>>): Promise<Buffer> {
  const archive = pack();
  for (const [name, content] of Object.entries(files)) {
    archive.entry({ name, mtime: new Date(0), mode: 0o755 }, Buffer.from(content));
  }
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) {
    if (chunk instanceof Uint8Array) chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
