import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTestRegistry, type TestRegistry } from "../../support/services.ts";
import {
  bytesOf,
  descriptor,
  digestOf,
  errorOf,
  IMAGE,
  INDEX,
  type Pushed,
  Repository,
} from "./builders.ts";

let registry: TestRegistry;
let repository: Repository;
let config: Pushed;
beforeEach(async () => {
  registry = await openTestRegistry();
  await registry.createRegistry({ slug: "images", ecosystem: "oci" });
  repository = new Repository(registry, "images/app");
  config = await repository.pushBlob("{}");
});
afterEach(async () => registry.close());

describe("A manifest that is", () => {
  const image = (more: object): object => ({
    schemaVersion: 2,
    config: descriptor(config),
    layers: [],
    ...more,
  });
  const layer = (digest: unknown, size: unknown = 1): object => ({
    mediaType: "a/b",
    digest,
    size,
  });

  const cases: readonly {
    readonly what: string;
    readonly content: () => string | object;
    readonly type?: string;
  }[] = [
    { what: "not JSON", content: () => "{" },
    { what: "empty", content: () => "" },
    { what: "a list", content: () => "[]" },
    { what: "null", content: () => "null" },
    { what: "nested without end", content: () => `{"a":${"[".repeat(5000)}${"]".repeat(5000)}}` },
    { what: "of schema version 1", content: () => image({ schemaVersion: 1 }) },
    { what: "without a config", content: () => ({ schemaVersion: 2, layers: [] }) },
    { what: "without layers", content: () => ({ schemaVersion: 2, config: descriptor(config) }) },
    { what: "an image but says that it is an index", content: () => image({ mediaType: INDEX }) },
    { what: "an image and an index at once", content: () => image({ manifests: [] }) },
    {
      what: "an index with layers",
      content: () => ({ schemaVersion: 2, manifests: [], layers: [] }),
      type: INDEX,
    },
    {
      what: "an index with a config",
      content: () => ({ schemaVersion: 2, manifests: [], config: descriptor(config) }),
      type: INDEX,
    },
    {
      what: "marked by a byte order mark, which no client reads",
      content: () => `\uFEFF${JSON.stringify(image({}))}`,
    },
    { what: "an index without manifests", content: () => ({ schemaVersion: 2 }), type: INDEX },
    { what: "of an unknown media type", content: () => image({}), type: "text/html" },
    {
      what: "of docker's schema 1",
      content: () => image({}),
      type: "application/vnd.docker.distribution.manifest.v1+json",
    },
    {
      what: "a million entries long",
      content: () => image({ layers: Array.from({ length: 20_000 }, () => layer(digestOf("x"))) }),
    },
    {
      what: "of an unknown digest algorithm",
      content: () => image({ layers: [layer("md5:d41d8cd98f00b204e9800998ecf8427e")] }),
    },
    {
      what: "of a digest in upper case",
      content: () => image({ layers: [layer(`sha256:${"A".repeat(64)}`)] }),
    },
    {
      what: "of a digest that is a path",
      content: () => image({ layers: [layer("sha256:../../../../etc/passwd")] }),
    },
    { what: "of a digest that is a number", content: () => image({ layers: [layer(7)] }) },
    { what: "of a negative size", content: () => image({ layers: [layer(digestOf("x"), -1)] }) },
    {
      what: "of a size that is text",
      content: () => image({ layers: [layer(digestOf("x"), "1")] }),
    },
    { what: "with annotations that are no texts", content: () => image({ annotations: { a: 1 } }) },
    {
      what: "about something without a digest",
      content: () => image({ subject: { mediaType: "a/b", size: 1 } }),
    },
  ];
  test.each(cases)(
    "$what is refused, and nothing of it stays",
    async ({ content, type = IMAGE }) => {
      const response = await repository.putManifest("v1", content(), type);
      expect([response.status, (await errorOf(response)).code]).toEqual([400, "MANIFEST_INVALID"]);
      expect(await repository.status("tags/list")).toBe(404);
      const blobs = await registry.stores.blobs.list({ limit: 10 });
      expect(blobs.blobs).toHaveLength(1);
    },
  );

  test("not UTF-8, or of another digest than its URL's, is refused", async () => {
    const broken = await repository.putManifest("v1", new Uint8Array([0x7b, 0xff, 0x7d]));
    expect((await errorOf(broken)).code).toBe("MANIFEST_INVALID");
    const other = await repository.putManifest(digestOf("other"), image({}));
    expect([other.status, (await errorOf(other)).code]).toEqual([400, "DIGEST_INVALID"]);
  });

  test("part of itself cannot be, because its digest would have to be known first", async () => {
    const claimed = { mediaType: INDEX, digest: digestOf("myself"), size: 1 };
    const index = { schemaVersion: 2, manifests: [claimed] };
    expect((await repository.putManifest("loop", index, INDEX)).status).toBe(404);
    const response = await repository.putManifest(claimed.digest, index, INDEX);
    expect((await errorOf(response)).code).toBe("DIGEST_INVALID");
  });
});

