import { createHash, createHmac } from "node:crypto";
import {
  GenerateMacCommand,
  GetPublicKeyCommand,
  type KMSClient,
  SignCommand,
} from "@aws-sdk/client-kms";
import { type Keys, KeysUnavailableError, type PublicSigningKey } from "../../ports/keys.ts";

export interface KmsKeysOptions {
  readonly client: KMSClient;
  /** Id, ARN or alias of an `ECC_NIST_P256` key for `SIGN_VERIFY`; absent where nothing is signed. */
  readonly signingKeyId?: string;
  /** Id, ARN or alias of an `HMAC_256` key; absent where nothing is authenticated. */
  readonly macKeyId?: string;
}

/** What KMS hashes itself; npm's messages, of a name, a version and a hash, have less than 700. */
const MAX_MESSAGE_BYTES = 4096;
/** What the key of each purpose is derived from; a new version of the scheme gets another text. */
const DERIVATION = "entrepot/mac/1/";

/**
 * {@link Keys} in KMS. The private key never leaves it and signs there
 * (https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html). The HMAC key does not leave it either, but what
 * it makes of a purpose's name is that purpose's own key, kept in this process: one call per purpose and process
 * (https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateMac.html), none per request.
 */
export class KmsKeys implements Keys {
  readonly #options: KmsKeysOptions;
  readonly #secrets = new Map<string, Promise<Uint8Array>>();
  #public: Promise<PublicSigningKey> | undefined;

  constructor(options: KmsKeysOptions) {
    this.#options = options;
  }

  /** @throws {KeysUnavailableError} */
  async sign(message: string): Promise<{ keyId: string; signatureBase64: string }> {
    const { keyId } = await this.#publicKey();
    const bytes = Buffer.from(message);
    if (bytes.length > MAX_MESSAGE_BYTES) {
      throw new TypeError(`a message to sign has at most ${MAX_MESSAGE_BYTES} bytes`);
    }
    const { Signature } = await this.#answered("Sign", () =>
      this.#options.client.send(
        new SignCommand({
          KeyId: this.#signingKeyId(),
          Message: bytes,
          MessageType: "RAW",
          SigningAlgorithm: "ECDSA_SHA_256",
        }),
      ),
    );
    if (Signature === undefined) throw new KeysUnavailableError("KMS signed without a signature");
    return { keyId, signatureBase64: Buffer.from(Signature).toString("base64") };
  }

  /** @throws {KeysUnavailableError} */
  async publicKeys(): Promise<readonly PublicSigningKey[]> {
    return [await this.#publicKey()];
  }

  /** @throws {KeysUnavailableError} at the first use of a purpose; afterwards KMS is not asked. */
  async mac(purpose: string, message: string): Promise<Uint8Array> {
    return createHmac("sha256", await this.#secretFor(purpose))
      .update(message)
      .digest();
  }

  /** The key itself, for whoever authenticates where we cannot: CloudFront checks upload tickets with one. */
  async deriveKey(purpose: string): Promise<Uint8Array> {
    return this.#secretFor(purpose);
  }

  async #secretFor(purpose: string): Promise<Uint8Array> {
    const known = this.#secrets.get(purpose);
    if (known !== undefined) return known;
    const deriving = this.#derive(purpose);
    this.#secrets.set(purpose, deriving);
    // What failed is asked for again by the next request.
    deriving.catch(() => this.#secrets.delete(purpose));
    return deriving;
  }

  async #derive(purpose: string): Promise<Uint8Array> {
    const { client, macKeyId } = this.#options;
    if (macKeyId === undefined) throw new Error("this function has no HMAC key");
    const { Mac } = await this.#answered("GenerateMac", () =>
      client.send(
        new GenerateMacCommand({
          KeyId: macKeyId,
          MacAlgorithm: "HMAC_SHA_256",
          Message: Buffer.from(DERIVATION + purpose),
        }),
      ),
    );
    if (Mac === undefined) throw new KeysUnavailableError("KMS gave no HMAC");
    return Mac;
  }

  async #publicKey(): Promise<PublicSigningKey> {
    this.#public ??= this.#readPublicKey();
    try {
      return await this.#public;
    } catch (error) {
      this.#public = undefined;
      throw error;
    }
  }

  async #readPublicKey(): Promise<PublicSigningKey> {
    const KeyId = this.#signingKeyId();
    const { PublicKey } = await this.#answered("GetPublicKey", () =>
      this.#options.client.send(new GetPublicKeyCommand({ KeyId })),
    );
    if (PublicKey === undefined) throw new KeysUnavailableError("KMS gave no public key");
    return {
      keyId: `SHA256:${createHash("sha256").update(PublicKey).digest("base64")}`,
      spkiBase64: Buffer.from(PublicKey).toString("base64"),
    };
  }

  #signingKeyId(): string {
    const { signingKeyId } = this.#options;
    if (signingKeyId === undefined) throw new Error("this function has no signing key");
    return signingKeyId;
  }

  async #answered<Answer>(operation: string, call: () => Promise<Answer>): Promise<Answer> {
    try {
      return await call();
    } catch (error) {
      const why = error instanceof Error ? error.name : String(error);
      throw new KeysUnavailableError(`KMS refuses ${operation}: ${why}`, { cause: error });
    }
  }
}
