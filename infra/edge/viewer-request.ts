import cf from "cloudfront";
import crypto from "crypto";
import {
  isLongUpload,
  isUnboundedUpload,
  longUploadProblem,
} from "../../functions/edge/plain-uploads.ts";
import { decideUpload, type EdgeDecision } from "../../functions/oci/edge/decision.ts";
import type { ViewerHeaders, ViewerRequest, ViewerResponse } from "./viewer-event.ts";

/** Put in by the bundler, so that the code has no more in it than it needs. */
declare const INLINE_LIMIT_BYTES: number;
declare const HAS_INGEST: boolean;
declare const DIRECT_PREFIX: string;
declare const LOCATION_HEADER: string;
declare const UPLOADS_ORIGIN: string;
declare const INGEST_ORIGIN: string;
declare const TICKET_SLOT_EVEN: string;
declare const TICKET_SLOT_ODD: string;
declare const HAS_CHECKSUM_HEADER: boolean;

/** What S3 gets of a client's headers: with any other, such as x-amz-copy-source, a PUT would be something else. */
const KEPT = ["host", "content-length", "content-type", "transfer-encoding", "via", "user-agent"];

/**
 * The viewer request function of CloudFront, in the language of its runtime 2.0 (see the decision's module): uploads
 * of known length and digest go to the bucket, other long ones to ingest, everything else to the API.
 */
export async function handler(event: {
  readonly request: ViewerRequest;
}): Promise<ViewerRequest | ViewerResponse> {
  const request = event.request;
  // The API makes links of it: behind CloudFront it does not see the name that the client used.
  const host = valueOf(request.headers, "host");
  if (host !== undefined) request.headers["x-forwarded-host"] = { value: host };
  delete request.headers[LOCATION_HEADER];
  if (request.uri.indexOf("/blobs/uploads/") < 0) return handlePlain(request);
  const decision = await decide(request);
  if (decision.kind === "too-large") return tooLarge(decision.limitBytes);
  if (decision.kind === "direct") return toBucket(request, decision);
  if (HAS_INGEST && needsIngest(request)) cf.selectRequestOriginById(INGEST_ORIGIN);
  return request;
}

/** Bodies that functions take go to the API; longer ones to ingest, or nowhere. */
function handlePlain(request: ViewerRequest): ViewerRequest | ViewerResponse {
  const plain = {
    method: request.method,
    path: request.uri,
    contentLength: valueOf(request.headers, "content-length"),
  };
  const isLong = isLongUpload(plain, INLINE_LIMIT_BYTES);
  if (HAS_INGEST && (isLong || isUnboundedUpload(plain))) {
    cf.selectRequestOriginById(INGEST_ORIGIN);
  } else if (isLong) {
    return refuse("application/problem+json", longUploadProblem(INLINE_LIMIT_BYTES));
  }
  return request;
}

/** Under either key, so that the tickets of both are good while the key changes. */
async function decide(request: ViewerRequest): Promise<EdgeDecision> {
  let decision: EdgeDecision = { kind: "pass" };
  const slots = [TICKET_SLOT_EVEN, TICKET_SLOT_ODD];
  for (let slot = 0; slot < slots.length; slot++) {
    const key = await readKey(String(slots[slot]));
    decision = await decideUpload(
      {
        method: request.method,
        path: request.uri,
        query: queryOf(request),
        contentLength: valueOf(request.headers, "content-length"),
        contentRange: valueOf(request.headers, "content-range"),
      },
      {
        nowSeconds: Math.floor(Date.now() / 1000),
        inlineLimitBytes: HAS_INGEST ? 0 : INLINE_LIMIT_BYTES,
        sign: (message) =>
          Promise.resolve(
            // An empty key would be one that everybody knows.
            key === ""
              ? ""
              : crypto
                  .createHmac("sha256", Buffer.from(key, "base64url"))
                  .update(message)
                  .digest("base64url"),
          ),
      },
    );
    if (decision.kind === "direct") return decision;
  }
  return decision;
}

async function readKey(slot: string): Promise<string> {
  try {
    return await cf.kvs().get(slot);
  } catch (error) {
    console.log(`no ${slot}: ${String(error)}`);
    return "";
  }
}

function toBucket(
  request: ViewerRequest,
  decision: Extract<EdgeDecision, { kind: "direct" }>,
): ViewerRequest {
  Object.keys(request.headers)
    .filter((name) => KEPT.indexOf(name) < 0)
    .forEach((name) => {
      delete request.headers[name];
    });
  const checksum = Buffer.from(decision.sha256, "hex").toString("base64");
  if (HAS_CHECKSUM_HEADER) request.headers["x-amz-checksum-sha256"] = { value: checksum };
  request.headers[LOCATION_HEADER] = { value: decision.location };
  request.cookies = {};
  request.querystring = {};
  request.uri = `/${DIRECT_PREFIX}${decision.stage}/${decision.sha256}`;
  cf.selectRequestOriginById(UPLOADS_ORIGIN);
  return request;
}

/** What a function cannot take, and the end of every upload in pieces: joining large ones takes longer than its 29 s. */
function needsIngest(request: ViewerRequest): boolean {
  const method = request.method;
  if (method !== "PATCH" && method !== "PUT" && method !== "POST") return false;
  const length = valueOf(request.headers, "content-length");
  const isChunked = length === undefined && method !== "POST";
  const isContinued = method === "PUT" && queryOf(request).indexOf("t=-.") >= 0;
  return isChunked || isContinued || Number(length) > INLINE_LIMIT_BYTES;
}

function valueOf(headers: ViewerHeaders, name: string): string | undefined {
  const header = headers[name];
  return header === undefined ? undefined : header.value;
}

/** The query as it was sent, but for the order of its parameters. */
function queryOf(request: ViewerRequest): string {
  const parts: string[] = [];
  Object.keys(request.querystring).forEach((name) => {
    const parameter = request.querystring[name];
    if (parameter === undefined) return;
    const values = parameter.multiValue === undefined ? [parameter] : parameter.multiValue;
    values.forEach((item) => parts.push(`${name}=${item.value}`));
  });
  return parts.join("&");
}

/** UNSUPPORTED, because docker up to 28 would send anything else five times again. */
function tooLarge(limitBytes: number): ViewerResponse {
  const message = `This registry takes at most ${limitBytes} bytes in such a request, because your client streams without saying the length and digest first. Push with docker 29 or later, docker buildx build --push, regctl image copy or oras cp, push through entrepot proxy on your own machine, or ask for the ingest service to be deployed.`;
  const errors = [{ code: "UNSUPPORTED", message, detail: { limitBytes } }];
  return refuse("application/json", JSON.stringify({ errors }));
}

function refuse(contentType: string, data: string): ViewerResponse {
  return {
    statusCode: 413,
    statusDescription: "Payload Too Large",
    headers: { "content-type": { value: contentType } },
    body: { encoding: "text", data },
  };
}
