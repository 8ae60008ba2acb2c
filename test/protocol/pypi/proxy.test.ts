import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  answer,
  type Behaviour,
  BROKEN,
  endless,
  gzipBomb,
  type MisbehavingUpstream,
  redirect,
  startUpstream,
  wrongBytes,
} from "../../support/misbehaving-upstream.ts";
import { metadataText, sha256Of } from "../../support/python-package.ts";
import { FAILING_ANSWERS, openMirror, WRONG_FILES } from "../../support/mirror.ts";
import type { TestRegistry } from "../../support/services.ts";
import { changeRegistry, changeUpstream } from "../../support/upstreams.ts";
import { type Json, JSON_TYPE } from "./pypi-registry.ts";
import {
  filePath,
  type IndexedFile,
  indexedWheel,
  jsonOf,
  jsonPage,
  LONG_AGO,
  pagePath,
  serveHtml,
  serveProject,
} from "./upstream-pages.ts";

const NAME = "demo-pkg";
const FILES = "http://registry.test/pypi/mirror/files";
const DAY_MS = 86_400_000;
const JSON_ANSWER = { headers: { "content-type": JSON_TYPE } };
const HTML_ANSWER = { headers: { "content-type": "text/html" } };

let upstream: MisbehavingUpstream;
let registry: TestRegistry;
let one: IndexedFile;
let two: IndexedFile;

beforeEach(async () => {
  ({ upstream, registry } = await openMirror("pypi", "/simple"));
  one = indexedWheel(NAME, "1.0");
  two = indexedWheel(NAME, "1.1");
  serveProject(upstream, NAME, [one, two]);
});

afterEach(async () => {
  await registry.close();
  await upstream.close();
});

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  registry.request(`/pypi/mirror${path}`, { headers });

const page = (project = NAME): Promise<Response> =>
  get(`/simple/${project}/`, { accept: JSON_TYPE });

async function simple(project = NAME): Promise<Json> {
  const response = await page(project);
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  return jsonOf(response);
}

const namesIn = ({ files }: Json): readonly string[] =>
  files.map(({ filename }: { filename: string }) => filename);

const download = ({ fileName }: IndexedFile, version: string): Promise<Response> =>
  get(`/files/${NAME}/${version}/${fileName}`);

async function bytesOf(response: Response): Promise<Buffer> {
  return Buffer.from(await response.arrayBuffer());
}

