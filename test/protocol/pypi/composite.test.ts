import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type MisbehavingUpstream, startUpstream } from "../../support/misbehaving-upstream.ts";
import { buildWheel, sha256Of } from "../../support/python-package.ts";
import { changeRegistry, createComposite, createProxy } from "../../support/upstreams.ts";
import { type Json, JSON_TYPE, openPypiRegistry, type PypiRegistry } from "./pypi-registry.ts";
import {
  type IndexedFile,
  indexedWheel,
  jsonOf,
  pagePath,
  serveProject,
} from "./upstream-pages.ts";

const NAME = "demo-pkg";

let upstream: MisbehavingUpstream;
let pypi: PypiRegistry;

beforeEach(async () => {
  upstream = await startUpstream();
  pypi = await openPypiRegistry();
  await createProxy(pypi.test, {
    slug: "mirror",
    ecosystem: "pypi",
    url: `${upstream.url}/simple`,
    upstream: { documentTtlSeconds: 0, missingTtlSeconds: 0 },
  });
  await createComposite(pypi.test, {
    slug: "all",
    ecosystem: "pypi",
    upstreams: ["py", "mirror"],
    publishTo: "py",
  });
});

afterEach(async () => {
  await pypi[Symbol.asyncDispose]();
  await upstream.close();
});

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  pypi.test.request(`/pypi${path}`, { headers });

async function simple(project = NAME, slug = "all"): Promise<Json> {
  const response = await get(`/${slug}/simple/${project}/`, { accept: JSON_TYPE });
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  return jsonOf(response);
}

const hashIn = ({ files }: Json, fileName: string): string =>
  files.find(({ filename }: Json) => filename === fileName)?.hashes.sha256;

