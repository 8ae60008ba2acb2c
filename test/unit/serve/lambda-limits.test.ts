import { describe, expect, it } from "vitest";
import { withLambdaLimits } from "../../../cli/serve/lambda-limits.ts";

const MB = 1024 * 1024;
const put = (sizeBytes: number, type: string): Request =>
  new Request("http://registry.test/", {
    method: "PUT",
    headers: { "content-type": type },
    body: new Uint8Array(sizeBytes).fill(97),
  });
const echoLength = withLambdaLimits(async (request: Request) =>
  Response.json({ length: (await request.arrayBuffer()).byteLength }),
);
const answerOf = (sizeBytes: number, headers: Record<string, string>) =>
  withLambdaLimits(() => new Response(new Uint8Array(sizeBytes).fill(97), { headers }));

describe("the limits of API Gateway and Lambda", () => {
  it("pass what fits", async () => {
    const response = await echoLength(put(4 * MB, "application/octet-stream"), {});
    expect(await response.json()).toEqual({ length: 4 * MB });
  });

  it("count binary bodies in base64, and text as it is", async () => {
    expect((await echoLength(put(5 * MB, "application/octet-stream"), {})).status).toBe(413);
    expect((await echoLength(put(5 * MB, "application/json"), {})).status).toBe(200);
    expect((await echoLength(put(7 * MB, "application/json"), {})).status).toBe(413);
    expect((await echoLength(put(11 * MB, "application/json"), {})).status).toBe(413);
  });

  it("fail answers that Lambda could not give", async () => {
    const request = new Request("http://registry.test/");
    const binary = { "content-type": "application/octet-stream" };
    expect((await answerOf(4 * MB, binary)(request, {})).status).toBe(200);
    expect((await answerOf(5 * MB, binary)(request, {})).status).toBe(500);
    expect((await answerOf(5 * MB, { "content-type": "text/html" })(request, {})).status).toBe(200);
    const zipped = { "content-type": "text/html", "content-encoding": "gzip" };
    expect((await answerOf(5 * MB, zipped)(request, {})).status).toBe(500);
  });
});
