import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { toResult } from "../../../functions/lambda/http-result.ts";
import { INVOCATION_BYTES } from "../../../functions/lambda/limits.ts";

const MIB = 1024 ** 2;

describe("toResult", () => {
  test("gives text as text, and what is no text in base64", async () => {
    expect(await toResult(Response.json({ a: 1 }))).toMatchObject({
      statusCode: 200,
      headers: { "content-type": "application/json" },
      body: '{"a":1}',
      isBase64Encoded: false,
    });
    const bytes = Buffer.from([0, 255]);
    const cases = [
      { "content-type": "application/octet-stream" },
      { "content-type": "application/json", "content-encoding": "gzip" },
      { "content-type": "text/plain" },
    ];
    for (const headers of cases) {
      const result = await toResult(new Response(bytes, { headers }));
      expect(result).toMatchObject({ body: bytes.toString("base64"), isBase64Encoded: true });
    }
  });

  test("keeps each cookie apart and joins other headers", async () => {
    const headers = new Headers({ "www-authenticate": "Basic" });
    headers.append("www-authenticate", "Bearer");
    headers.append("set-cookie", "a=1; Path=/");
    headers.append("set-cookie", "b=2");
    const result = await toResult(new Response(null, { status: 401, headers }));
    expect(result).toMatchObject({
      headers: { "www-authenticate": "Basic, Bearer" },
      cookies: ["a=1; Path=/", "b=2"],
      body: "",
      isBase64Encoded: false,
    });
    expect(result?.headers).not.toHaveProperty("set-cookie");
  });

  test("gives up what Lambda would not return, and nothing smaller", async () => {
    const fits = await toResult(new Response(randomBytes(4.49 * MIB)));
    expect(Buffer.byteLength(JSON.stringify(fits))).toBeLessThanOrEqual(INVOCATION_BYTES);
    expect(await toResult(new Response(randomBytes(4.6 * MIB)))).toBeUndefined();
    expect(await toResult(new Response(randomBytes(7 * MIB)))).toBeUndefined();
  });

  test("sends text with too much to escape as bytes", async () => {
    const text = "\n".repeat(4 * MIB);
    const result = await toResult(
      new Response(text, { headers: { "content-type": "text/plain" } }),
    );
    expect(result?.isBase64Encoded).toBe(true);
    expect(Buffer.from(result?.body ?? "", "base64").toString()).toBe(text);
  });
});
