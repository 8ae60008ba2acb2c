import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTestRegistry, type TestRegistry } from "../../support/services.ts";
import { FILE, genericRegistry, put } from "./builders.ts";

let registry: TestRegistry;
beforeEach(async () => {
  registry = await openTestRegistry();
  await genericRegistry(registry);
});
afterEach(async () => registry.close());

const digest = (algorithm: string, text: string): string =>
  createHash(algorithm).update(text).digest("hex");

describe("PUT of a file", () => {
  test("answers 201 with its location, ETag, digests, size and URL", async () => {
    const response = await put(registry, FILE, "hello");
    expect(response.status).toBe(201);
    expect(response.headers.get("location")).toBe(FILE);
    expect(response.headers.get("etag")).toBe(`"${digest("sha256", "hello")}"`);
    expect(await response.json()).toEqual({
      package: "tool",
      version: "1.0.0",
      path: "dist/tool.tar.gz",
      sizeBytes: 5,
      contentType: "application/gzip",
      digests: {
        md5: digest("md5", "hello"),
        sha1: digest("sha1", "hello"),
        sha256: digest("sha256", "hello"),
        sha512: digest("sha512", "hello"),
      },
      url: `http://registry.test${FILE}`,
    });
  });

  test("takes an empty file, and a stream of unknown length", async () => {
    const empty = await put(registry, "/generic/files/tool/1.0.0/empty", "");
    expect(empty.status).toBe(201);
    const stream = new Blob(["streamed"]).stream();
    const streamed = await put(registry, "/generic/files/tool/1.0.0/streamed", stream);
    expect(await streamed.json()).toMatchObject({ sizeBytes: 8 });
    const read = await registry.request("/generic/files/tool/1.0.0/streamed");
    expect(await read.text()).toBe("streamed");
  });

  test("answers 200 for the same bytes again, and 409 for others", async () => {
    await put(registry, FILE, "hello");
    expect((await put(registry, FILE, "hello")).status).toBe(200);
    const conflict = await put(registry, FILE, "other");
    expect(conflict.status).toBe(409);
    expect(conflict.headers.get("content-type")).toBe("application/problem+json");
    expect(await conflict.json()).toMatchObject({ type: "urn:entrepot:error:version-exists" });
    expect(await (await registry.request(FILE)).text()).toBe("hello");
  });

  test("refuses other bytes before they are sent, where their size or checksum tells", async () => {
    await put(registry, FILE, "hello");
    const unread = (): ReadableStream<Uint8Array> =>
      new ReadableStream(
        {
          pull() {
            throw new Error("the body was read");
          },
        },
        { highWaterMark: 0 },
      );
    const size = { "content-length": String(2 ** 21) };
    expect((await put(registry, FILE, unread(), size)).status).toBe(409);
    const sum = { "x-checksum-sha256": digest("sha256", "other") };
    expect((await put(registry, FILE, unread(), sum)).status).toBe(409);
  });

  test("replaces the bytes where the registry allows it", async () => {
    await registry.createRegistry({
      slug: "snapshots",
      ecosystem: "generic",
      policies: { mutableFiles: true, restoreDays: 0, maxFileBytes: 100 },
    });
    const path = "/generic/snapshots/tool/1.0.0/tool.bin";
    expect((await put(registry, path, "first")).status).toBe(201);
    expect((await put(registry, path, "second")).status).toBe(200);
    expect(await (await registry.request(path)).text()).toBe("second");
  });

  test("works with files of a deprecated version as with those of any other", async () => {
    await registry.createRegistry({
      slug: "mutable",
      ecosystem: "generic",
      policies: { mutableFiles: true, restoreDays: 0, maxFileBytes: 100 },
    });
    const folder = "/generic/mutable/tool/1.0.0";
    await put(registry, `${folder}/a`, "first");
    const deprecated = await registry.request(
      "/api/v1/registries/mutable/packages/tool/versions/1.0.0/deprecation",
      {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ message: "use 2.0.0" }),
      },
    );
    expect(deprecated.status).toBe(200);
    expect((await put(registry, `${folder}/a`, "first")).status).toBe(200);
    expect((await put(registry, `${folder}/a`, "second")).status).toBe(200);
    expect((await put(registry, `${folder}/b`, "other")).status).toBe(201);
    const removed = await registry.request(`${folder}/a`, { method: "DELETE" });
    expect(removed.status).toBe(204);
    const listing = await registry.request("/generic/mutable/tool/");
    expect(await listing.json()).toMatchObject({
      versions: [{ state: "deprecated", deprecation: "use 2.0.0", fileCount: 1, sizeBytes: 5 }],
    });
  });

  test("with If-None-Match: * answers 412 when the file exists, whatever its bytes", async () => {
    const headers = { "if-none-match": "*" };
    expect((await put(registry, FILE, "hello", headers)).status).toBe(201);
    expect((await put(registry, FILE, "hello", headers)).status).toBe(412);
    const both = await Promise.all([
      put(registry, "/generic/files/tool/1.0.0/race", "a", headers),
      put(registry, "/generic/files/tool/1.0.0/race", "a", headers),
    ]);
    expect(both.map(({ status }) => status).sort((a, b) => a - b)).toEqual([201, 412]);
  });

  test("refuses what is larger than the registry allows, by its length and by its bytes", async () => {
    await registry.createRegistry({
      slug: "small",
      ecosystem: "generic",
      policies: { mutableFiles: false, restoreDays: 0, maxFileBytes: 4 },
    });
    const path = "/generic/small/tool/1.0.0/tool.bin";
    let read = false;
    const unread = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          read = true;
          controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    expect((await put(registry, path, unread, { "content-length": "5" })).status).toBe(413);
    expect(read).toBe(false);
    expect((await put(registry, path, new Blob(["hello"]).stream())).status).toBe(413);
    expect((await registry.request(path)).status).toBe(404);
  });

  test("stores the client's content type if it can stand in a header, or guesses", async () => {
    const typeOf = async (path: string, contentType?: string): Promise<string> => {
      const headers = contentType === undefined ? {} : { "content-type": contentType };
      await put(registry, `/generic/files/types/1/${path}`, path, headers);
      const response = await registry.request(`/generic/files/types/1/${path}`);
      return response.headers.get("content-type") ?? "";
    };
    expect(await typeOf("a.json")).toBe("application/json");
    expect(await typeOf("b.json", "application/x-www-form-urlencoded")).toBe("application/json");
    expect(await typeOf("c", "text/plain; charset=utf-8")).toBe("text/plain; charset=utf-8");
    expect(await typeOf("d", "not a type")).toBe("application/octet-stream");
    expect(await typeOf("e.html")).toBe("application/octet-stream");
  });

  test("that breaks off leaves no row and no blob", async () => {
    const broken = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(Buffer.from("half of "));
      },
      pull(controller) {
        controller.error(new Error("the client went away"));
      },
    });
    const abort = new AbortController();
    abort.abort();
    const response = await put(registry, FILE, broken, {}, abort.signal);
    expect(response.status).toBe(400);
    expect((await registry.request("/generic/files/tool/")).status).toBe(404);
    expect((await registry.stores.blobs.list({ limit: 10 })).blobs).toEqual([]);
  });
});