describe("a proxied project page", () => {
  test("says of its files what the upstream's page says, with links to here", async () => {
    const metadata = metadataText({ name: NAME, version: "2.0" });
    const file = indexedWheel(NAME, "2.0", {
      "requires-python": ">=3.9,<4",
      yanked: 'breaks "everything" <b>',
      "upload-time": "2024-05-06T07:08:09.123456Z",
      "core-metadata": { sha256: sha256Of(Buffer.from(metadata)) },
      provenance: `${upstream.url}/integrity/2.0`,
      "gpg-sig": true,
      unknown: 1,
    });
    serveProject(upstream, NAME, [file]);
    const { keys, fileName } = file;
    const document = await simple();
    expect(document).toMatchObject({
      name: NAME,
      versions: ["2.0"],
      meta: { "api-version": "1.4" },
    });
    expect(document.files).toEqual([
      {
        filename: fileName,
        hashes: keys["hashes"],
        "requires-python": ">=3.9,<4",
        size: keys["size"],
        "upload-time": "2024-05-06T07:08:09.123456Z",
        yanked: 'breaks "everything" <b>',
        "core-metadata": keys["core-metadata"],
        "data-dist-info-metadata": keys["core-metadata"],
        provenance: `http://registry.test/pypi/mirror/integrity/${NAME}/2.0/${fileName}/provenance`,
        "gpg-sig": true,
        url: `${FILES}/${NAME}/2.0/${fileName}`,
      },
    ]);
    const html = await (await get(`/simple/${NAME}/`)).text();
    expect(html).toContain(`#sha256=${sha256Of(file.bytes)}"`);
    expect(html).toContain('data-yanked="breaks &quot;everything&quot; &lt;b&gt;"');
    expect(html).toContain('data-requires-python="&gt;=3.9,&lt;4"');
    expect(html).toContain(`data-core-metadata="sha256=${sha256Of(Buffer.from(metadata))}"`);
    expect(html).toContain('data-gpg-sig="true"');
    expect(html).not.toContain(upstream.url);
  });

  test("passes on the status of the project, what it tracks and where else it is", async () => {
    serveProject(upstream, NAME, [one], {
      meta: { "api-version": "1.4", tracks: ["https://example.org/simple/demo-pkg/"] },
      "alternate-locations": ["https://example.com/simple/demo-pkg/"],
      "project-status": { status: "archived", reason: "use another" },
    });
    expect(await simple()).toMatchObject({
      meta: { tracks: ["https://example.org/simple/demo-pkg/"] },
      "alternate-locations": ["https://example.com/simple/demo-pkg/"],
      "project-status": { status: "archived", reason: "use another" },
    });
    const html = await (await get(`/simple/${NAME}/`)).text();
    expect(html).toContain('<meta name="pypi:project-status" content="archived">');
    expect(html).toContain(
      '<meta name="pypi:tracks" content="https://example.org/simple/demo-pkg/">',
    );
  });

  test("is asked for by the normal form of its name, in JSON if the upstream has it, and once", async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => page()));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    registry.clock.aheadMs += 59_000;
    await simple();
    expect(upstream.received.map(({ path }) => path)).toEqual([pagePath(NAME)]);
    expect(upstream.received[0]?.headers.accept).toMatch(
      /^application\/vnd\.pypi\.simple\.v1\+json,/,
    );
    const redirected = await get("/simple/Demo.Pkg/");
    expect(redirected.headers.get("location")).toBe(`/pypi/mirror/simple/${NAME}/`);
  });

  test("is revalidated by its ETag after its time, and shows what is new", async () => {
    const before = (await page()).headers.get("etag");
    registry.clock.aheadMs += 61_000;
    const after = await get(`/simple/${NAME}/`, {
      accept: JSON_TYPE,
      "if-none-match": before ?? "",
    });
    expect(after.status).toBe(304);
    expect(upstream.received.at(-1)?.headers["if-none-match"]).toBeDefined();
    serveProject(upstream, NAME, [one, two, indexedWheel(NAME, "1.2")]);
    registry.clock.aheadMs += 61_000;
    expect((await simple()).versions).toEqual(["1.0", "1.1", "1.2"]);
  });

  test("that the upstream has not is 404, and asked for again only after a while", async () => {
    expect((await page("no-such")).status).toBe(404);
    expect((await page("no-such")).status).toBe(404);
    expect(upstream.requests(pagePath("no-such"))).toBe(1);
    serveProject(upstream, "no-such", [indexedWheel("no-such", "1.0")]);
    registry.clock.aheadMs += 31_000;
    expect((await page("no-such")).status).toBe(200);
  });

  test("leaves out what is no wheel or sdist of the project, and cannot be fetched or known", async () => {
    const odd = (fileName: string, keys = {}): IndexedFile => ({ ...one, fileName, keys });
    serveProject(upstream, NAME, [
      one,
      odd("demo_pkg-1.0-py3.6.egg"),
      odd("demo_pkg-1.0.win32.exe"),
      odd("demo-pkg-2004d.tar.gz"),
      odd("other-1.0-py3-none-any.whl"),
      odd("../../etc/demo_pkg-1.0.tar.gz"),
      odd("demo_pkg-2.0.tar.gz", { url: "file:///etc/passwd" }),
      odd("demo_pkg-2.1.tar.gz", { url: 7 }),
      odd("demo_pkg-2.2.tar.gz", { hashes: { sha256: "nonsense" } }),
      odd(one.fileName, { hashes: { sha256: "0".repeat(64) } }),
    ]);
    const document = await simple();
    expect(namesIn(document)).toEqual([one.fileName]);
    expect(document.files[0].hashes).toEqual({ sha256: sha256Of(one.bytes) });
  });

  test("does not say what its upstream does not: without sizes it is of the API before PEP 700", async () => {
    serveProject(upstream, NAME, [
      indexedWheel(NAME, "1.0", { size: undefined, "upload-time": undefined, yanked: true }),
    ]);
    const { meta, files } = await simple();
    expect(meta["api-version"]).toBe("1.0");
    expect(files[0]).not.toHaveProperty("size");
    expect(files[0]).not.toHaveProperty("upload-time");
    expect(files[0].yanked).toBe(true);
    expect(await (await get(`/simple/${NAME}/`)).text()).toContain('data-yanked=""');
  });

  test.each<[string, Behaviour]>([
    ...FAILING_ANSWERS,
    ["broken JSON", answer(BROKEN.json, JSON_ANSWER)],
    ["broken HTML", answer(BROKEN.html, HTML_ANSWER)],
    [
      "a page that ends between its links",
      answer(
        '<!DOCTYPE html><html><body>\n<a href="demo_pkg-1.0.tar.gz">demo_pkg-1.0.tar.gz</a>',
        HTML_ANSWER,
      ),
    ],
    [
      "a page to sign in at",
      answer('<html><body><a href="/login">Sign in</a></body></html>', HTML_ANSWER),
    ],
    ["no content type", answer("{}")],
    [
      "another project",
      answer('{"meta":{"api-version":"1.0"},"name":"other","files":[]}', JSON_ANSWER),
    ],
    [
      "an API that we do not know",
      answer(`{"meta":{"api-version":"2.0"},"name":"${NAME}","files":[]}`, JSON_ANSWER),
    ],
    ["a redirect to itself", redirect(pagePath(NAME))],
  ])(
    "is served from its copy, with a warning, when the upstream gives %s",
    async (_, behaviour) => {
      const before = await simple();
      upstream.on(pagePath(NAME), behaviour);
      registry.clock.aheadMs += 61_000;
      const stale = await page();
      expect(stale.status).toBe(200);
      expect(stale.headers.get("warning")).toContain("110");
      expect(await stale.json()).toEqual(before);
      serveProject(upstream, NAME, [one]);
      registry.clock.aheadMs += 61_000;
      const healed = await page();
      expect(healed.headers.get("warning")).toBeNull();
      expect((await jsonOf(healed)).versions).toEqual(["1.0"]);
    },
  );

  test.each<[string, Behaviour]>([
    ["500", answer("", { status: 500 })],
    ["403", answer("", { status: 403 })],
    ["broken JSON", answer(BROKEN.json, JSON_ANSWER)],
    ["broken HTML", answer(BROKEN.html, HTML_ANSWER)],
    ["a redirect to the metadata service", redirect("http://169.254.169.254/latest/meta-data/")],
    ["a bomb", gzipBomb(400 * 1024 * 1024, { "content-type": JSON_TYPE })],
    ["a page without end", endless()],
    [
      "a page too large",
      answer(`{"meta":{"api-version":"1.0"},"files":[]}${" ".repeat(33 * 1024 ** 2)}`, JSON_ANSWER),
    ],
    ["links without end", answer("<a href=x.whl></a>".repeat(50_001), HTML_ANSWER)],
  ])("is 502 with words, and no copy, when the first answer is %s", async (_, behaviour) => {
    upstream.on(pagePath("fresh"), behaviour);
    const response = await page("fresh");
    expect(response.status).toBe(502);
    expect(await response.text()).toContain('upstream \\"mirror\\"');
    serveProject(upstream, "fresh", [indexedWheel("fresh", "1.0")]);
    expect((await page("fresh")).status).toBe(200);
  });
});

