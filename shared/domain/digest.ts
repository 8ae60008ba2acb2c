/** Lower-case hexadecimal digests of one sequence of bytes. */
export interface Digests {
  readonly md5: string;
  readonly sha1: string;
  readonly sha256: string;
  readonly sha512: string;
}

export type DigestAlgorithm = keyof Digests;

/** Hexadecimal length of each digest. */
export const DIGEST_HEX_LENGTH: Readonly<Record<DigestAlgorithm, number>> = {
  md5: 32,
  sha1: 40,
  sha256: 64,
  sha512: 128,
};

/** True for lower-case hexadecimal of the algorithm's length. */
export function isDigest(algorithm: DigestAlgorithm, text: string): boolean {
  return text.length === DIGEST_HEX_LENGTH[algorithm] && /^[0-9a-f]+$/.test(text);
}

/** The digest in a checksum file: alone, or with a file name behind it (`sha1sum`) or before it (`openssl`). */
export function digestIn(text: string, algorithm: DigestAlgorithm): string | undefined {
  const words = text.trim().toLowerCase().split(/\s+/);
  return [words[0], words.at(-1)].find(
    (word): word is string => word !== undefined && isDigest(algorithm, word),
  );
}

/** What the record of a file holds. */
export const FILE_DIGESTS = ["md5", "sha1", "sha256", "sha512"] as const;

/** @throws {TypeError} when one is missing: it was not asked for. */
export function requireDigests(digests: Partial<Digests>): Digests {
  const { md5, sha1, sha256, sha512 } = digests;
  if (md5 === undefined || sha1 === undefined || sha256 === undefined || sha512 === undefined) {
    throw new TypeError("the digests of a file must all be computed");
  }
  return { md5, sha1, sha256, sha512 };
}