describe("GET of a file", () => {
  test("gives the bytes with checksums, a file name and nothing that a browser would run", async () => {
    await put(registry, FILE, "hello");
    const response = await registry.request(FILE);
    expect(await response.text()).toBe("hello");
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-length": "5",
      etag: `"${digest("sha256", "hello")}"`,
      "accept-ranges": "bytes",
      "x-checksum-md5": digest("md5", "hello"),
      "x-checksum-sha1": digest("sha1", "hello"),
      "x-checksum-sha256": digest("sha256", "hello"),
      "x-checksum-sha512": digest("sha512", "hello"),
      "content-disposition": 'attachment; filename="tool.tar.gz"',
      "x-content-type-options": "nosniff",
      "content-security-policy": "default-src 'none'; sandbox",
    });
  });

  test("names a file of any script twice: for old clients and for RFC 8187", async () => {
    const path = `/generic/files/tool/1.0.0/${encodeURIComponent("Grüße (1)'%\".txt")}`;
    await put(registry, path, "hello");
    const response = await registry.request(path);
    expect(response.headers.get("content-disposition")).toBe(
      `attachment; filename="Gr__e (1)'__.txt"; filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%281%29%27%25%22.txt`,
    );
  });

  test("reads a name in whichever Unicode form the client sends it", async () => {
    await put(
      registry,
      `/generic/files/tool/1.0.0/${encodeURIComponent("é".normalize("NFD"))}`,
      "x",
    );
    const response = await registry.request(
      `/generic/files/tool/1.0.0/${encodeURIComponent("é".normalize("NFC"))}`,
    );
    expect(response.status).toBe(200);
  });

  test("serves ranges, and 416 beyond the end", async () => {
    await put(registry, FILE, "0123456789");
    const part = await registry.request(FILE, { headers: { range: "bytes=2-4" } });
    expect([part.status, await part.text()]).toEqual([206, "234"]);
    expect(part.headers.get("content-range")).toBe("bytes 2-4/10");
    const beyond = await registry.request(FILE, { headers: { range: "bytes=10-" } });
    expect(beyond.status).toBe(416);
    expect(beyond.headers.get("cache-control")).toBe("no-store");
    expect(beyond.headers.get("repr-digest")).toBeNull();
  });

  // Up to 64 KiB leave as they are read; more is streamed.
  test.each([64 * 1024, 64 * 1024 + 1])("serves %d bytes whole and in ranges", async (size) => {
    const text = Array.from({ length: size }, (_, at) => "abcdefghijk"[at % 11]).join("");
    await put(registry, FILE, text);
    const whole = await registry.request(FILE);
    expect(whole.headers.get("content-length")).toBe(String(size));
    expect((await whole.text()) === text).toBe(true);
    for (const [start, end] of [
      [0, size - 1],
      [7, 1000],
      [size - 2, size - 1],
    ] as const) {
      const part = await registry.request(FILE, { headers: { range: `bytes=${start}-${end}` } });
      expect([part.status, part.headers.get("content-length")]).toEqual([
        206,
        `${end - start + 1}`,
      ]);
      expect((await part.text()) === text.slice(start, end + 1)).toBe(true);
    }
  });

  test("answers 304 to the time it gave, as curl -z and wget -N send it, unless an ETag is given too", async () => {
    await put(registry, FILE, "hello");
    const time = (await registry.request(FILE)).headers.get("last-modified") ?? "";
    const ask = async (headers: Record<string, string>): Promise<number> =>
      (await registry.request(FILE, { headers })).status;
    expect(await ask({ "if-modified-since": time })).toBe(304);
    expect(await ask({ "if-modified-since": "Thu, 01 Jan 1970 00:00:00 GMT" })).toBe(200);
    // `latest` may have led to a newer file before.
    expect(await ask({ "if-modified-since": "Fri, 01 Jan 2100 00:00:00 GMT" })).toBe(200);
    expect(await ask({ "if-modified-since": time, "if-none-match": '"other"' })).toBe(200);
  });

  test("answers 304 to the ETag it gave, and HEAD without bytes", async () => {
    await put(registry, FILE, "hello");
    const head = await registry.request(FILE, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length"), head.body]).toEqual([200, "5", null]);
    const etag = head.headers.get("etag") ?? "";
    const again = await registry.request(FILE, { headers: { "if-none-match": etag } });
    expect(again.status).toBe(304);
  });

  test("takes latest for the highest release", async () => {
    for (const version of ["1.9.0", "1.10.0", "2.0.0-rc.1"]) {
      await put(registry, `/generic/files/tool/${version}/tool.txt`, version);
    }
    const response = await registry.request("/generic/files/tool/latest/tool.txt");
    expect(await response.text()).toBe("1.10.0");
    expect(response.headers.get("content-location")).toBe("/generic/files/tool/1.10.0/tool.txt");
    expect(response.headers.get("cache-control")).toBe("private, no-cache");
    expect((await registry.request("/generic/files/none/latest/tool.txt")).status).toBe(404);
  });
});

