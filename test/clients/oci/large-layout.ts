import { createHash, randomBytes } from "node:crypto";
import { open, rename } from "node:fs/promises";
import { join } from "node:path";
import { blobPath, buildImage, type Descriptor, writeLayout } from "../../support/oci-image.ts";

const BLOCK_BYTES = 4 * 1024 * 1024;

/**
 * Writes a layout with an image of one layer of noise, which no client can compress. It is no archive: clients that
 * only carry it never look. Push it with digests kept, or skopeo compresses it all the same.
 *
 * @returns the layer.
 */
export async function writeLargeLayout(
  folder: string,
  name: string,
  layerBytes: number,
): Promise<Descriptor> {
  // Writes the folder, and gives the media types that a small image has.
  const small = await buildImage();
  await writeLayout(folder, small, name);
  const hash = createHash("sha256");
  const path = join(folder, "layer");
  const file = await open(path, "w");
  const block = randomBytes(BLOCK_BYTES);
  for (let written = 0; written < layerBytes; written += block.length) {
    // Every block differs from the others, so that no storage can make them one.
    block.writeBigUInt64LE(BigInt(written));
    const piece = block.subarray(0, Math.min(block.length, layerBytes - written));
    hash.update(piece);
    await file.write(piece);
  }
  await file.close();
  const digest = `sha256:${hash.digest("hex")}`;
  await rename(path, blobPath(folder, digest));
  const layer = { mediaType: small.layers[0]?.mediaType ?? "", digest, size: layerBytes };
  await writeLayout(folder, await buildImage({ foreignLayers: [layer] }), name);
  return layer;
}