describe("a proxied file", () => {
  test("is fetched once, verified and kept", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => download(one, "1.0")));
    for (const response of answers) expect(await bytesOf(response)).toEqual(one.bytes);
    expect(upstream.requests(filePath(one))).toBe(1);
    await upstream.close();
    registry.clock.aheadMs += 10 * DAY_MS;
    expect(await bytesOf(await download(one, "1.0"))).toEqual(one.bytes);
  });

  test("comes with its metadata and provenance, each by its own digest and at its own place", async () => {
    const metadata = metadataText({ name: NAME, version: "2.0", metadata: ["Summary: Words"] });
    const file = indexedWheel(NAME, "2.0", {
      "core-metadata": { sha256: sha256Of(Buffer.from(metadata)) },
      provenance: `${upstream.url}/integrity/2.0`,
    });
    serveProject(upstream, NAME, [file]);
    upstream.on(`${filePath(file)}.metadata`, wrongBytes(metadata));
    upstream.on("/integrity/2.0", answer('{"version":1,"attestation_bundles":[]}'));
    const at = `/files/${NAME}/2.0/${file.fileName}.metadata`;
    expect((await get(at)).status).toBe(502);
    upstream.on(`${filePath(file)}.metadata`, answer(metadata));
    expect(await (await get(at)).text()).toBe(metadata);
    const provenance = await get(`/integrity/${NAME}/2.0/${file.fileName}/provenance`);
    expect(await provenance.json()).toEqual({ version: 1, attestation_bundles: [] });
    expect(provenance.headers.get("content-type")).toContain("integrity.v1+json");
    expect(upstream.requests(filePath(file))).toBe(0);
    const { info, urls } = await jsonOf(await get(`/pypi/${NAME}/json`));
    expect(info).toMatchObject({ version: "2.0", summary: "Words" });
    expect(urls[0].digests).toEqual({ sha256: sha256Of(file.bytes) });
  });

  test.each(WRONG_FILES)("is 502 when the upstream sends %s, and heals", async (_, misbehave) => {
    upstream.on(filePath(one), misbehave(one.bytes));
    expect((await download(one, "1.0")).status).toBe(502);
    const { blobs } = await registry.stores.blobs.list({ limit: 10 });
    expect(blobs).toEqual([]);
    upstream.on(filePath(one), answer(one.bytes));
    expect(await bytesOf(await download(one, "1.0"))).toEqual(one.bytes);
  });

  test("that is larger than the upstream's limit is refused, and nothing is kept", async () => {
    await changeUpstream(registry, "mirror", { maxFileBytes: 100 });
    registry.clock.aheadMs += 10_000;
    expect((await download(one, "1.0")).status).toBe(502);
    expect((await registry.stores.blobs.list({ limit: 10 })).blobs).toEqual([]);
  });

  test("that its page has not is 404, and the upstream is not asked for it", async () => {
    upstream.on("/packages/ab/demo_pkg-7.0-py3-none-any.whl", answer("surprise"));
    const at = `/files/${NAME}/7.0/demo_pkg-7.0-py3-none-any.whl`;
    expect((await get(at)).status).toBe(404);
    expect((await get(`/files/${NAME}/1.0/${one.fileName}.metadata`)).status).toBe(404);
    expect(upstream.received.map(({ path }) => path)).toEqual([pagePath(NAME)]);
  });
});

