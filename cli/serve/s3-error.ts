const ERRORS = {
  AccessDenied: [403, "Request has expired"],
  SignatureDoesNotMatch: [
    403,
    "The request, its length or its checksum is not the one that was signed",
  ],
  MethodNotAllowed: [405, "The specified method is not allowed against this resource"],
  MissingContentLength: [411, "You must provide the Content-Length HTTP header"],
  IncompleteBody: [400, "The body is not as long as Content-Length says"],
  BadDigest: [400, "The sha256 you specified did not match the calculated checksum"],
  NoSuchUpload: [404, "The specified multipart upload does not exist"],
  NoSuchKey: [404, "The specified key does not exist"],
  InvalidRange: [416, "The requested range is not satisfiable"],
} as const satisfies Record<string, readonly [number, string]>;

/** The codes that the embedded store answers, out of
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html. */
export type S3ErrorCode = keyof typeof ERRORS;

/** A response such as S3's own, for clients that read its error bodies. */
export function s3Error(
  code: S3ErrorCode,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const [status, message] = ERRORS[code];
  const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  return new Response(xml, { status, headers: { ...headers, "content-type": "application/xml" } });
}