test("a redirect to storage keeps the file's name and type", async () => {
  const redirecting = await openTestRegistry({ downloads: "redirect" });
  await genericRegistry(redirecting);
  await put(redirecting, FILE, "hello");
  const response = await redirecting.request(FILE);
  expect([response.status, response.headers.get("cache-control")]).toEqual([307, "no-store"]);
  const { searchParams } = new URL(response.headers.get("location") ?? "", "http://registry.test");
  expect(searchParams.get("disposition")).toBe('attachment; filename="tool.tar.gz"');
  expect(searchParams.get("type")).toBe("application/gzip");
  expect((await redirecting.request(FILE, { method: "HEAD" })).status).toBe(200);
  await redirecting.close();
});

describe("DELETE", () => {
  test("of the last file takes the version, of a version its files, of a package its versions", async () => {
    await put(registry, FILE, "hello");
    await put(registry, "/generic/files/tool/2.0.0/a", "a");
    await put(registry, "/generic/files/tool/3.0.0/a", "a");
    const remove = async (path: string): Promise<number> =>
      (await registry.request(path, { method: "DELETE" })).status;
    expect(await remove(FILE)).toBe(204);
    expect(await remove("/generic/files/tool/3.0.0")).toBe(204);
    expect((await registry.request("/generic/files/tool/3.0.0/a")).status).toBe(404);
    expect(await (await registry.request("/generic/files/tool/latest/a")).text()).toBe("a");
    expect(await remove("/generic/files/tool")).toBe(204);
    expect((await registry.request("/generic/files/tool/2.0.0/a")).status).toBe(404);
    expect(await remove("/generic/files/tool/latest")).toBe(400);
  });

  test("of one file among others is a conflict where files are immutable", async () => {
    await put(registry, FILE, "hello");
    await put(registry, "/generic/files/tool/1.0.0/other", "other");
    const response = await registry.request(FILE, { method: "DELETE" });
    expect(response.status).toBe(409);
    expect((await registry.request(FILE)).status).toBe(200);
  });
});

