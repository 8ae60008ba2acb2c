import { collect } from "../../shared/services/streams.ts";
import type { RegistryGrant } from "../../shared/services/access.ts";
import type { Services } from "../../shared/services/services.ts";
import type { FetchedFile } from "../../shared/services/views/prefetch.ts";
import { ImageViews } from "./image-views.ts";
import { MAX_MANIFEST_BYTES, parseManifest, requiredBlobs } from "./manifest.ts";
import { type FoundManifest, Manifests } from "./manifests.ts";
import { type OciDigest, parseDigest, parseReference, type Reference } from "./names.ts";

/** Of an index, and an index in it. */
const MAX_LEVELS = 3;

interface Image {
  readonly services: Services;
  readonly views: ImageViews;
  readonly grant: RegistryGrant;
  readonly name: string;
  /** Digests that were fetched. */
  readonly seen: Set<string>;
}

/** Everything that a pull of a tag or digest may need: the manifests of all platforms, their configs and layers. */
export async function* fetchImage(
  services: Services,
  grant: RegistryGrant,
  name: string,
  reference: string,
): AsyncIterable<FetchedFile> {
  const views = new ImageViews(services, new Manifests(services));
  const image: Image = { services, views, grant, name, seen: new Set() };
  yield* fetchManifest(image, parseReference(reference), 1);
}

async function* fetchManifest(
  image: Image,
  reference: Reference,
  level: number,
): AsyncIterable<FetchedFile> {
  const { views, grant, name, services, seen } = image;
  const found = await views.getManifest(grant, name, reference);
  const { file } = found;
  if (seen.has(file.version)) return;
  seen.add(file.version);
  yield { ...file, path: file.version };
  const bytes = await bytesOf(services, found);
  const manifest = parseManifest(bytes, file.contentType, parseDigest(file.version));
  for (const child of level < MAX_LEVELS ? manifest.manifests : []) {
    yield* fetchManifest(image, { kind: "digest", digest: parseDigest(child.digest) }, level + 1);
  }
  for (const digest of requiredBlobs(manifest)) yield* fetchBlob(image, parseDigest(digest));
}

async function* fetchBlob(image: Image, digest: OciDigest): AsyncIterable<FetchedFile> {
  const { views, grant, name, seen } = image;
  if (seen.has(digest.text)) return;
  seen.add(digest.text);
  const { sizeBytes, createdAtMs, arriving } = await views.getBlob(grant, name, digest, {
    withBytes: true,
  });
  for await (const _ of arriving ?? []) {
    // It is stored while it is read.
  }
  yield { path: digest.text, sizeBytes, createdAtMs, digests: digest.expected };
}

async function bytesOf(services: Services, { content, file }: FoundManifest): Promise<Uint8Array> {
  if (content !== undefined) return content;
  const body = await services.stores.blobs.open(file.digests.sha256);
  if (body === undefined) throw new Error(`the manifest ${file.version} is missing`);
  return collect(body, MAX_MANIFEST_BYTES);
}
