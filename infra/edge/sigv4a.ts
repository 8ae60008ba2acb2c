import {
  createECDH,
  createHash,
  createHmac,
  createPrivateKey,
  type KeyObject,
  sign,
} from "node:crypto";

/** Credentials as the SDK's clients give them. */
export interface SigningCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** A request to sign: the path is encoded as it is sent, and there is no query. */
export interface SignableRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const ALGORITHM = "AWS4-ECDSA-P256-SHA256";
/** Order of the curve P-256, less two: a key may be 1 to the order less one. */
const MAX_CANDIDATE = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n - 2n;

/**
 * The headers of a request under Signature Version 4A, which signs for every region at once: the KeyValueStores of
 * CloudFront take nothing else, and the SDK has it in a package of native code only.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function signForAllRegions(
  request: SignableRequest,
  options: {
    readonly service: string;
    readonly credentials: SigningCredentials;
    readonly now: Date;
  },
): Readonly<Record<string, string>> {
  const { service, credentials, now } = options;
  const time = now.toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
  const scope = `${time.slice(0, 8)}/${service}/aws4_request`;
  const headers = {
    ...request.headers,
    "x-amz-content-sha256": sha256(request.body),
    "x-amz-date": time,
    "x-amz-region-set": "*",
    ...(credentials.sessionToken === undefined
      ? {}
      : { "x-amz-security-token": credentials.sessionToken }),
  };
  const signed = Object.entries({ ...headers, host: request.url.host })
    .map(([name, value]) => [name.toLowerCase(), value.trim()] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const names = signed.map(([name]) => name).join(";");
  const canonical = [
    request.method,
    // Encoded once more than it is sent, as everywhere but in S3.
    request.url.pathname.split("/").map(encodeURIComponent).join("/"),
    "",
    ...signed.map(([name, value]) => `${name}:${value}`),
    "",
    names,
    sha256(request.body),
  ].join("\n");
  const text = [ALGORITHM, time, scope, sha256(canonical)].join("\n");
  const signature = sign("sha256", Buffer.from(text), signingKey(credentials)).toString("hex");
  const credential = `${credentials.accessKeyId}/${scope}`;
  return {
    ...headers,
    authorization: `${ALGORITHM} Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

/** The private key that belongs to credentials: NIST SP 800-108 in counter mode, until it is one of the curve. */
export function signingKey({ accessKeyId, secretAccessKey }: SigningCredentials): KeyObject {
  for (let counter = 1; counter < 255; counter++) {
    const input = Buffer.concat([
      Buffer.from([0, 0, 0, 1]),
      Buffer.from(`${ALGORITHM}\0${accessKeyId}`),
      Buffer.from([counter, 0, 0, 1, 0]),
    ]);
    const candidate = createHmac("sha256", `AWS4A${secretAccessKey}`).update(input).digest("hex");
    if (BigInt(`0x${candidate}`) > MAX_CANDIDATE) continue;
    return privateKey((BigInt(`0x${candidate}`) + 1n).toString(16).padStart(64, "0"));
  }
  throw new Error("these credentials give no key");
}

function privateKey(hex: string): KeyObject {
  const curve = createECDH("prime256v1");
  curve.setPrivateKey(hex, "hex");
  const point = curve.getPublicKey();
  const part = (bytes: Buffer): string => bytes.toString("base64url");
  return createPrivateKey({
    format: "jwk",
    key: {
      kty: "EC",
      crv: "P-256",
      d: part(Buffer.from(hex, "hex")),
      x: part(point.subarray(1, 33)),
      y: part(point.subarray(33)),
    },
  });
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
