import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { Keys } from "../../ports/keys.ts";

const CIPHER = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Begins what was sealed this way, so that there can be another one day. */
const PREFIX = "v1.";

/** What a text belongs to: sealed for one place, it opens in no other. */
export interface SealedPlace {
  /** Of the row, and never used again for another. */
  readonly id: string;
  readonly field: string;
}

/** A sealed text that is damaged, was moved here from elsewhere, or sealed under other keys. */
export class SealedTextError extends Error {
  override readonly name = "SealedTextError";
}

/**
 * Encrypts a secret for the table, with AES-256-GCM under a key that follows from the deployment's own, so that a copy
 * of the table tells nothing.
 *
 * @throws {KeysUnavailableError}
 */
export async function sealText(keys: Keys, place: SealedPlace, text: string): Promise<string> {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, await sealingKey(keys), nonce, {
    authTagLength: TAG_BYTES,
  });
  cipher.setAAD(aadOf(place));
  const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  const bytes = Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
  return PREFIX + bytes.toString("base64url");
}

/** The text again. @throws {SealedTextError} | {@link KeysUnavailableError} */
export async function openSealedText(
  keys: Keys,
  place: SealedPlace,
  sealed: string,
): Promise<string> {
  const bytes = Buffer.from(sealed.slice(PREFIX.length), "base64url");
  if (!sealed.startsWith(PREFIX) || bytes.length < NONCE_BYTES + TAG_BYTES) {
    throw new SealedTextError("this is no sealed text");
  }
  const decipher = createDecipheriv(
    CIPHER,
    await sealingKey(keys),
    bytes.subarray(0, NONCE_BYTES),
    { authTagLength: TAG_BYTES },
  );
  decipher.setAAD(aadOf(place));
  decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  const body = bytes.subarray(NONCE_BYTES + TAG_BYTES);
  try {
    return Buffer.concat([decipher.update(body), decipher.final()]).toString("utf8");
  } catch {
    // The cause tells nothing more: one byte differs, or all do.
    throw new SealedTextError("this text was sealed for another place or under another key");
  }
}

const sealingKey = (keys: Keys): Promise<Uint8Array> => keys.mac("upstream-secret", "seal v1");

const aadOf = ({ id, field }: SealedPlace): Buffer => Buffer.from(`${id}#${field}`);
