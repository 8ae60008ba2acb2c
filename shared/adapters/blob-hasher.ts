import { createHash, hash, type Hash } from "node:crypto";
import type { DigestAlgorithm, Digests } from "../domain/digest.ts";
import {
  BlobTooLargeError,
  DigestMismatchError,
  type PutOptions,
  type StoredBlob,
} from "../ports/blobs.ts";

const ALGORITHMS = [
  "sha256",
  "sha512",
  "sha1",
  "md5",
] as const satisfies readonly DigestAlgorithm[];

type MutableDigests = { sha256: string } & { -readonly [A in DigestAlgorithm]?: string };

/** Counts and hashes bytes as they pass, and judges them against what `put` was told to expect. */
export class BlobHasher {
  readonly #options: PutOptions;
  readonly #hashes: readonly (readonly [DigestAlgorithm, Hash])[];
  #sizeBytes = 0;

  constructor(options: PutOptions) {
    this.#options = options;
    this.#hashes = wantedAlgorithms(options).map((name) => [name, createHash(name)] as const);
  }

  /**
   * Takes the next bytes.
   *
   * @throws {BlobTooLargeError} | {@link DigestMismatchError} on size, as soon as it is certain.
   */
  update(chunk: Uint8Array): void {
    this.#sizeBytes += chunk.byteLength;
    refuseExcess(this.#sizeBytes, this.#options);
    for (const [, hash] of this.#hashes) hash.update(chunk);
  }

  /**
   * The digests of everything seen; call once, after the last byte.
   *
   * @throws {DigestMismatchError}
   */
  finish(): StoredBlob {
    const digests: MutableDigests = { sha256: "" };
    for (const [name, hash] of this.#hashes) digests[name] = hash.digest("hex");
    return judged(digests, this.#sizeBytes, this.#options);
  }
}

/**
 * {@link BlobHasher} for bytes that are all in memory: one call into OpenSSL per algorithm.
 *
 * @throws {BlobTooLargeError} | {@link DigestMismatchError}
 */
export function hashBytes(bytes: Uint8Array, options: PutOptions): StoredBlob {
  refuseExcess(bytes.byteLength, options);
  const digests: MutableDigests = { sha256: "" };
  for (const name of wantedAlgorithms(options)) digests[name] = hash(name, bytes, "hex");
  return judged(digests, bytes.byteLength, options);
}

/** False when the sha256 and size of the bytes are all that {@link verifyKnown} needs. */
export function needsBytes(options: PutOptions): boolean {
  return wantedAlgorithms(options).some((name) => name !== "sha256");
}

/**
 * Judges bytes that were counted and hashed earlier, for options that {@link needsBytes} is false for.
 *
 * @throws {BlobTooLargeError} | {@link DigestMismatchError}
 */
export function verifyKnown(
  known: { readonly sha256: string; readonly sizeBytes: number },
  options: PutOptions,
): StoredBlob {
  refuseExcess(known.sizeBytes, options);
  return judged({ sha256: known.sha256 }, known.sizeBytes, options);
}

function wantedAlgorithms(options: PutOptions): readonly DigestAlgorithm[] {
  return ALGORITHMS.filter(
    (name) =>
      name === "sha256" ||
      options.algorithms?.includes(name) === true ||
      options.expected?.[name] !== undefined,
  );
}

function refuseExcess(sizeBytes: number, options: PutOptions): void {
  if (options.maxSizeBytes !== undefined && sizeBytes > options.maxSizeBytes) {
    throw new BlobTooLargeError(options.maxSizeBytes);
  }
  const expected = options.expectedSizeBytes;
  if (expected !== undefined && sizeBytes > expected) {
    throw new DigestMismatchError("size", String(expected), `at least ${sizeBytes}`);
  }
}

function judged(
  digests: Partial<Digests> & { sha256: string },
  sizeBytes: number,
  options: PutOptions,
): StoredBlob {
  const expectedSize = options.expectedSizeBytes;
  if (expectedSize !== undefined && expectedSize !== sizeBytes) {
    throw new DigestMismatchError("size", String(expectedSize), String(sizeBytes));
  }
  for (const name of ALGORITHMS) {
    const expected = options.expected?.[name];
    const actual = digests[name];
    if (expected !== undefined && actual !== undefined && expected !== actual) {
      throw new DigestMismatchError(name, expected, actual);
    }
  }
  return { sha256: digests.sha256, sizeBytes, digests };
}
