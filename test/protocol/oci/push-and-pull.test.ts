import { createHash, randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTestRegistry, type TestRegistry } from "../../support/services.ts";
import { bytesOf, descriptor, digestOf, errorOf, IMAGE, INDEX, Repository } from "./builders.ts";

let registry: TestRegistry;
let repository: Repository;
beforeEach(async () => {
  registry = await openTestRegistry();
  await registry.createRegistry({ slug: "images", ecosystem: "oci" });
  repository = new Repository(registry, "images/team/app");
});
afterEach(async () => registry.close());

describe("A blob", () => {
  test("pushed with POST and PUT can be pulled whole, in ranges and by HEAD", async () => {
    const { digest, bytes } = await repository.pushBlob("0123456789");
    const whole = await repository.send(`blobs/${digest}`);
    expect(await whole.bytes()).toEqual(bytes);
    expect(whole.headers.get("docker-content-digest")).toBe(digest);
    const head = await repository.send(`blobs/${digest}`, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, "10"]);
    const part = await repository.send(`blobs/${digest}`, { headers: { range: "bytes=7-" } });
    expect([part.status, await part.text()]).toEqual([206, "789"]);
    const outside = await repository.send(`blobs/${digest}`, { headers: { range: "bytes=10-" } });
    expect(outside.status).toBe(416);
    expect(outside.headers.get("docker-distribution-api-version")).toBe("registry/2.0");
  });

  test("can be pushed with one POST", async () => {
    const bytes = bytesOf("all at once");
    const location = `/v2/${repository.name}/blobs/uploads/`;
    const response = await repository.at(location, "POST", { digest: digestOf(bytes) }, bytes);
    expect(response.status).toBe(201);
    expect(response.headers.get("location")).toBe(
      `/v2/${repository.name}/blobs/${digestOf(bytes)}`,
    );
    expect(await repository.status(`blobs/${digestOf(bytes)}`)).toBe(200);
  });

  test("can be streamed with a PATCH of unknown length and ended by an empty PUT", async () => {
    const bytes = randomBytes(3_000_000);
    const patched = await registry.request(await repository.begin(), {
      method: "PATCH",
      body: new Blob([bytes]).stream(),
    });
    expect([patched.status, patched.headers.get("range")]).toEqual([202, "0-2999999"]);
    const location = patched.headers.get("location") ?? "";
    const digest = digestOf(bytes);
    expect((await repository.at(location, "PUT", { digest })).status).toBe(201);
    const pulled = await repository.send(`blobs/${digest}`);
    expect(
      createHash("sha256")
        .update(await pulled.bytes())
        .digest("hex"),
    ).toBe(digest.slice(7));
  });

  test("can be pushed in chunks, the last of them with the PUT", async () => {
    let location = await repository.begin();
    for (const [range, text] of [
      ["0-2", "abc"],
      ["3-4", "de"],
    ] as const) {
      const headers = { "content-range": range };
      const response = await repository.at(location, "PATCH", {}, bytesOf(text), headers);
      expect(response.status).toBe(202);
      location = response.headers.get("location") ?? "";
    }
    const digest = digestOf("abcdef");
    const last = { "content-range": "5-5" };
    const done = await repository.at(location, "PUT", { digest }, bytesOf("f"), last);
    expect(done.status).toBe(201);
    expect(await (await repository.send(`blobs/${digest}`)).text()).toBe("abcdef");
  });

  test("takes a chunk from the right place only, and says where that is", async () => {
    const first = await repository.at(await repository.begin(), "PATCH", {}, bytesOf("abc"));
    const location = first.headers.get("location") ?? "";
    for (const range of ["0-2", "2-4", "4-6"]) {
      const headers = { "content-range": range };
      const refused = await repository.at(location, "PATCH", {}, bytesOf("xyz"), headers);
      expect([refused.status, refused.headers.get("range")]).toEqual([416, "0-2"]);
    }
    const status = await registry.request(location);
    expect([status.status, status.headers.get("range")]).toEqual([204, "0-2"]);
    const digest = digestOf("abc");
    expect(
      (await repository.at(status.headers.get("location") ?? "", "PUT", { digest })).status,
    ).toBe(201);
  });

  test("is refused with another digest than its own, and the session goes on", async () => {
    const fresh = await repository.begin();
    const digest = digestOf("abc");
    const wrong = await repository.at(fresh, "PUT", { digest }, bytesOf("abd"));
    expect([wrong.status, (await errorOf(wrong)).code]).toEqual([400, "DIGEST_INVALID"]);
    expect(await repository.status(`blobs/${digest}`)).toBe(404);
    expect((await repository.at(fresh, "PUT", { digest }, bytesOf("abc"))).status).toBe(201);
  });

  test("may be empty, and may be named by its sha512", async () => {
    const empty = await repository.pushBlob("");
    expect(await (await repository.send(`blobs/${empty.digest}`)).text()).toBe("");
    const long = await repository.pushBlob("text", undefined, "sha512");
    expect(await (await repository.send(`blobs/${long.digest}`)).text()).toBe("text");
    expect(await repository.status(`blobs/${digestOf("text")}`)).toBe(404);
  });

  test("is served by repositories that link it only, and mounted from one to another by a row", async () => {
    const { digest } = await repository.pushBlob("shared");
    const other = new Repository(registry, "images/other");
    expect(await other.status(`blobs/${digest}`)).toBe(404);
    const mount = `blobs/uploads/?mount=${digest}&from=${repository.name}`;
    expect(await other.status(mount, "POST")).toBe(201);
    expect(await (await other.send(`blobs/${digest}`)).text()).toBe("shared");
    const missing = `blobs/uploads/?mount=${digestOf("unknown")}&from=${repository.name}`;
    expect(await other.status(missing, "POST")).toBe(202);
    const third = new Repository(registry, "images/third");
    expect(await third.status(`blobs/uploads/?mount=${digest}`, "POST")).toBe(201);
  });

  test("of a cancelled upload is gone, and so is the session", async () => {
    const first = await repository.at(await repository.begin(), "PATCH", {}, bytesOf("abc"));
    const location = first.headers.get("location") ?? "";
    expect((await registry.request(location, { method: "DELETE" })).status).toBe(204);
    expect((await registry.request(location)).status).toBe(404);
    const digest = digestOf("abc");
    const late = await repository.at(location, "PUT", { digest });
    expect((await errorOf(late)).code).toBe("BLOB_UPLOAD_UNKNOWN");
  });

  test("leaves by redirect where that is configured, but HEAD does not", async () => {
    const redirecting = await openTestRegistry({ downloads: "redirect" });
    await redirecting.createRegistry({ slug: "images", ecosystem: "oci" });
    const there = new Repository(redirecting, "images/app");
    const { digest } = await there.pushBlob("bytes");
    const response = await there.send(`blobs/${digest}`);
    expect(response.status).toBe(307);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const head = await there.send(`blobs/${digest}`, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, "5"]);
    await redirecting.close();
  });
});