describe("an upstream with pages of HTML only", () => {
  test("is read as clients read it: relative links, digests, entities, yanks", async () => {
    serveHtml(
      upstream,
      NAME,
      [
        "<!DOCTYPE html><html><head><title>Links</title>",
        '<meta name="pypi:repository-version" content="1.0"></head><body>',
        `<A HREF='../../packages/ab/${one.fileName}#sha256=${sha256Of(one.bytes)}' data-requires-python="&gt;=3.8">one</A>`,
        `<a href="/packages/ab/${two.fileName}#md5=${createHash("md5").update(two.bytes).digest("hex")}" data-yanked data-gpg-sig="false">two</a>`,
        `<!-- <a href="/packages/demo_pkg-9.0.tar.gz">no</a> -->`,
        '<a href="demo_pkg-3.0%2Blocal.tar.gz" data-dist-info-metadata="true">three</a>',
        '<a href="../">up</a><a>nowhere</a><a href="http://[">broken</a>',
        "</body></html>",
      ].join("\n"),
    );
    const document = await simple();
    expect(document.versions).toEqual(["1.0", "1.1", "3.0+local"]);
    const [first, second, third] = document.files;
    expect(first).toMatchObject({ "requires-python": ">=3.8", yanked: false });
    expect(second).toMatchObject({ yanked: true, "gpg-sig": false });
    expect(second.hashes).toEqual({ md5: createHash("md5").update(two.bytes).digest("hex") });
    expect(third).toMatchObject({ filename: "demo_pkg-3.0+local.tar.gz", "core-metadata": true });
    expect(await bytesOf(await download(one, "1.0"))).toEqual(one.bytes);
    upstream.on(filePath(two), wrongBytes(two.bytes));
    expect((await download(two, "1.1")).status).toBe(502);
    upstream.on(filePath(two), answer(two.bytes));
    expect(await bytesOf(await download(two, "1.1"))).toEqual(two.bytes);
    upstream.on(`${pagePath(NAME)}demo_pkg-3.0%2Blocal.tar.gz`, answer("three"));
    const at = `/files/${NAME}/3.0%2Blocal/demo_pkg-3.0%2Blocal.tar.gz`;
    expect(await (await get(at)).text()).toBe("three");
  });

  test("may give a base for its links, and its page may be empty", async () => {
    serveHtml(
      upstream,
      NAME,
      `<html><head><base href="${upstream.url}/packages/"></head><a href="ab/${one.fileName}">x</a></html>`,
    );
    expect(await bytesOf(await download(one, "1.0"))).toEqual(one.bytes);
    serveHtml(upstream, "empty", "<!DOCTYPE html><html><body></body></html>");
    expect((await page("empty")).status).toBe(404);
  });
});

