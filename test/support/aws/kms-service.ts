import { createHmac, createPublicKey, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { type JsonService, ServiceException, startJsonService } from "./json-service.ts";

export const SIGNING_KEY = "alias/test-signing";
export const MAC_KEY = "alias/test-mac";

/** KMS with one signing key (P-256) and one HMAC key, in real cryptography, for what the adapter asks of it. */
export async function startKms(): Promise<JsonService> {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const publicKey = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  const macKey = randomBytes(32);
  return startJsonService({
    GetPublicKey: ({ KeyId }) => {
      requireKey(KeyId, SIGNING_KEY);
      return { KeyId, PublicKey: publicKey.toString("base64"), KeySpec: "ECC_NIST_P256" };
    },
    Sign: ({ KeyId, Message, MessageType, SigningAlgorithm }) => {
      requireKey(KeyId, SIGNING_KEY);
      if (MessageType !== "RAW" || SigningAlgorithm !== "ECDSA_SHA_256") {
        throw new ServiceException("ValidationException");
      }
      const signature = sign("sha256", Buffer.from(String(Message), "base64"), privateKey);
      return { KeyId, Signature: signature.toString("base64"), SigningAlgorithm };
    },
    GenerateMac: ({ KeyId, Message, MacAlgorithm }) => {
      requireKey(KeyId, MAC_KEY);
      if (MacAlgorithm !== "HMAC_SHA_256") throw new ServiceException("ValidationException");
      const mac = createHmac("sha256", macKey).update(Buffer.from(String(Message), "base64"));
      return { KeyId, Mac: mac.digest("base64"), MacAlgorithm };
    },
  });
}

function requireKey(given: unknown, expected: string): void {
  if (given !== expected) throw new ServiceException("NotFoundException");
}