test("Every answer that is no failure says the version of the API", async () => {
  const redirecting = await openTestRegistry({ downloads: "redirect" });
  await redirecting.createRegistry({ slug: "images", ecosystem: "oci" });
  const elsewhere = new Repository(redirecting, "images/app");
  const { digest } = await repository.pushBlob("0123456789");
  await elsewhere.pushBlob("0123456789");
  const config = await repository.pushBlob("{}");
  const text = JSON.stringify({ schemaVersion: 2, config: descriptor(config), layers: [] });
  const etag = { "if-none-match": `"${digestOf(text)}"` };
  const answers = [
    await repository.putManifest("v1", text),
    await registry.request("/v2/"),
    await repository.send("tags/list"),
    await repository.send("manifests/v1"),
    await repository.send("manifests/v1", { method: "HEAD" }),
    await repository.send(`manifests/${digestOf(text)}`, { headers: etag }),
    await repository.send(`blobs/${digest}`),
    await repository.send(`blobs/${digest}`, { method: "HEAD" }),
    await repository.send(`blobs/${digest}`, { headers: { range: "bytes=1-2" } }),
    await repository.send(`blobs/${digest}`, { headers: { "if-none-match": `"${digest}"` } }),
    await elsewhere.send(`blobs/${digest}`),
  ];
  expect(answers.map(({ status }) => status)).toEqual([
    201, 200, 200, 200, 200, 304, 200, 200, 206, 304, 307,
  ]);
  for (const { status, headers } of answers) {
    expect([status, headers.get("docker-distribution-api-version")]).toEqual([
      status,
      "registry/2.0",
    ]);
  }
  await redirecting.close();
});

