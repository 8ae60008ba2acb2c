import { createHash, createHmac } from "node:crypto";

/** Credentials of AWS; `sessionToken` where they are temporary. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export interface RequestToSign {
  readonly method: "GET" | "POST";
  readonly url: URL;
  /** Lower-case names; all of them are signed, `host` and the date as well. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly region: string;
  /** As in the endpoint's name, such as `sts`. */
  readonly service: string;
  /** Unix milliseconds. */
  readonly nowMs: number;
}

/**
 * The headers to send, `authorization` among them and `host` not: for the few calls of AWS for which its SDK has no
 * client here, and for a request that somebody else is to send.
 *
 * Signature Version 4, https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function signRequest(
  request: RequestToSign,
  credentials: AwsCredentials,
): Readonly<Record<string, string>> {
  const { url, region, service } = request;
  const time = new Date(request.nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const date = time.slice(0, 8);
  const headers: Readonly<Record<string, string>> = {
    ...request.headers,
    "x-amz-date": time,
    ...(credentials.sessionToken === undefined
      ? {}
      : { "x-amz-security-token": credentials.sessionToken }),
  };
  const signed = Object.entries({ ...headers, host: url.host }).sort(([a], [b]) =>
    a < b ? -1 : 1,
  );
  const names = signed.map(([name]) => name).join(";");
  const canonical = [
    request.method,
    url.pathname.split("/").map(encodeSegment).join("/"),
    canonicalQuery(url.searchParams),
    ...signed.map(([name, value]) => `${name}:${value.trim().replaceAll(/ +/g, " ")}`),
    "",
    names,
    sha256(request.body),
  ].join("\n");
  const scope = `${date}/${region}/${service}/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n");
  const key = [date, region, service, "aws4_request"].reduce<string | Buffer>(
    hmac,
    `AWS4${credentials.secretAccessKey}`,
  );
  const signature = hmac(key, text).toString("hex");
  const credential = `${credentials.accessKeyId}/${scope}`;
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

const hmac = (key: string | Buffer, text: string): Buffer =>
  createHmac("sha256", key).update(text).digest();

/** Sorted by encoded name, then value. */
const canonicalQuery = (parameters: URLSearchParams): string =>
  [...parameters]
    .map((pair) => pair.map(encodeSegment).join("="))
    .sort()
    .join("&");

/** Every service but S3 has paths encoded twice: once in the URL, once more in what is signed. */
function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
