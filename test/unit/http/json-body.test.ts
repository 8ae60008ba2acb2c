import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidInputError, TooLargeError } from "../../../shared/errors.ts";
import { parseJson, readJson } from "../../../shared/http/json-body.ts";

const post = (
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Request => new Request("http://registry.test/", { method: "POST", body, headers });

describe("JSON request bodies", () => {
  it("are what JSON.parse makes of them, whatever their strings hold", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = JSON.stringify(value);
        expect(parseJson(text, 64)).toEqual(JSON.parse(text));
      }),
    );
  });

  it("may be nested as deep as allowed, and no deeper", () => {
    const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    expect(parseJson(nested(64), 64)).toBeDefined();
    expect(() => parseJson(nested(65), 64)).toThrow(/more than 64 levels/);
    expect(() => parseJson(nested(1_000_000), 64)).toThrow(InvalidInputError);
  });

  it("do not count brackets in strings, behind any number of backslashes", () => {
    const text = JSON.stringify({ a: `\\"${"[".repeat(100)}`, b: '\\\\"[' });
    expect(parseJson(text, 1)).toEqual(JSON.parse(text));
  });

  it.each(["", "{", '{"a":', "nonsense", '"open', '{"a":1}}'])("are refused as %j", (text) => {
    expect(() => parseJson(text, 64)).toThrow("not valid JSON");
  });

  it("are bounded in size, also after decompression", async () => {
    const limits = { maxBytes: 1000, maxDepth: 8 };
    await expect(readJson(post(`"${"x".repeat(2000)}"`), limits)).rejects.toThrow(TooLargeError);
    const bomb = gzipSync(JSON.stringify("x".repeat(1_000_000)));
    await expect(readJson(post(bomb, { "content-encoding": "gzip" }), limits)).rejects.toThrow(
      TooLargeError,
    );
  });

  it("may be compressed with gzip, and with nothing else", async () => {
    const body = gzipSync('{"a":1}');
    expect(await readJson(post(body, { "content-encoding": "gzip" }))).toEqual({ a: 1 });
    await expect(readJson(post("x", { "content-encoding": "gzip" }))).rejects.toThrow("valid gzip");
    await expect(readJson(post("x", { "content-encoding": "br" }))).rejects.toThrow(
      'unknown encoding "br"',
    );
  });

  it("must be valid UTF-8", async () => {
    await expect(readJson(post(Buffer.from([0x22, 0xff, 0x22])))).rejects.toThrow("valid UTF-8");
  });
});
