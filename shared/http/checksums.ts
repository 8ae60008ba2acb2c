import { InvalidInputError } from "../errors.ts";
import {
  DIGEST_HEX_LENGTH,
  type DigestAlgorithm,
  type Digests,
  FILE_DIGESTS,
  isDigest,
} from "../domain/digest.ts";

/** Names of the algorithms in `Digest` (RFC 3230, RFC 5843) and `Content-Digest` (RFC 9530), lower-case. */
const REGISTERED_NAMES: Readonly<Record<string, DigestAlgorithm>> = {
  md5: "md5",
  sha: "sha1",
  "sha-256": "sha256",
  "sha-512": "sha512",
};

interface Claim {
  readonly header: string;
  readonly algorithm: DigestAlgorithm;
  readonly hex: string;
}

/**
 * Every checksum that the headers of an upload claim: `x-checksum-md5|sha1|sha256|sha512` (hexadecimal),
 * `Content-MD5` (RFC 1864), `Digest` (RFC 3230), `Content-Digest` and `Repr-Digest` (RFC 9530; the same, as
 * content codings are not accepted). Algorithms that we do not know are passed over, as both RFCs say.
 *
 * @throws {InvalidInputError} for one that is malformed, or contradicts another.
 */
export function checksumsOf(headers: Headers): Partial<Digests> {
  const claims = [
    ...FILE_DIGESTS.flatMap((algorithm) => hexClaim(headers, algorithm)),
    ...contentMd5(headers),
    ...listClaims(headers, "digest", /^([A-Za-z0-9-]+)=([A-Za-z0-9+/]+=*)$/),
    ...listClaims(headers, "content-digest", /^([a-z0-9*_.-]+)=:([A-Za-z0-9+/]+=*):/),
    ...listClaims(headers, "repr-digest", /^([a-z0-9*_.-]+)=:([A-Za-z0-9+/]+=*):/),
  ];
  const known: Partial<Record<DigestAlgorithm, string>> = {};
  for (const { header, algorithm, hex } of claims) {
    if ((known[algorithm] ?? hex) !== hex) {
      throw invalid(header, `contradicts another header about the ${algorithm}`);
    }
    known[algorithm] = hex;
  }
  return known;
}

/** The same of an answer. Servers say all sorts of things in `Digest`; what cannot be understood announces nothing. */
export function announcedDigests(headers: Headers): Partial<Digests> {
  try {
    return checksumsOf(headers);
  } catch (error) {
    if (error instanceof InvalidInputError) return {};
    throw error;
  }
}

function hexClaim(headers: Headers, algorithm: DigestAlgorithm): readonly Claim[] {
  const header = `x-checksum-${algorithm}`;
  const hex = headers.get(header)?.trim().toLowerCase();
  if (hex === undefined) return [];
  if (isDigest(algorithm, hex)) return [{ header, algorithm, hex }];
  throw invalid(header, `is not ${DIGEST_HEX_LENGTH[algorithm]} hexadecimal digits`);
}

function contentMd5(headers: Headers): readonly Claim[] {
  const value = headers.get("content-md5");
  return value === null ? [] : [base64Claim("content-md5", "md5", value.trim())];
}

function listClaims(headers: Headers, header: string, member: RegExp): readonly Claim[] {
  const value = headers.get(header);
  if (value === null) return [];
  return value.split(",").flatMap((text) => {
    const [, name, base64] = member.exec(text.trim()) ?? [];
    if (name === undefined || base64 === undefined) {
      throw invalid(header, "is not a list of algorithms and base64 digests");
    }
    const key = name.toLowerCase();
    const algorithm = Object.hasOwn(REGISTERED_NAMES, key) ? REGISTERED_NAMES[key] : undefined;
    return algorithm === undefined ? [] : [base64Claim(header, algorithm, base64)];
  });
}

function base64Claim(header: string, algorithm: DigestAlgorithm, base64: string): Claim {
  const bytes = Buffer.from(base64, "base64");
  const hex = bytes.toString("hex");
  // Node decodes leniently; only the canonical spelling is taken, with its padding.
  if (bytes.toString("base64") === base64 && isDigest(algorithm, hex)) {
    return { header, algorithm, hex };
  }
  throw invalid(header, `is not a ${algorithm} in base64`);
}

function invalid(header: string, problem: string): InvalidInputError {
  return new InvalidInputError(`The header ${header} ${problem}.`, [{ at: header, problem }]);
}
