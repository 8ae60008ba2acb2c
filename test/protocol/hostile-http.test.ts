import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { openTestRegistry, type TestRegistry } from "../support/services.ts";

let registry: TestRegistry;
beforeAll(async () => {
  registry = await openTestRegistry();
  await registry.createRegistry({ slug: "files", ecosystem: "generic" });
  await registry.createRegistry({ slug: "js", ecosystem: "npm" });
});
afterAll(async () => registry.close());
beforeEach(() => {
  // What a refused upload may leave behind for a while is garbage from here on.
  registry.clock.aheadMs += 1000;
});

/** Sends a hostile request; the answer must be a clear refusal, and nothing may remain of it. */
async function refuses(
  path: string,
  init: Omit<RequestInit, "headers"> & {
    readonly json?: string;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): Promise<Response> {
  const { json, ...rest } = init;
  const response = await registry.request(path, {
    ...rest,
    ...(json === undefined
      ? {}
      : { body: json, headers: { "content-type": "application/json", ...rest.headers } }),
  });
  const text = await response.clone().text();
  expect([response.status, text]).toEqual([expect.toSatisfy(isRefusal), expect.anything()]);
  if (rest.method !== "HEAD") expect(text.length).toBeGreaterThan(10);
  expect(text).not.toMatch(/at .*\.ts:\d+/);
  await expectNothingLeft();
  return response;
}

const isRefusal = (status: number): boolean => status >= 400 && status < 500;

async function expectNothingLeft(): Promise<void> {
  registry.clock.aheadMs += 1000;
  await registry.services.collector.collect(0);
  const { blobs } = await registry.stores.blobs.list({ limit: 10 });
  expect(blobs).toEqual([]);
  for (const slug of ["files", "js"]) {
    const response = await registry.request(`/api/v1/registries/${slug}/packages`);
    expect(await response.json()).toEqual({ items: [] });
  }
  const tokens = await registry.request("/api/v1/tokens");
  expect(await tokens.json()).toEqual({ items: [] });
  const registries = await registry.request("/api/v1/registries");
  const { items } = z
    .object({ items: z.array(z.looseObject({ slug: z.string() })) })
    .parse(await registries.json());
  expect(items.map(({ slug }) => slug)).toEqual(["files", "js"]);
}

/** Where each protocol takes JSON, and how. */
const JSON_PLACES = [
  ["api", "POST", "/api/v1/registries"],
  ["api", "POST", "/api/v1/tokens"],
  ["api", "POST", "/api/v1/uploads"],
  ["api", "PATCH", "/api/v1/registries/files"],
  ["npm", "PUT", "/npm/js/hostile"],
] as const;

const DEEP = 100_000;

describe.each(JSON_PLACES)("%s: %s %s", (_, method, path) => {
  test.each([
    ["nothing", ""],
    ["no JSON", "{"],
    ["a number", "1"],
    ["null", "null"],
    ["an array", "[]"],
    ["a string", '"x"'],
    ["deep arrays", "[".repeat(DEEP) + "]".repeat(DEEP)],
    ["deep objects", `${'{"a":'.repeat(DEEP)}1${"}".repeat(DEEP)}`],
    ["unclosed deep arrays", "[".repeat(DEEP)],
    ["polluting keys", '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}'],
    [
      "wrong types",
      '{"slug":{},"description":[],"scopes":"admin","name":1,"versions":[],"registry":null,"labels":{"length":9}}',
    ],
    ["broken Unicode", '{"slug":"\\ud800","description":"\\udfff","name":"\\ud800","visibilty":1}'],
  ])("refuses %s", async (_, json) => {
    await refuses(path, { method, json });
    expect(Object.prototype).not.toHaveProperty("admin");
  });

  test("refuses bytes that are not UTF-8", async () => {
    const body = Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]);
    await refuses(path, { method, body, headers: { "content-type": "application/json" } });
  });

  test("refuses a body that gunzips without end", async () => {
    const body = gzipSync(Buffer.alloc(64 * 1024 * 1024, " "));
    const headers = { "content-type": "application/json", "content-encoding": "gzip" };
    await refuses(path, { method, body, headers });
  });
});

const API_PLACES = JSON_PLACES.filter(([protocol]) => protocol === "api");