describe("A manifest", () => {
  test("is served byte for byte, by tag and by digest, with its own media type", async () => {
    const config = await repository.pushBlob("{}");
    const text = `{ "schemaVersion":2,\n"mediaType":"${IMAGE}","config":${JSON.stringify(descriptor(config))},"layers":[ ],"more":{"x":[1]}}`;
    const put = await repository.putManifest("v1", text);
    expect(put.status).toBe(201);
    expect(put.headers.get("docker-content-digest")).toBe(digestOf(text));
    for (const reference of ["v1", digestOf(text)]) {
      const response = await repository.send(`manifests/${reference}`);
      expect(await response.text()).toBe(text);
      expect(response.headers.get("content-type")).toBe(IMAGE);
      expect(response.headers.get("docker-content-digest")).toBe(digestOf(text));
      const head = await repository.send(`manifests/${reference}`, { method: "HEAD" });
      expect(head.headers.get("content-length")).toBe(String(text.length));
    }
  });

  test("may be 4 MiB large, and no larger", async () => {
    const config = await repository.pushBlob("{}");
    const withNote = (length: number): string =>
      JSON.stringify({
        schemaVersion: 2,
        config: descriptor(config),
        layers: [],
        annotations: { note: "x".repeat(length) },
      });
    const room = 4 * 1024 * 1024 - withNote(0).length;
    const largest = withNote(room);
    expect((await repository.putManifest("large", largest)).status).toBe(201);
    expect(await (await repository.send("manifests/large")).text()).toBe(largest);
    const refused = await repository.putManifest("larger", withNote(room + 1));
    expect([refused.status, (await errorOf(refused)).code]).toEqual([413, "UNSUPPORTED"]);
  });

  test("is refused until everything that it refers to is there", async () => {
    const config = await repository.pushBlob("{}");
    const layer = { mediaType: "a/b", digest: digestOf("absent"), size: 6 };
    const image = { schemaVersion: 2, config: descriptor(config), layers: [layer] };
    const refused = await repository.putManifest("v1", image);
    expect([refused.status, (await errorOf(refused)).code]).toEqual([404, "MANIFEST_BLOB_UNKNOWN"]);
    expect((await errorOf(await repository.putManifest("v1", image))).message).toContain(
      digestOf("absent"),
    );
    expect(await repository.status("manifests/v1")).toBe(404);
    await repository.pushBlob("absent");
    expect((await repository.putManifest("v1", image)).status).toBe(201);
    const index = {
      schemaVersion: 2,
      manifests: [{ mediaType: IMAGE, digest: digestOf("nothing"), size: 7 }],
    };
    expect((await repository.putManifest("i", index, INDEX)).status).toBe(404);
  });

  test("may have null where Go programs write it for an empty list or nothing", async () => {
    const config = await repository.pushBlob("{}");
    const bare = { ...descriptor(config), urls: null, platform: null, annotations: null };
    const none = { layers: null, manifests: null, subject: null, annotations: null };
    const image = { schemaVersion: 2, artifactType: null, ...none, config: bare };
    expect((await repository.putManifest("image", image)).status).toBe(201);
    const index = { schemaVersion: 2, ...none, config: null };
    expect((await repository.putManifest("index", index, INDEX)).status).toBe(201);
  });

  test("may have layers that are got elsewhere", async () => {
    const config = await repository.pushBlob("{}");
    const mediaType = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    const foreign = { mediaType, digest: digestOf("windows"), size: 7, urls: ["https://x.test/"] };
    const image = { schemaVersion: 2, config: descriptor(config), layers: [foreign] };
    expect((await repository.putManifest("v1", image)).status).toBe(201);
  });

  test("may have more layers than one transaction holds", async () => {
    const layers = Array.from({ length: 130 }, (_, position) => `layer ${position}`);
    const image = await repository.pushImage("many", layers);
    expect(await (await repository.send("manifests/many")).bytes()).toEqual(image.bytes);
  });

  test("may be an index, and an index of indexes, eight levels deep", async () => {
    let inner = await repository.pushIndex(undefined, [await repository.pushImage()]);
    for (let level = 2; level <= 8; level++) {
      inner = await repository.pushIndex(undefined, [inner], {
        annotations: { level: `${level}` },
      });
    }
    const manifests = [descriptor(inner)];
    const tooDeep = await repository.putManifest("deep", { schemaVersion: 2, manifests }, INDEX);
    expect([tooDeep.status, (await errorOf(tooDeep)).code]).toEqual([400, "MANIFEST_INVALID"]);
  });

  test("pushed by digest gets the tags of the parameters", async () => {
    const { bytes, digest } = await repository.pushImage();
    const response = await repository.putManifest(`${digest}?tag=1&tag=1.2&tag=latest`, bytes);
    expect(response.headers.get("oci-tag")).toBe("1, 1.2, latest");
    expect(await repository.tags()).toEqual(["1", "1.2", "latest"]);
    const many = Array.from({ length: 11 }, (_, n) => `tag=t${n}`).join("&");
    expect((await repository.putManifest(`${digest}?${many}`, bytes)).status).toBe(414);
  });

  test("that is deprecated can still be pulled", async () => {
    const { digest } = await repository.pushImage("v1");
    const version = encodeURIComponent(digest);
    const name = encodeURIComponent("team/app");
    const path = `/api/v1/registries/images/packages/${name}/versions/${version}/deprecation`;
    const response = await registry.request(path, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ message: "use v2" }),
    });
    expect(response.status).toBe(200);
    expect(await repository.status("manifests/v1")).toBe(200);
  });

  test("pushed again changes nothing, and a tag moves to what was pushed last", async () => {
    const first = await repository.pushImage("v1", ["one"]);
    const second = await repository.pushImage("v1", ["two"]);
    expect(await (await repository.send("manifests/v1")).bytes()).toEqual(second.bytes);
    expect((await repository.putManifest("v1", first.bytes)).status).toBe(201);
    expect((await repository.putManifest("v1", first.bytes)).status).toBe(201);
    expect(await (await repository.send("manifests/v1")).bytes()).toEqual(first.bytes);
  });
});