describe("a proxy with a minimum age", () => {
  const young = new Date(Date.now() - 2 * DAY_MS).toISOString();

  test("hides files that are too young, also those that join an old release", async () => {
    const late = indexedWheel(NAME, "1.1", { "upload-time": young }, "cp312-cp312-linux_x86_64");
    const next = indexedWheel(NAME, "1.2", { "upload-time": young });
    serveProject(upstream, NAME, [one, two, late, next]);
    await changeRegistry(registry, "mirror", { minimumAgeDays: 7 });
    const document = await simple();
    expect(namesIn(document)).toEqual([one.fileName, two.fileName]);
    expect(document.versions).toEqual(["1.0", "1.1"]);
    expect(await (await get(`/simple/${NAME}/`)).text()).not.toContain(late.fileName);
    const { info, releases } = await jsonOf(await get(`/pypi/${NAME}/json`));
    expect(info.version).toBe("1.1");
    expect(releases["1.1"]).toHaveLength(1);
    expect((await get(`/pypi/${NAME}/1.2/json`)).status).toBe(404);
    expect((await download(late, "1.1")).status).toBe(404);
    expect((await download(next, "1.2")).status).toBe(404);
    registry.clock.aheadMs += 6 * DAY_MS;
    expect((await simple()).files).toHaveLength(4);
    expect((await download(late, "1.1")).status).toBe(200);
  });

  test("keeps a file hidden that was fetched before the rule came", async () => {
    const late = indexedWheel(NAME, "1.1", { "upload-time": young }, "cp312-cp312-linux_x86_64");
    serveProject(upstream, NAME, [two, late]);
    await bytesOf(await download(two, "1.1"));
    await bytesOf(await download(late, "1.1"));
    await changeRegistry(registry, "mirror", { minimumAgeDays: 7 });
    registry.clock.aheadMs += 10_000;
    expect((await download(two, "1.1")).status).toBe(200);
    expect((await download(late, "1.1")).status).toBe(404);
  });

  test("takes the time of a file's last change where the page has none, asked with HEAD", async () => {
    const links = [one, two].map(
      (file) => `<a href="../../packages/ab/${file.fileName}#sha256=${sha256Of(file.bytes)}">x</a>`,
    );
    serveHtml(upstream, NAME, `<html><body>${links.join("")}</body></html>`);
    const modified = (file: IndexedFile, time: string): void =>
      upstream.on(
        filePath(file),
        answer(file.bytes, { headers: { "last-modified": new Date(time).toUTCString() } }),
      );
    modified(one, LONG_AGO);
    modified(two, young);
    await changeRegistry(registry, "mirror", { minimumAgeDays: 7 });
    expect(namesIn(await simple())).toEqual([one.fileName]);
    expect((await download(one, "1.0")).status).toBe(200);
    expect((await download(two, "1.1")).status).toBe(404);
    const asked = upstream.received.filter(({ path }) => path === filePath(two));
    expect(asked.map(({ method }) => method)).toEqual(["HEAD"]);
    registry.clock.aheadMs += 6 * DAY_MS;
    expect((await simple()).versions).toEqual(["1.0", "1.1"]);
    expect((await download(two, "1.1")).status).toBe(200);
  });

  test("lets files of unknown age and exempt names through", async () => {
    const unknown = indexedWheel(NAME, "3.0", { "upload-time": undefined });
    serveProject(upstream, NAME, [unknown]);
    serveProject(upstream, "exempt", [indexedWheel("exempt", "1.0", { "upload-time": young })]);
    await changeRegistry(registry, "mirror", {
      minimumAgeDays: 7,
      minimumAgeExempt: ["Exempt"],
    });
    expect((await simple()).versions).toEqual(["3.0"]);
    expect((await download(unknown, "3.0")).status).toBe(200);
    expect((await simple("exempt")).versions).toEqual(["1.0"]);
  });
});