describe.each(API_PLACES)("%s: %s %s", (_, method, path) => {
  test("refuses a body that is larger than any request needs", async () => {
    const response = await refuses(path, {
      method,
      json: `{"description":"${"x".repeat(2 ** 20)}"}`,
    });
    expect(response.status).toBe(413);
  });

  test("refuses depth before it looks at what is so deep", async () => {
    const response = await refuses(path, {
      method,
      json: `{"a":${"[".repeat(16)}${"]".repeat(16)}}`,
    });
    expect(await response.text()).toContain("nested more than 16 levels");
  });

  test("refuses what a form of another site could send, and says what to send", async () => {
    const body = '{"slug":"forged","ecosystem":"npm"}';
    const response = await refuses(path, {
      method,
      body,
      headers: { "content-type": "text/plain" },
    });
    expect(await response.text()).toContain("send it with Content-Type: application/json");
  });
});

test("a registry's polluting fields are named as unknown", async () => {
  const response = await refuses("/api/v1/registries", {
    method: "POST",
    json: '{"slug":"x","ecosystem":"npm","__proto__":{"visibility":"public"},"policies":{"__proto__":1}}',
  });
  expect(await response.text()).toContain("__proto__");
});

const LONG = "x".repeat(10_000);

describe.each(["GET", "HEAD", "PUT", "DELETE"])("generic: %s", (method) => {
  const body = method === "PUT" ? "hostile" : null;

  test.each([
    ["a dot segment in disguise", "/generic/files/tool/1.0.0/..%2f..%2fetc"],
    ["a backslash", "/generic/files/tool/1.0.0/..%5c..%5cetc"],
    ["an encoded slash", "/generic/files/tool/1.0.0/a%2fb"],
    ["an empty segment", "/generic/files/tool/1.0.0/a//b"],
    ["NUL", "/generic/files/tool/1.0.0/a%00.txt"],
    ["a line break", "/generic/files/tool/1.0.0/a%0d%0aset-cookie:%20a=b"],
    ["a half escape", "/generic/files/tool/1.0.0/%"],
    ["an escape that is none", "/generic/files/tool/1.0.0/%zz"],
    ["UTF-8 that is none", "/generic/files/tool/1.0.0/%ff%fe"],
    ["an overlong slash", "/generic/files/tool/1.0.0/..%c0%af"],
    ["half a character", "/generic/files/tool/1.0.0/%ed%a0%80"],
    ["text that runs backwards", "/generic/files/tool/1.0.0/a%e2%80%aetxt.exe"],
    ["a long path", `/generic/files/tool/1.0.0/${LONG}`],
    ["a long package", `/generic/files/${"x".repeat(201)}/1.0.0/a`],
    ["a long version", `/generic/files/tool/${"1".repeat(129)}/a`],
    ["a package of another alphabet", "/generic/files/%d1%82/1.0.0/a"],
    ["a key separator", "/generic/files/tool%23x/1.0.0/a"],
    ["a key separator in the version", "/generic/files/tool/1%230/a"],
    ["a polluting registry", "/generic/__proto__/tool/1.0.0/a"],
    ["a long registry", `/generic/${LONG}/tool/1.0.0/a`],
  ])("refuses %s", async (_, path) => {
    await refuses(path, { method, body });
  });
});

test("generic: stores nothing under a path that climbs, because URLs climb before they are sent", async () => {
  const response = await refuses("/generic/files/tool/1.0.0/../../../js/x", {
    method: "PUT",
    body: "x",
  });
  expect(response.status).toBe(405);
});

test("generic: a content type cannot smuggle a header, nor a name", async () => {
  const path = "/generic/files/tool/1.0.0/a%22%3b%20filename=%22b.exe";
  const headers = { "content-type": 'text/html;x="\u00e9"; charset=utf-16' };
  await registry.request(path, { method: "PUT", body: "x", headers });
  const response = await registry.request(path);
  expect(response.headers.get("content-type")).toBe("application/octet-stream");
  expect(response.headers.get("content-disposition")).toBe(
    `attachment; filename="a_; filename=_b.exe"; filename*=UTF-8''a%22%3B%20filename%3D%22b.exe`,
  );
  await registry.request("/generic/files/tool", { method: "DELETE" });
  registry.clock.aheadMs += 8 * 86_400_000;
  await registry.services.reclaimer.reclaimVersions();
});

