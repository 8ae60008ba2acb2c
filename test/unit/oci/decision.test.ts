import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideUpload, ticketMessage } from "../../../functions/oci/edge/decision.ts";

const HEX = "a".repeat(64);
const PATH = "/v2/images/app/blobs/uploads/0";
/** Stands for an HMAC: every message has one of its own. */
const sign = async (message: string): Promise<string> =>
  Buffer.from(message).toString("base64url").slice(-43).padStart(43, "A");
const settings = { nowSeconds: 1000, inlineLimitBytes: 0, sign };

async function ticket(path = PATH, stage = "stage", expires = "1001"): Promise<string> {
  return `t=${stage}.${expires}.${await sign(ticketMessage(path, stage, expires))}`;
}

const put = (query: string, more: object = {}) => ({
  method: "PUT",
  path: PATH,
  query,
  contentLength: "5",
  contentRange: undefined,
  ...more,
});

describe("The decision at the edge", () => {
  test("sends a genuine, fresh upload to blob storage", async () => {
    for (const digest of [`sha256:${HEX}`, `sha256%3A${HEX}`, `sha256%3a${HEX}`]) {
      const request = put(`${await ticket()}&digest=${digest}`);
      expect(await decideUpload(request, settings)).toEqual({
        kind: "direct",
        stage: "stage",
        sha256: HEX,
        sizeBytes: 5,
        location: `/v2/images/app/blobs/sha256:${HEX}`,
      });
    }
  });

  test("passes on whatever is not exactly that", async () => {
    const digest = `digest=sha256:${HEX}`;
    const good = `${await ticket()}&${digest}`;
    for (const request of [
      put(good, { method: "PATCH" }),
      put(good, { method: "GET" }),
      put(good, { contentLength: undefined }),
      put(good, { contentLength: "0" }),
      put(good, { contentLength: "5x" }),
      put(good, { contentRange: "0-4" }),
      put(good, { path: "/v2/images/other/blobs/uploads/0" }),
      put(good, { path: `/v2/images/app/blobs/sha256:${HEX}` }),
      put(await ticket()),
      put(`${await ticket()}&digest=sha512:${HEX}${HEX}`),
      put(`${good}&${digest}`),
      put(`${good}&${await ticket()}`),
      put(`${await ticket(PATH, "-")}&${digest}`),
      put(`${await ticket(PATH, "stage", "1000")}&${digest}`),
      put(`${(await ticket()).replace("1001", "1002")}&${digest}`),
    ]) {
      expect(await decideUpload(request, settings)).toEqual({ kind: "pass" });
    }
  });

  test("refuses what neither blob storage nor a function takes", async () => {
    const good = `${await ticket()}&digest=sha256:${HEX}`;
    const huge = put(good, { contentLength: String(5 * 1024 ** 3 + 1) });
    expect((await decideUpload(huge, settings)).kind).toBe("too-large");
    const limited = { ...settings, inlineLimitBytes: 4 };
    expect((await decideUpload(put(""), limited)).kind).toBe("too-large");
    expect((await decideUpload(put("", { contentLength: "4" }), limited)).kind).toBe("pass");
    expect((await decideUpload(put(good), limited)).kind).toBe("direct");
  });

  test("never sends an upload to storage whose ticket was not signed", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.string(), async (query, path) => {
        const request = put(`${query}&digest=sha256:${HEX}`, { path: PATH + path });
        expect((await decideUpload(request, settings)).kind).not.toBe("direct");
      }),
    );
  });
});

test("The decision is written in the language of CloudFront Functions, and small", () => {
  const source = readFileSync(
    new URL("../../../functions/oci/edge/decision.ts", import.meta.url),
    "utf8",
  );
  const script = stripTypeScriptTypes(source).replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
  expect(Buffer.byteLength(script.replaceAll(/^\s+/gm, ""))).toBeLessThan(6 * 1024);
  for (const beyond of [
    /^import /m,
    /\bclass\b/,
    /\?\./,
    /\?\?/,
    /\.\.\./,
    /\bof\b/,
    /(?:const|let|var) *[{[]/,
    /\(\{ *\w+ *[,}]/,
    /\*\*/,
    /\byield\b/,
    /\(\?<[=!\w]/,
  ]) {
    expect(script).not.toMatch(beyond);
  }
});