describe("a proxy", () => {
  test("that is switched offline serves what it has, and asks for nothing", async () => {
    await simple();
    await bytesOf(await download(one, "1.0"));
    await changeUpstream(registry, "mirror", { offline: true });
    registry.clock.aheadMs += DAY_MS;
    const asked = upstream.requests();
    expect((await simple()).versions).toEqual(["1.0", "1.1"]);
    expect((await download(one, "1.0")).status).toBe(200);
    expect((await download(two, "1.1")).status).toBe(502);
    expect((await page("other")).status).toBe(404);
    expect(upstream.requests()).toBe(asked);
  });

  test("lists the projects that it has files of", async () => {
    await simple();
    const names = async (): Promise<Json> =>
      (await jsonOf(await get("/simple/", { accept: JSON_TYPE }))).projects;
    expect(await names()).toEqual([]);
    await bytesOf(await download(one, "1.0"));
    expect(await names()).toEqual([{ name: NAME }]);
    expect(await (await get("/simple/")).text()).toContain(`href="${NAME}/"`);
  });

  test("shows one release in the JSON API by any spelling, and falls back to what the page says", async () => {
    const file = indexedWheel(NAME, "1.0", {
      "requires-python": ">=3.9",
      "core-metadata": { sha256: "0".repeat(64) },
    });
    serveProject(upstream, NAME, [file]);
    const { info, urls } = await jsonOf(await get(`/pypi/${NAME}/1.0.0/json`));
    expect(info).toMatchObject({ version: "1.0", requires_python: ">=3.9", summary: "" });
    expect(urls).toEqual([
      expect.objectContaining({
        filename: file.fileName,
        packagetype: "bdist_wheel",
        size: file.bytes.length,
        upload_time_iso_8601: LONG_AGO,
        url: `${FILES}/${NAME}/1.0/${file.fileName}`,
      }),
    ]);
    expect((await get(`/pypi/${NAME}/9/json`)).status).toBe(404);
  });

  test("takes no uploads", async () => {
    const form = new FormData();
    form.append(":action", "file_upload");
    form.append("content", new Blob(["x"]), one.fileName);
    const body = new Response(form);
    const response = await registry.request("/pypi/mirror/", {
      method: "POST",
      headers: { "content-type": body.headers.get("content-type") ?? "" },
      body: await body.arrayBuffer(),
    });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("proxy");
  });

  test("asks with its credentials, and gives them to nobody else", async () => {
    await using elsewhere = await startUpstream();
    elsewhere.on("/file", answer(one.bytes));
    await changeUpstream(registry, "mirror", {
      auth: { kind: "basic", username: "__token__" },
      secret: "upstream-secret-token",
    });
    upstream.on(
      pagePath(NAME),
      answer(
        jsonPage(upstream, NAME, [{ ...one, keys: { ...one.keys, url: `${elsewhere.url}/file` } }]),
        {
          headers: { "content-type": JSON_TYPE },
        },
      ),
    );
    expect((await download(one, "1.0")).status).toBe(200);
    expect(upstream.received[0]?.headers.authorization).toMatch(/^Basic /);
    expect(elsewhere.received[0]?.headers.authorization).toBeUndefined();
  });
});