describe("a composite of Python registries", () => {
  test("shows projects of its sources with links to itself, and their files", async () => {
    await pypi.upload({ name: NAME, version: "1.0", metadata: ["Requires-Python: >=3.9"] });
    const own = (await pypi.simple(NAME)).files[0];
    const document = await simple();
    expect(document.meta["api-version"]).toBe("1.4");
    expect(document.files).toEqual([
      { ...own, url: own.url.replace("/py/", "/all/"), provenance: null },
    ]);
    const { pathname } = new URL(document.files[0].url);
    expect((await pypi.test.request(pathname)).status).toBe(200);
    expect(await (await pypi.test.request(`${pathname}.metadata`)).text()).toContain("Name: ");
    const { info } = await jsonOf(await get(`/all/pypi/${NAME}/json`));
    expect(info).toMatchObject({ version: "1.0", requires_python: ">=3.9" });
  });

  test("asks no proxy for a name that a source has, in any spelling", async () => {
    await pypi.upload({ name: "Demo.Pkg", version: "1.0" });
    serveProject(upstream, NAME, [indexedWheel(NAME, "99.0")]);
    expect((await simple()).versions).toEqual(["1.0"]);
    expect((await get(`/all/files/${NAME}/99.0/demo_pkg-99.0-py3-none-any.whl`)).status).toBe(404);
    expect(upstream.requests()).toBe(0);
  });

  test("mixes both where a rule says so: a release is whole from the first that has it, however spelled", async () => {
    await pypi.upload({ name: NAME, version: "1.0" });
    const outside = [
      indexedWheel(NAME, "1.0.0", {}, "cp312-cp312-linux_x86_64"),
      indexedWheel(NAME, "1.0"),
      indexedWheel(NAME, "2.0"),
    ];
    serveProject(upstream, NAME, outside);
    await changeRegistry(pypi.test, "all", {
      packageRules: [{ pattern: "Demo_*", external: "allow" }],
    });
    const document = await simple();
    expect(document.versions).toEqual(["1.0", "2.0"]);
    const wheel = buildWheel({ name: NAME, version: "1.0" });
    expect(document.files).toHaveLength(2);
    expect(hashIn(document, wheel.fileName)).toBe(sha256Of(wheel.bytes));
    const served = await get(`/all/files/${NAME}/1.0/${wheel.fileName}`);
    expect(Buffer.from(await served.arrayBuffer()).equals(wheel.bytes)).toBe(true);
  });

  test("applies its minimum age to sources too, file by file", async () => {
    await pypi.upload({ name: NAME, version: "1.0" });
    pypi.test.clock.aheadMs += 10 * 86_400_000;
    const late = buildWheel({ name: NAME, version: "1.0" }, "cp312-cp312-linux_x86_64");
    await pypi.upload({ name: NAME, version: "1.0" }, late);
    await changeRegistry(pypi.test, "all", { minimumAgeDays: 7 });
    expect((await simple()).files).toHaveLength(1);
    const at = `/all/files/${NAME}/1.0/${late.fileName}`;
    expect((await get(at)).status).toBe(404);
    expect((await get(at.replace("/all/", "/py/"))).status).toBe(200);
    pypi.test.clock.aheadMs += 8 * 86_400_000;
    expect((await simple()).files).toHaveLength(2);
    expect((await get(at)).status).toBe(200);
  });

  test("lists what is in its sources and in its proxies' caches", async () => {
    await pypi.upload({ name: NAME, version: "1.0" });
    const other = indexedWheel("other", "1.0");
    serveProject(upstream, "other", [other]);
    await get(`/all/files/other/1.0/${other.fileName}`).then((answer) => answer.arrayBuffer());
    const index = await jsonOf(await get("/all/simple/", { accept: JSON_TYPE }));
    expect(index.projects).toEqual([{ name: NAME }, { name: "other" }]);
  });

  test("is not answered while a proxy that must be asked does not say", async () => {
    upstream.on(pagePath("other"), (_, response) => void response.writeHead(503).end());
    expect((await get("/all/simple/other/")).status).toBe(502);
  });

  test("publishes to its target", async () => {
    const { fileName, bytes } = buildWheel({ name: NAME, version: "1.0" });
    const form = new FormData();
    const fields = {
      ":action": "file_upload",
      protocol_version: "1",
      name: NAME,
      version: "1.0",
      filetype: "bdist_wheel",
      metadata_version: "2.4",
    };
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append("content", new Blob([new Uint8Array(bytes)]), fileName);
    const body = new Response(form);
    const answer = await pypi.test.request("/pypi/all/", {
      method: "POST",
      headers: { "content-type": body.headers.get("content-type") ?? "" },
      body: await body.arrayBuffer(),
    });
    expect(answer.status).toBe(200);
    expect((await pypi.simple(NAME)).versions).toEqual(["1.0"]);
    expect((await simple()).versions).toEqual(["1.0"]);
  });
});

type Step =
  | { readonly kind: "publish" | "release" | "yank"; readonly minor: number }
  | { readonly kind: "read" };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constantFrom("publish", "release", "yank"),
    minor: fc.integer({ min: 0, max: 4 }),
  }),
  fc.record({ kind: fc.constant("read") }),
);

test("whatever is published, released and yanked in whatever order, its page is that of a new composite", async () => {
  const rules = [{ pattern: "*", external: "allow" }];
  await changeRegistry(pypi.test, "all", { packageRules: rules });
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
      run += 1;
      const name = `random-${run}`;
      const outside = new Map<number, IndexedFile>();
      for (const one of steps) {
        if (one.kind === "read") {
          await get(`/all/simple/${name}/`, { accept: JSON_TYPE });
          continue;
        }
        const version = `1.${one.minor}`;
        if (one.kind === "publish") await pypi.upload({ name, version });
        else outside.set(one.minor, indexedWheel(name, version, { yanked: one.kind === "yank" }));
        serveProject(upstream, name, [...outside.values()]);
      }
      const slug = `anew-${run}`;
      const upstreams = ["py", "mirror"];
      await createComposite(pypi.test, {
        slug,
        ecosystem: "pypi",
        upstreams,
        packageRules: rules,
      });
      const both = await Promise.all(
        ["all", slug].map(async (from) => {
          const answer = await get(`/${from}/simple/${name}/`, { accept: JSON_TYPE });
          return `${answer.status} ${(await answer.text()).replaceAll(`/pypi/${from}/`, "/pypi/x/")}`;
        }),
      );
      expect(both[0]).toBe(both[1]);
    }),
    { numRuns: 25 },
  );
});
