import { generateKeyPairSync, sign } from "node:crypto";

/** PEM texts. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/**
 * A certificate for localhost and an IPv4 address that nobody trusts. It is made here so that no private key is in Git.
 */
export function selfSignedCertificate(address = "127.0.0.1"): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const ecdsaWithSha256 = der(0x30, oid("2a8648ce3d040302"));
  const name = der(0x30, der(0x31, der(0x30, oid("550403"), der(0x0c, Buffer.from("test")))));
  const validity = der(0x30, time("200101000000Z"), time("491231235959Z"));
  const hosts = der(
    0x30,
    der(0x82, Buffer.from("localhost")),
    der(0x87, Buffer.from(address.split(".").map(Number))),
  );
  const extensions = der(0x30, der(0x30, oid("551d11"), der(0x04, hosts)));
  const body = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    ecdsaWithSha256,
    name,
    validity,
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, extensions),
  );
  const signature = Buffer.concat([Buffer.from([0]), sign("sha256", body, privateKey)]);
  const whole = der(0x30, body, ecdsaWithSha256, der(0x03, signature));
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${whole.toString("base64")}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

/** One element of ASN.1 in DER (X.690), of less than 64 KiB. */
function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const head = length < 128 ? [tag, length] : [tag, 0x82, length >> 8, length & 255];
  // DER wants the shortest form of a length.
  if (length >= 128 && length < 256) head.splice(1, 3, 0x81, length);
  return Buffer.concat([Buffer.from(head), content]);
}

const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, "hex"));
const time = (text: string): Buffer => der(0x17, Buffer.from(text));
