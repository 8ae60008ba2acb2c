/** A public key in the form of npm's `/-/npm/v1/keys`: SPKI DER in base64. */
export interface PublicSigningKey {
  /** `SHA256:` and the base64 SHA-256 of the DER. */
  readonly keyId: string;
  readonly spkiBase64: string;
}

/**
 * The deployment's own secrets: a folder when embedded, KMS on AWS. None of them ever leaves it.
 * Where they cannot be used at the moment, every method throws {@link KeysUnavailableError}.
 */
export interface Keys {
  /** Signs with ECDSA P-256 over SHA-256; DER in base64, as npm verifies it. */
  sign(message: string): Promise<{ readonly keyId: string; readonly signatureBase64: string }>;
  publicKeys(): Promise<readonly PublicSigningKey[]>;
  /** HMAC-SHA-256 under a key of the deployment's own for each `purpose`. */
  mac(purpose: string, message: string): Promise<Uint8Array>;
}

/** The keys cannot be used at the moment; nothing was signed. */
export class KeysUnavailableError extends Error {
  override readonly name = "KeysUnavailableError";
}
