import { createHash } from "node:crypto";
import { drive } from "../load/drive.ts";
import { makeNoise } from "./noise.ts";
import { newAgent, pushBlob } from "./push.ts";
import type { OciServer } from "./servers.ts";
import { MANIFEST, wireRequest } from "./wire.ts";

/** What all servers hold before they are measured. */
export interface Fixture {
  readonly image: string;
  readonly tag: string;
  readonly manifestDigest: string;
  /** Of a blob that is there: the configuration. */
  readonly blobDigest: string;
  /** Digests of the blobs to pull, by their size. */
  readonly pulls: ReadonlyMap<number, string>;
  /** A manifest that is nobody else's, of blobs that are there. */
  manifest(label: string): Uint8Array;
}

export const IMAGE = "team/app";
const TAG = "v1";
const LAYERS = 5;

/** Pushes an image of {@link LAYERS} layers and the blobs to pull. */
export async function seed(server: OciServer, pullBytes: readonly number[]): Promise<Fixture> {
  const agent = newAgent(1);
  const push = async (bytes: number) => {
    const noise = makeNoise(bytes);
    await pushBlob(server, agent, IMAGE, noise);
    return { digest: noise.digest, size: noise.sizeBytes };
  };
  const config = await push(2_000);
  const layers: { readonly digest: string; readonly size: number }[] = [];
  for (let at = 0; at < LAYERS; at++) layers.push(await push(10_000 + at));
  const pulls = new Map<number, string>();
  for (const bytes of pullBytes) pulls.set(bytes, (await push(bytes)).digest);
  agent.destroy();
  const manifest = (label: string): Uint8Array =>
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MANIFEST,
        config: { mediaType: "application/vnd.oci.image.config.v1+json", ...config },
        layers: layers.map((layer) => ({
          mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
          ...layer,
        })),
        annotations: { "org.example.label": label },
      }),
    );
  const first = manifest("the first");
  await putManifests(server, 1, 1, () => ({ reference: TAG, body: first }));
  const manifestDigest = `sha256:${createHash("sha256").update(first).digest("hex")}`;
  return { image: IMAGE, tag: TAG, manifestDigest, blobDigest: config.digest, pulls, manifest };
}

/** Puts so many manifests. @throws {Error} unless each is answered with 201. */
export async function putManifests(
  server: OciServer,
  connections: number,
  count: number,
  next: (at: number) => { readonly reference: string; readonly body: Uint8Array },
  image: string = IMAGE,
): Promise<Awaited<ReturnType<typeof drive>>> {
  let at = 0;
  return drive({
    port: server.port,
    connections,
    expectStatus: 201,
    next: () => {
      if (at >= count) return undefined;
      const { reference, body } = next(at++);
      const path = `${image}/manifests/${reference}`;
      return wireRequest(server, {
        method: "PUT",
        path,
        headers: { "Content-Type": MANIFEST },
        body,
      });
    },
  });
}
