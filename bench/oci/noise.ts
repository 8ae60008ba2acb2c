import { createHash, randomBytes } from "node:crypto";

const BLOCK_BYTES = 1024 * 1024;
const block = randomBytes(BLOCK_BYTES);

/** A blob that is nobody else's: a stamp, then noise that all of them share. */
export interface Noise {
  readonly digest: string;
  readonly sizeBytes: number;
  /** Its bytes, in pieces of 1 MiB and less. */
  pieces(): Iterable<Uint8Array>;
}

/** Makes one. Hashing it takes its time, so it is made before anything is measured. */
export function makeNoise(sizeBytes: number): Noise {
  const stamp = randomBytes(Math.min(32, sizeBytes));
  function* pieces(): Iterable<Uint8Array> {
    yield stamp;
    for (let at = stamp.length; at < sizeBytes; at += BLOCK_BYTES) {
      yield block.subarray(0, Math.min(BLOCK_BYTES, sizeBytes - at));
    }
  }
  const hash = createHash("sha256");
  for (const piece of pieces()) hash.update(piece);
  return { digest: `sha256:${hash.digest("hex")}`, sizeBytes, pieces };
}
