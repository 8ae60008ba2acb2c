import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cameThroughEdge } from "../../../functions/lambda/edge-origin.ts";
import { httpEvent } from "../../../functions/lambda/http-event.ts";
import { addressOf, toRequest } from "../../../functions/lambda/http-request.ts";
import { baseUrlOf } from "../../../shared/http/app.ts";

const eventOf = (more: object, method = "GET") =>
  httpEvent.parse({
    rawPath: "/npm/node/x",
    headers: { host: "registry.test" },
    requestContext: { requestId: "id", http: { method, sourceIp: "192.0.2.7" } },
    ...more,
  });

const pathOf = (rawPath: string): string =>
  new URL(toRequest(eventOf({ rawPath }), false).url).pathname;

describe("toRequest", () => {
  test.each([
    ["/npm/node/@scope/name", "/npm/node/@scope/name"],
    ["/npm/node/@scope%2fname", "/npm/node/@scope%2fname"],
    ["/generic/files/größe #2?.bin", "/generic/files/gr%C3%B6%C3%9Fe%20%232%3F.bin"],
    ["/generic/files/100% sure+1", "/generic/files/100%25%20sure+1"],
    ["/v2/images/app/manifests/sha256:ab", "/v2/images/app/manifests/sha256:ab"],
  ])("reads the path %s as %s", (rawPath, path) => {
    expect(pathOf(rawPath)).toBe(path);
  });

  test("finds every name again that the gateway has decoded, unless it looks like an escape", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (name) => {
        fc.pre(!/%[0-9a-f]{2}|[/\\?]|^\.{1,2}$/i.test(name) && name.isWellFormed());
        expect(decodeURIComponent(pathOf(`/generic/r/${name}`))).toBe(`/generic/r/${name}`);
      }),
    );
  });

  test("takes the query as it is, cookies, and headers that are no Latin-1 as bytes", () => {
    const request = toRequest(
      eventOf({
        rawQueryString: "a=1%202&a=3",
        cookies: ["x=1", "y=2"],
        headers: { host: "registry.test:8443", "x-forwarded-proto": "https", "x-name": "größe €" },
      }),
      false,
    );
    expect(request.url).toBe("https://registry.test:8443/npm/node/x?a=1%202&a=3");
    expect(request.headers.get("cookie")).toBe("x=1; y=2");
    const bytes = Buffer.from(request.headers.get("x-name") ?? "", "latin1");
    expect(bytes.toString("utf8")).toBe("größe €");
  });

  test("decodes bodies in base64, says their length, and gives GET none", async () => {
    const bytes = Buffer.from([0, 255, 128]);
    const body = { body: bytes.toString("base64"), isBase64Encoded: true };
    const request = toRequest(eventOf(body, "PUT"), false);
    expect(Buffer.from(await request.arrayBuffer())).toEqual(bytes);
    expect(request.headers.get("content-length")).toBe("3");
    expect(toRequest(eventOf(body), false).body).toBeNull();
  });

  test("does not take a host name that is none", () => {
    const headers = { host: "evil/<script>" };
    expect(new URL(toRequest(eventOf({ headers }), false).url).host).toBe("localhost");
  });
});

describe("what stands before the gateway", () => {
  const SECRET = "a-secret-of-cloudfront";
  const headers = {
    host: "registry.test",
    "x-forwarded-host": "packages.example.com",
    "x-forwarded-for": "10.9.9.9, 198.51.100.1, 192.0.2.7",
  };

  test.each([
    ["no secret", {}, SECRET],
    ["another secret", { "x-entrepot-edge": "another-of-cloudfront!" }, SECRET],
    ["a secret where there is no edge", { "x-entrepot-edge": SECRET }, undefined],
    ["an empty one where there is no edge", { "x-entrepot-edge": "" }, undefined],
  ])("is not believed with %s: neither address nor host", (_, more, secret) => {
    const event = eventOf({ headers: { ...headers, ...more } });
    const isThroughEdge = cameThroughEdge(event, secret);
    expect(isThroughEdge).toBe(false);
    expect(addressOf(event, isThroughEdge)).toBe("192.0.2.7");
    const request = toRequest(event, isThroughEdge);
    for (const name of ["x-forwarded-host", "x-forwarded-for", "x-entrepot-edge"]) {
      expect(request.headers.has(name), name).toBe(false);
    }
    expect(baseUrlOf(request, { trustProxy: true })).toBe("https://registry.test");
  });

  test("is believed with the secret, which goes no further", () => {
    const event = eventOf({ headers: { ...headers, "x-entrepot-edge": SECRET } });
    const isThroughEdge = cameThroughEdge(event, SECRET);
    expect(addressOf(event, isThroughEdge)).toBe("198.51.100.1");
    const request = toRequest(event, isThroughEdge);
    expect(baseUrlOf(request, { trustProxy: true })).toBe("https://packages.example.com");
    expect(request.headers.has("x-entrepot-edge")).toBe(false);
  });
});

describe("addressOf", () => {
  const event = eventOf({ headers: { "x-forwarded-for": "10.9.9.9, 198.51.100.1, 192.0.2.7" } });

  test("believes the gateway alone, or the edge where there is one", () => {
    expect(addressOf(event, false)).toBe("192.0.2.7");
    expect(addressOf(event, true)).toBe("198.51.100.1");
    expect(addressOf(eventOf({}), true)).toBe("192.0.2.7");
  });
});