describe("A name or reference that is none", () => {
  test.each([
    ["/v2/images/App/tags/list", "NAME_INVALID"],
    ["/v2/images/a..b/tags/list", "NAME_INVALID"],
    ["/v2/images/../tags/list", "NAME_INVALID"],
    ["/v2/images/a%2F..%2Fb/tags/list", "NAME_INVALID"],
    ["/v2/images/a%00b/tags/list", "NAME_INVALID"],
    ["/v2/images/a%23b/tags/list", "NAME_INVALID"],
    [`/v2/images/${"a/".repeat(150)}a/tags/list`, "NAME_INVALID"],
    ["/v2/images/tags/list", "NAME_INVALID"],
    ["/v2//app/tags/list", "NAME_INVALID"],
    ["/v2/images/app/manifests/.hidden", "MANIFEST_UNKNOWN"],
    [`/v2/images/app/manifests/${"t".repeat(129)}`, "MANIFEST_UNKNOWN"],
    ["/v2/images/app/manifests/a%20b", "MANIFEST_UNKNOWN"],
    ["/v2/images/app/manifests/sha256:abc", "DIGEST_INVALID"],
    [`/v2/images/app/blobs/sha384:${"a".repeat(96)}`, "DIGEST_INVALID"],
    ["/v2/images/app/blobs/..", "NAME_INVALID|DIGEST_INVALID|UNSUPPORTED"],
    ["/v2/images/app/referrers/latest", "DIGEST_INVALID"],
  ])("%s gets a 4xx in the protocol's shape", async (path, code) => {
    const response = await registry.request(path);
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
    expect(code.split("|")).toContain((await errorOf(response)).code);
  });

  test("is refused by name when something is to be stored under it", async () => {
    const response = await repository.putManifest(".hidden", { schemaVersion: 2 }, INDEX);
    expect([response.status, (await errorOf(response)).code]).toEqual([400, "TAG_INVALID"]);
  });

  test("may be a word of the protocol where it is a name", async () => {
    const odd = new Repository(registry, "images/blobs/uploads/manifests/tags/list");
    await odd.pushImage("v1");
    expect(await odd.tags()).toEqual(["v1"]);
  });

  test("a path or method that is not part of the protocol is told so", async () => {
    expect((await registry.request("/v2/images/app")).status).toBe(404);
    const post = await repository.send("tags/list", { method: "POST" });
    expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });
});