describe("Lists", () => {
  test("give tags in order, in pages that follow each other by relative links", async () => {
    const { bytes, digest } = await repository.pushImage();
    for (const tags of ["b", "a", "Z", "c"]) {
      await repository.putManifest(`${digest}?tag=${tags}`, bytes);
    }
    expect(await repository.tags()).toEqual(["Z", "a", "b", "c"]);
    const seen: unknown[] = [];
    for (let path = "tags/list?n=3"; path !== ""; ) {
      const page = await repository.send(path);
      seen.push(await page.json());
      const next = /^<\/v2\/images\/team\/app\/(.*)>; rel="next"$/.exec(
        page.headers.get("link") ?? "",
      );
      path = next?.[1] ?? "";
    }
    const name = repository.name;
    expect(seen).toEqual([
      { name, tags: ["Z", "a", "b"] },
      { name, tags: ["c"] },
    ]);
    expect(await (await repository.send("tags/list?n=0")).json()).toEqual({ name, tags: [] });
    expect(await repository.status("tags/list?n=x")).toBe(400);
    // What programs pass that want everything.
    for (const n of [2 ** 31 - 1, Number.MAX_SAFE_INTEGER]) {
      expect(await repository.status(`tags/list?n=${n}`)).toBe(200);
    }
    expect(await new Repository(registry, "images/nothing").status("tags/list")).toBe(404);
  });

  test("give the repositories of every registry that the caller may read", async () => {
    await registry.createRegistry({ slug: "a-public", ecosystem: "oci", visibility: "public" });
    await new Repository(registry, "a-public/one").pushImage("v1");
    await repository.pushImage("v1");
    await new Repository(registry, "images/app").pushImage("v1");
    const all = ["a-public/one", "images/app", "images/team/app"];
    expect(await (await registry.request("/v2/_catalog")).json()).toEqual({ repositories: all });
    const page = await registry.request("/v2/_catalog?n=2");
    expect(await page.json()).toEqual({ repositories: all.slice(0, 2) });
    expect(page.headers.get("link")).toBe('</v2/_catalog?n=2&last=images%2Fapp>; rel="next"');
    const rest = await registry.request("/v2/_catalog?n=2&last=images%2Fapp");
    expect(await rest.json()).toEqual({ repositories: all.slice(2) });
  });
});
