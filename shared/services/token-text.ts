import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { base62, randomText } from "../domain/identifiers.ts";
import type { TokenKind } from "../domain/token.ts";

/**
 * Token text: `ep_<kind>_<id>_<secret><crc>`. The id finds the row without a search, the checksum lets
 * secret scanners and us tell a token from a typo without a look-up, and only the SHA-256 of the secret
 * (190 random bits, so no slow hash is needed) is ever stored.
 */
export interface TokenText {
  readonly id: string;
  readonly secretSha256: string;
}

const KIND_WORDS: Readonly<Record<TokenKind, string>> = { access: "at", session: "st" };
const ID_LENGTH = 12;
const SECRET_LENGTH = 32;
const PATTERN = /^ep_(?:at|st)_([0-9A-Za-z]{12})_([0-9A-Za-z]{32})([0-9A-Za-z]{6})$/;

const checksum = (body: string): string => base62(crc32(body), 6);
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** A new token: its text, to be shown once, and what is stored of it. */
export function newTokenText(kind: TokenKind): TokenText & {
  readonly text: string;
  readonly hint: string;
} {
  const id = randomText(ID_LENGTH);
  const secret = randomText(SECRET_LENGTH);
  const body = `ep_${KIND_WORDS[kind]}_${id}_${secret}`;
  return {
    id,
    secretSha256: sha256(secret),
    text: body + checksum(body),
    hint: `ep_${KIND_WORDS[kind]}_${id}_…`,
  };
}

/** `undefined` for what cannot be a token of ours. */
export function parseTokenText(text: string): TokenText | undefined {
  const match = PATTERN.exec(text);
  const [, id, secret, crc] = match ?? [];
  if (id === undefined || secret === undefined || crc === undefined) return undefined;
  return checksum(text.slice(0, -crc.length)) === crc
    ? { id, secretSha256: sha256(secret) }
    : undefined;
}