describe("An upload", () => {
  test("ends with its PUT: no PATCH, status, cancel or second PUT after it", async () => {
    const location = await repository.begin();
    const digest = digestOf("abc");
    expect((await repository.at(location, "PUT", { digest }, bytesOf("abc"))).status).toBe(201);
    for (const [method, body] of [
      ["PATCH", bytesOf("more")],
      ["PUT", bytesOf("abc")],
      ["GET", undefined],
      ["DELETE", undefined],
    ] as const) {
      const parameters: Record<string, string> = method === "PUT" ? { digest } : {};
      const response = await repository.at(location, method, parameters, body);
      expect([method, response.status, (await errorOf(response)).code]).toEqual([
        method,
        404,
        "BLOB_UPLOAD_UNKNOWN",
      ]);
    }
  });

  test("is its own repository's, and its ticket cannot be forged, altered or kept", async () => {
    const location = await repository.begin();
    const { pathname, searchParams } = new URL(location, "http://registry.test");
    const [stage = "", expires = "", mac = ""] = (searchParams.get("t") ?? "").split(".");
    const id = pathname.split("/").at(-1) ?? "";
    await new Repository(registry, "images/other").pushBlob("exists");
    const path = (name: string, uuid: string, ticket: string): string =>
      `/v2/${name}/blobs/uploads/${uuid}?t=${ticket}`;
    const ticket = `${stage}.${expires}.${mac}`;
    for (const url of [
      path("images/other", id, ticket),
      path("images/app", id.replaceAll(/[0-9]/g, "0"), ticket),
      path("images/app", id, `${stage}.${Number(expires) + 1}.${mac}`),
      path("images/app", id, `-.${expires}.${mac}`),
      path("images/app", id, `${stage}.${expires}.${"A".repeat(43)}`),
      path("images/app", id, ""),
      path("images/app", "x", ticket),
    ]) {
      const response = await repository.at(url, "PUT", { digest: digestOf("abc") }, bytesOf("abc"));
      expect([response.status, (await errorOf(response)).code]).toEqual([
        404,
        "BLOB_UPLOAD_UNKNOWN",
      ]);
    }
    expect((await registry.request(location)).status).toBe(204);
    registry.clock.aheadMs += 13 * 3_600_000;
    expect((await registry.request(location)).status).toBe(404);
  });

  test("of a deleted registry does not go on in one of the same name", async () => {
    const first = await repository.at(await repository.begin(), "PATCH", {}, bytesOf("abc"));
    const location = first.headers.get("location") ?? "";
    await registry.request("/api/v1/registries/images?confirm=images", { method: "DELETE" });
    await registry.createRegistry({ slug: "images", ecosystem: "oci" });
    expect((await registry.request(location)).status).toBe(404);
  });

  test.each([
    ["content-range", "bytes 0-2/3"],
    ["content-range", "2-0"],
    ["content-range", "0-9"],
    ["content-range", "0-99999999999999999999"],
    ["content-length", "3, 3"],
    ["content-length", "-3"],
  ])("with the header %s: %s is refused", async (name, value) => {
    const location = await repository.begin();
    const response = await repository.at(location, "PATCH", {}, bytesOf("abc"), { [name]: value });
    expect([response.status, (await errorOf(response)).code]).toEqual([400, "BLOB_UPLOAD_INVALID"]);
    expect((await registry.request(location)).headers.get("range")).toBe("0-0");
  });

  test("whose body is not as long as its headers say leaves nothing", async () => {
    const location = await repository.begin();
    const short = { "content-length": "5" };
    const response = await repository.at(location, "PATCH", {}, bytesOf("abc"), short);
    expect(response.status).toBe(400);
    const put = await repository.at(
      location,
      "PUT",
      { digest: digestOf("abc") },
      bytesOf("abc"),
      short,
    );
    expect(put.status).toBe(400);
    expect((await registry.request(location)).status).toBe(204);
  });

  test("whose chunk is not as long as its range says leaves nothing, first or last", async () => {
    const streamed = (text: string): ReadableStream => new Blob([text]).stream();
    let location = await repository.begin();
    const send = (method: string, body: string, range: string, query = ""): Promise<Response> =>
      registry.request(location + query, {
        method,
        headers: { "content-range": range },
        body: streamed(body),
        duplex: "half",
      });
    for (const [arrived, start] of [
      ["", 0],
      ["abc", 3],
    ] as const) {
      if (arrived !== "") {
        const appended = await send("PATCH", arrived, "0-2");
        location = appended.headers.get("location") ?? "";
      }
      const whole = `&digest=${digestOf(`${arrived}defg`)}`;
      for (const end of [start + 1, start + 9]) {
        for (const [method, query] of [
          ["PATCH", ""],
          ["PUT", whole],
        ] as const) {
          const response = await send(method, "defg", `${start}-${end}`, query);
          expect([response.status, (await errorOf(response)).code]).toEqual([400, "SIZE_INVALID"]);
        }
      }
    }
    expect((await registry.request(location)).headers.get("range")).toBe("0-2");
  });

  test("without a digest, or with one that cannot be checked, is refused", async () => {
    for (const parameters of [
      {},
      { digest: "abc" },
      { digest: "md5:900150983cd24fb0d6963f7d28e17f72" },
    ]) {
      const response = await repository.at(
        await repository.begin(),
        "PUT",
        parameters,
        bytesOf("abc"),
      );
      expect([response.status, (await errorOf(response)).code]).toEqual([400, "DIGEST_INVALID"]);
    }
  });

  test("larger than the registry allows is refused, streamed or not", async () => {
    await registry.createRegistry({
      slug: "small",
      ecosystem: "oci",
      policies: { maxFileBytes: 5 },
    });
    const small = new Repository(registry, "small/app");
    const digest = digestOf("123456");
    const whole = await small.at(await small.begin(), "PUT", { digest }, bytesOf("123456"));
    expect([whole.status, (await errorOf(whole)).code]).toEqual([413, "UNSUPPORTED"]);
    const first = await small.at(await small.begin(), "PATCH", {}, bytesOf("1234"));
    const location = first.headers.get("location") ?? "";
    expect((await small.at(location, "PATCH", {}, bytesOf("56"))).status).toBe(413);
    expect((await small.at(location, "PUT", { digest }, bytesOf("56"))).status).toBe(413);
    expect((await registry.request(location)).headers.get("range")).toBe("0-3");
    await repository.pushBlob("123456");
    const mount = `blobs/uploads/?mount=${digest}&from=images/app`;
    expect(await small.status(mount, "POST")).toBe(202);
    expect(await small.status(`blobs/${digest}`)).toBe(404);
  });

  test("of two writers at one place takes the bytes of one, whole", async () => {
    for (let round = 0; round < 10; round++) {
      const fresh = await repository.begin();
      // Every other time the session has bytes already when the two arrive.
      const begun = round % 2 === 0 ? "" : "begun";
      const first = await repository.at(fresh, "PATCH", {}, bytesOf(begun));
      const location = first.headers.get("location") ?? "";
      const bodies = ["a".repeat(100_000), "b".repeat(100_000)];
      const answers = await Promise.all(
        bodies.map(async (body) => repository.at(location, "PATCH", {}, bytesOf(body))),
      );
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202, 416]));
      const winner = answers.findIndex(({ status }) => status === 202);
      const digest = digestOf(begun + (bodies[winner] ?? ""));
      const next = answers[winner]?.headers.get("location") ?? "";
      expect((await repository.at(next, "PUT", { digest })).status).toBe(201);
    }
  });

  test("whose client goes away in the middle appends nothing", async () => {
    const location = await repository.begin();
    let sent = 0;
    const body = new ReadableStream({
      pull(controller) {
        if (sent++ > 30) controller.error(new Error("gone"));
        else controller.enqueue(new Uint8Array(65_536));
      },
    });
    const response = await registry.request(location, { method: "PATCH", body });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect((await registry.request(location)).headers.get("range")).toBe("0-0");
  });
});

test("Tokens for too many scopes, and forms that never end, are refused", async () => {
  const scopes = Array.from({ length: 11 }, (_, n) => `scope=repository:images/a${n}:pull`);
  expect((await registry.request(`/v2/_token?${scopes.join("&")}`)).status).toBe(400);
  const body = `grant_type=password&password=${"x".repeat(20_000)}`;
  const form = await registry.request("/v2/_token", { method: "POST", token: null, body });
  expect(form.status).toBe(413);
  const other = await registry.request("/v2/_token", { method: "POST", token: null, body: "a=b" });
  expect(other.status).toBe(400);
});