test.each([
  ["PUT", FILE, "if-match", `"${"0".repeat(64)}"`],
  ["PUT", FILE, "if-unmodified-since", "Thu, 01 Jan 1970 00:00:00 GMT"],
  ["DELETE", FILE, "if-match", `"${"0".repeat(64)}"`],
  ["DELETE", "/generic/files/tool/1.0.0", "if-match", "*"],
  ["DELETE", "/generic/files/tool", "if-match", "*"],
])(
  "%s %s with %s changes nothing, as nobody would look at the condition",
  async (method, path, name, value) => {
    await put(registry, FILE, "hello");
    const body = method === "PUT" ? "hello" : null;
    const response = await registry.request(path, { method, body, headers: { [name]: value } });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ detail: expect.stringContaining(name) });
    expect((await registry.request(FILE)).status).toBe(200);
  },
);

describe("who may", () => {
  test("nobody without a token reads a private registry, and is told how to send one", async () => {
    await put(registry, FILE, "hello");
    const response = await registry.request(FILE, { token: null });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toMatch(/^Basic realm=.*Bearer realm=/);
  });

  test("everybody reads a public one, and nobody writes it without a token", async () => {
    await registry.createRegistry({ slug: "open", ecosystem: "generic", visibility: "public" });
    const path = "/generic/open/tool/1/file";
    await put(registry, path, "hello");
    expect((await registry.request(path, { token: null })).status).toBe(200);
    const write = await registry.request(path, { method: "PUT", body: "x", token: null });
    expect(write.status).toBe(401);
  });

  test("a registry of another ecosystem is a mistake that is explained", async () => {
    await registry.createRegistry({ slug: "js", ecosystem: "npm" });
    const response = await registry.request("/generic/js/tool/1/file");
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("/npm/js/");
  });

  test("other methods are answered 405 with those that are served", async () => {
    const response = await registry.request(FILE, { method: "POST", body: "x" });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, HEAD, PUT, DELETE");
  });
});
