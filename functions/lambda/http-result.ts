import { isUtf8 } from "node:buffer";
import type { HttpResult } from "./http-event.ts";
import { INVOCATION_BYTES, isTextBody, readWithin } from "./limits.ts";

/** Room for what JSON adds around the body and the headers. */
const MARGIN_BYTES = 1024;
/** API Gateway frames the answer itself. */
const HOP_BY_HOP = new Set(["connection", "transfer-encoding", "keep-alive", "set-cookie"]);

/**
 * The answer as API Gateway takes it: text as text, everything else in base64, cookies apart. `undefined` when it
 * would be larger than what Lambda may return, which would reach the client as a 500 without a word
 * (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
 */
export async function toResult(response: Response): Promise<HttpResult | undefined> {
  const bytes = await readWithin(response.body, INVOCATION_BYTES);
  if (bytes === undefined) return undefined;
  const headers: Record<string, string> = {};
  response.headers.forEach((value, name) => {
    if (!HOP_BY_HOP.has(name)) headers[name] = value;
  });
  const cookies = response.headers.getSetCookie();
  const head = {
    statusCode: response.status,
    headers,
    ...(cookies.length > 0 ? { cookies } : {}),
  };
  const isText = isTextBody(response.headers) && isUtf8(bytes);
  const buffer = Buffer.from(bytes.buffer);
  const asText = { ...head, body: buffer.toString("utf8"), isBase64Encoded: false };
  if (bytes.length === 0 || (isText && fits(asText))) return asText;
  // Text with very many characters to escape is shorter in base64.
  const asBase64 = { ...head, body: buffer.toString("base64"), isBase64Encoded: true };
  return fits(asBase64) ? asBase64 : undefined;
}

function fits(result: HttpResult): boolean {
  // A character of text takes six bytes of JSON at most (`\u0000`); what is that small need not be measured.
  if (result.body.length * 6 < INVOCATION_BYTES / 2) return true;
  return Buffer.byteLength(JSON.stringify(result)) + MARGIN_BYTES <= INVOCATION_BYTES;
}