describe("generic: an upload", () => {
  test.each([
    ["of a wrong length", { "content-length": "3" }],
    ["of a length that is none", { "content-length": "-1" }],
    ["of a part of a file", { "content-range": "bytes 0-6/100" }],
    ["in a content coding", { "content-encoding": "gzip" }],
    ["with a wrong checksum", { "x-checksum-sha256": "0".repeat(64) }],
    ["with a checksum that is none", { "x-checksum-sha256": "%n%n" }],
    ["with a condition that is none", { "if-none-match": '"abc"' }],
  ])("%s is refused", async (_, headers) => {
    await refuses("/generic/files/tool/1.0.0/a", { method: "PUT", body: "hostile", headers });
  });
});

describe("api: a path or query", () => {
  test.each([
    ["NUL in a slug", "/api/v1/registries/a%00b"],
    ["NUL in a package", "/api/v1/registries/js/packages/a%00b"],
    ["NUL in a version", "/api/v1/registries/js/packages/a/versions/1%000"],
    ["NUL in a file", "/api/v1/registries/files/packages/a/versions/1/files/a%00b"],
    ["NUL in a filter", "/api/v1/registries/js/packages?prefix=%00"],
    ["NUL in a search", "/api/v1/registries/js/packages?search=%00"],
    ["NUL in an upload", "/api/v1/uploads/%00"],
    ["NUL in a cursor", "/api/v1/registries?cursor=%00"],
    ["NUL in an actor", "/api/v1/audit?actor=%00"],
    ["a broken escape", "/api/v1/registries/%zz"],
    ["UTF-8 that is none", "/api/v1/registries/%ff"],
    ["a cursor of nothing", "/api/v1/registries?cursor=AAAA"],
    ["a polluting parameter", "/api/v1/registries?__proto__=1"],
    ["a parameter twice", "/api/v1/registries?limit=1&limit=2"],
    ["an array of parameters", "/api/v1/registries?limit[]=1"],
    ["a long slug", `/api/v1/registries/${LONG}`],
    ["a long package", `/api/v1/registries/js/packages/${LONG}`],
    ["a long cursor", `/api/v1/registries?cursor=${LONG}${LONG}`],
    ["a huge limit", "/api/v1/registries?limit=1e9"],
    ["a limit that is none", "/api/v1/registries?limit=NaN"],
    ["a year beyond all calendars", "/api/v1/audit?from=99999-01-01T00:00:00Z"],
    ["a climbing registry", "/api/v1/registries/..%2f..%2fwhoami"],
    ["a polluting registry", "/api/v1/registries/__proto__"],
  ])("with %s is refused", async (_, path) => {
    await refuses(path);
  });

  test.each([["9999-12-31T23:59:59-14:00"], ["0000-01-01T00:00:00+14:00"]])(
    "with the time %s is answered",
    async (to) => {
      const response = await registry.request(`/api/v1/audit?to=${encodeURIComponent(to)}`);
      expect([200, 400]).toContain(response.status);
    },
  );
});

describe("npm: a path", () => {
  test.each([
    ["a broken escape", "/npm/js/%zz"],
    ["UTF-8 that is none", "/npm/js/%ff%fe"],
    ["NUL", "/npm/js/a%00b"],
    ["a climbing name", "/npm/js/..%2f..%2fetc"],
    ["a long name", `/npm/js/${LONG}`],
    ["a long registry", `/npm/${LONG}/a`],
    ["a polluting name", "/npm/js/__proto__"],
    ["a scope of nothing", "/npm/js/@%2fname"],
    ["a climbing tarball", "/npm/js/name/-/..%2f..%2fetc"],
  ])("with %s is refused", async (_, path) => {
    await refuses(path);
    await refuses(path, { method: "PUT", json: "{}" });
  });
});

describe("credentials", () => {
  test.each([
    ["long", `Bearer ${LONG}`],
    ["of control characters", "Bearer \u0001\u0002"],
    ["of a broken Basic", "Basic %%%"],
    ["of an unknown scheme", "Negotiate abc"],
    ["of nothing", "Bearer"],
  ])("%s are wrong credentials, not a failure", async (_, authorization) => {
    for (const path of ["/api/v1/registries", "/generic/files/", "/npm/js/x"]) {
      const response = await registry.request(path, { headers: { authorization } });
      expect([401, 429]).toContain(response.status);
    }
  });
});
