/**
 * Uploads whose whole body is one request with the client's own credentials, as Maven, curl and twine send them. Nobody
 * at the edge can tell who may do that, or what SHA-256 the bytes will have, so that they cannot go to blob storage:
 * either a function takes them, or ingest does.
 *
 * In the language of CloudFront Functions, see `functions/oci/edge/decision.ts`.
 */
export interface PlainRequest {
  readonly method: string;
  /** As it was sent, without the query. */
  readonly path: string;
  /** The header; undefined where the request has none. */
  readonly contentLength: string | undefined;
}

/** Protocols whose bodies are bytes; npm's are JSON, of which functions take more. */
const PLAIN = /^\/(?:generic|maven|pypi)\//;

/** Whether the request says that it has more bytes than functions take. */
export function isLongUpload(request: PlainRequest, limitBytes: number): boolean {
  return isPlain(request) && Number(request.contentLength) > limitBytes;
}

/** Whether nobody knows how many bytes are to come. */
export function isUnboundedUpload(request: PlainRequest): boolean {
  return isPlain(request) && request.method === "PUT" && request.contentLength === undefined;
}

function isPlain(request: PlainRequest): boolean {
  return (request.method === "PUT" || request.method === "POST") && PLAIN.test(request.path);
}

/** The body of the 413, a problem of RFC 9457. */
export function longUploadProblem(limitBytes: number): string {
  return JSON.stringify({
    type: "urn:entrepot:error:too-large",
    title: "Too large",
    status: 413,
    detail: `A request has at most ${limitBytes} bytes here. Send the file in parts with "entrepot push <registry> <file> --package <name> --version <version>", or ask for the ingest service to be deployed.`,
  });
}
