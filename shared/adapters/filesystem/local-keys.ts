import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto";
import { link, mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Keys, PublicSigningKey } from "../../ports/keys.ts";
import { syncFolder } from "./blob-folder.ts";
import { isErrno } from "./errno.ts";

/** {@link Keys} as files that only the owner may read: `signing.pem` (P-256) and `secret` (32 bytes). */
export class LocalKeys implements Keys {
  readonly #privateKey: KeyObject;
  readonly #public: PublicSigningKey;
  readonly #secret: KeyObject;
  /** Node makes a key of bytes anew for each HMAC, with an exception inside: five times the work of the HMAC itself. */
  readonly #derived = new Map<string, KeyObject>();

  private constructor(privateKey: KeyObject, secret: Uint8Array) {
    this.#privateKey = privateKey;
    this.#secret = createSecretKey(secret);
    const der = createPublicKey(privateKey).export({ type: "spki", format: "der" });
    this.#public = {
      keyId: `SHA256:${createHash("sha256").update(der).digest("base64")}`,
      spkiBase64: der.toString("base64"),
    };
  }

  /** Opens the keys of a folder, making those that are missing; of several processes the first one's count. */
  static async open(folder: string): Promise<LocalKeys> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const pem = await readOrCreate(join(folder, "signing.pem"), () =>
      generateKeyPairSync("ec", { namedCurve: "P-256" })
        .privateKey.export({ type: "pkcs8", format: "pem" })
        .toString(),
    );
    const secret = await readOrCreate(join(folder, "secret"), () =>
      randomBytes(32).toString("base64"),
    );
    // What is signed and sealed from now on must not outlive the names of its keys.
    await syncFolder(folder);
    return new LocalKeys(createPrivateKey(pem), Buffer.from(secret, "base64"));
  }

  async sign(message: string): Promise<{ keyId: string; signatureBase64: string }> {
    const signature = sign("sha256", Buffer.from(message), this.#privateKey);
    return { keyId: this.#public.keyId, signatureBase64: signature.toString("base64") };
  }

  async publicKeys(): Promise<readonly PublicSigningKey[]> {
    return [this.#public];
  }

  async mac(purpose: string, message: string): Promise<Uint8Array> {
    return createHmac("sha256", this.#keyFor(purpose)).update(message).digest();
  }

  /** A key of its own for each purpose, so that what one part signs means nothing to another. */
  deriveKey(purpose: string): Uint8Array {
    return this.#keyFor(purpose).export();
  }

  /** Purposes are named in code, so that these are few. */
  #keyFor(purpose: string): KeyObject {
    const known = this.#derived.get(purpose);
    if (known !== undefined) return known;
    const key = createSecretKey(createHmac("sha256", this.#secret).update(purpose).digest());
    this.#derived.set(purpose, key);
    return key;
  }
}

/** `link` puts a complete file in place or fails when there is one: no process reads half a key. */
async function readOrCreate(path: string, make: () => string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
  }
  const draft = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(make());
    await file.sync();
    await link(draft, path);
  } catch (error) {
    if (!isErrno(error, "EEXIST")) throw error;
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
  return readFile(path, "utf8");
}
