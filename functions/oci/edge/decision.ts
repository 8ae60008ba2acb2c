/**
 * What becomes of an upload request before any function sees it: the code that the CloudFront Function on AWS and
 * the embedded server both run.
 *
 * Written in what CloudFront Functions 2.0 have (ECMAScript 5.1 with const, let, arrow and async functions, and
 * template texts; no classes, destructuring, spread, for-of, `?.` or `??`), without imports, and in less than
 * 10 KB together with its caller.
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-javascript-runtime-20.html
 */
export interface EdgeRequest {
  readonly method: string;
  /** As it was sent, without the query. */
  readonly path: string;
  /** As it was sent, without the question mark. */
  readonly query: string;
  /** Headers; undefined where the request has none of that name. */
  readonly contentLength: string | undefined;
  readonly contentRange: string | undefined;
}

export interface EdgeSettings {
  readonly nowSeconds: number;
  /** Largest body that functions take, in bytes; 0 where something takes bodies of any size. */
  readonly inlineLimitBytes: number;
  /** HMAC-SHA-256 under the deployment's key for upload tickets, in base64url without padding. */
  readonly sign: (message: string) => Promise<string>;
}

export type EdgeDecision =
  /** To the function. */
  | { readonly kind: "pass" }
  /** To blob storage, which must check the sha256 itself. */
  | {
      readonly kind: "direct";
      /** Scopes the object's key to the repository of the ticket. */
      readonly stage: string;
      /** 64 hexadecimal digits. */
      readonly sha256: string;
      readonly sizeBytes: number;
      /** `/v2/<name>/blobs/<digest>`: the Location of the answer. */
      readonly location: string;
    }
  /** Neither takes it: 413. */
  | { readonly kind: "too-large"; readonly limitBytes: number };

/** S3 takes so much in one PUT. */
const MAX_DIRECT_BYTES = 5368709120;
const UPLOAD = /^(\/v2\/.+\/blobs\/)uploads\/[^/]*$/;
const TICKET = /^([A-Za-z0-9_-]{1,64})\.([0-9]{1,12})\.([A-Za-z0-9_-]{43})$/;
const SHA256 = /^sha256(?::|%3A|%3a)([0-9a-f]{64})$/;
const COUNT = /^[0-9]{1,15}$/;

/** What a ticket's signature covers. */
export function ticketMessage(path: string, stage: string, expiresAt: string): string {
  return `${path}\n${stage}\n${expiresAt}`;
}

/**
 * Sends a fresh upload of known length and digest straight to blob storage. A ticket is fresh as long as nothing
 * was appended to its session; appending answers with one whose stage is `-`.
 */
export async function decideUpload(
  request: EdgeRequest,
  settings: EdgeSettings,
): Promise<EdgeDecision> {
  const method = request.method;
  if (method !== "PUT" && method !== "PATCH" && method !== "POST") return { kind: "pass" };
  const path = UPLOAD.exec(request.path);
  if (path === null) return { kind: "pass" };
  const length = request.contentLength;
  const sizeBytes = length !== undefined && COUNT.test(length) ? Number(length) : -1;
  const ticket = TICKET.exec(parameter(request.query, "t"));
  const digest = SHA256.exec(parameter(request.query, "digest"));
  const isFresh = method === "PUT" && ticket !== null && ticket[1] !== "-";
  if (isFresh && digest !== null && sizeBytes > 0 && request.contentRange === undefined) {
    const isGenuine = await verify(request.path, ticket, settings);
    if (isGenuine && sizeBytes > MAX_DIRECT_BYTES) {
      return { kind: "too-large", limitBytes: MAX_DIRECT_BYTES };
    }
    if (isGenuine) {
      const sha256 = String(digest[1]);
      const location = `${path[1]}sha256:${sha256}`;
      return { kind: "direct", stage: String(ticket[1]), sha256, sizeBytes, location };
    }
  }
  if (settings.inlineLimitBytes > 0 && sizeBytes > settings.inlineLimitBytes) {
    return { kind: "too-large", limitBytes: settings.inlineLimitBytes };
  }
  return { kind: "pass" };
}

async function verify(
  path: string,
  ticket: RegExpExecArray,
  settings: EdgeSettings,
): Promise<boolean> {
  const expiresAt = String(ticket[2]);
  if (Number(expiresAt) <= settings.nowSeconds) return false;
  const expected = await settings.sign(ticketMessage(path, String(ticket[1]), expiresAt));
  return isSame(expected, String(ticket[3]));
}

/** The value of a parameter as it stands in the query; empty when it is not there, or there more than once. */
function parameter(query: string, name: string): string {
  const values = query.split("&").filter((part) => part.indexOf(`${name}=`) === 0);
  return values.length === 1 ? String(values[0]).slice(name.length + 1) : "";
}

/** In constant time for texts of one length. */
function isSame(a: string, b: string): boolean {
  let difference = a.length === b.length ? 0 : 1;
  for (let i = 0; i < a.length && i < b.length; i++) {
    difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  }
  return difference === 0;
}
