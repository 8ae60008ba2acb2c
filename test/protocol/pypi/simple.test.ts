import { expect, test } from "vitest";
import { buildWheel } from "../../support/python-package.ts";
import { BASE_URL, JSON_TYPE, openPypiRegistry } from "./pypi-registry.ts";

const DEMO = {
  name: "demo",
  version: "1.0+local.1",
  metadata: ["Requires-Python: >=3.9,<\"4\"&'x'"],
} as const;

test("names that are not normalised are redirected, and nothing else is", async () => {
  await using pypi = await openPypiRegistry();
  await pypi.upload(DEMO);
  for (const path of ["/simple/Demo/", "/simple/demo", "/simple/DEMO"]) {
    const answer = await pypi.get(path);
    expect(answer.status).toBe(301);
    expect(answer.headers.get("location")).toBe("/pypi/py/simple/demo/");
  }
  expect((await pypi.get("/simple")).headers.get("location")).toBe("/pypi/py/simple/");
  expect((await pypi.get("/simple/other/")).status).toBe(404);
  expect((await pypi.get("/simple/-x-/")).status).toBe(400);
});

test.each([
  [undefined, "text/html; charset=utf-8"],
  ["*/*", "text/html; charset=utf-8"],
  ["image/png", "text/html; charset=utf-8"],
  [JSON_TYPE, JSON_TYPE],
  ["application/vnd.pypi.simple.latest+json", JSON_TYPE],
  ["application/vnd.pypi.simple.v1+html", "application/vnd.pypi.simple.v1+html"],
  [`${JSON_TYPE}, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01`, JSON_TYPE],
  [`${JSON_TYPE};q=0.1, text/html`, "text/html; charset=utf-8"],
])("Accept %s is answered with %s", async (accept, type) => {
  await using pypi = await openPypiRegistry();
  await pypi.upload(DEMO);
  for (const path of ["/simple/demo/", "/simple/"]) {
    const answer = await pypi.get(path, accept === undefined ? {} : { accept });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe(type);
    expect(answer.headers.get("vary")).toMatch(/^Accept/);
  }
});

test("what a package says cannot break out of the page", async () => {
  await using pypi = await openPypiRegistry();
  await pypi.upload(DEMO);
  const { text } = await pypi.get("/simple/demo/");
  expect(text).toContain('data-requires-python="&gt;=3.9,&lt;&quot;4&quot;&amp;&#39;x&#39;"');
  expect(text).toContain(`href="${BASE_URL}/pypi/py/files/demo/1.0%2Blocal.1/`);
});

test("links start with the host name that the client came by, in HTML too", async () => {
  await using pypi = await openPypiRegistry({ trustProxy: true });
  await pypi.upload(DEMO);
  const headers = { "x-forwarded-host": "pypi.acme.test", "x-forwarded-proto": "https" };
  const html = await pypi.get("/simple/demo/", headers);
  expect(html.text).toContain('href="https://pypi.acme.test/pypi/py/files/demo/');
  const json = await pypi.get("/simple/demo/", { ...headers, accept: JSON_TYPE });
  expect(json.json.files[0].url).toMatch(/^https:\/\/pypi\.acme\.test\/pypi\/py\/files\/demo\//);
});

test("a page that the client has is 304", async () => {
  await using pypi = await openPypiRegistry();
  await pypi.upload(DEMO);
  for (const path of ["/simple/demo/", "/pypi/demo/json"]) {
    const { headers } = await pypi.get(path);
    const again = await pypi.get(path, { "if-none-match": headers.get("etag") ?? "" });
    expect(again.status).toBe(304);
  }
});

test("yanked releases are marked with their reason, and come back", async () => {
  await using pypi = await openPypiRegistry();
  await pypi.upload({ ...DEMO, version: "1.0" });
  await pypi.upload({ ...DEMO, version: "2.0" });
  const yanked = await pypi.api("PUT", "/demo/versions/2.0/deprecation", {
    message: 'breaks "x"',
  });
  expect(yanked.status).toBe(200);
  const [first, second] = (await pypi.simple("demo")).files;
  expect([first.yanked, second.yanked]).toEqual([false, 'breaks "x"']);
  expect((await pypi.get("/simple/demo/")).text).toContain('data-yanked="breaks &quot;x&quot;"');
  const { urls } = (await pypi.get("/pypi/demo/2.0/json")).json;
  expect(urls[0]).toMatchObject({ yanked: true, yanked_reason: 'breaks "x"' });
  const late = buildWheel({ ...DEMO, version: "2.0" }, "cp312-cp312-win32");
  expect((await pypi.upload({ ...DEMO, version: "2.0" }, late)).status).toBe(200);
  expect((await pypi.simple("demo")).files[2].yanked).toBe('breaks "x"');
  await pypi.api("DELETE", "/demo/versions/2.0/deprecation");
  const files = (await pypi.simple("demo")).files;
  expect(files.map((file: { yanked: unknown }) => file.yanked)).toEqual([false, false, false]);
});

test("a deleted release is gone, never published again, and can be restored", async () => {
  await using pypi = await openPypiRegistry();
  await pypi.upload({ ...DEMO, version: "1.0" });
  await pypi.upload({ ...DEMO, version: "2.0" });
  await pypi.api("DELETE", "/demo/versions/2.0?confirm=2.0");
  expect((await pypi.simple("demo")).versions).toEqual(["1.0"]);
  expect((await pypi.get("/pypi/demo/json")).json.info.version).toBe("1.0");
  const again = await pypi.upload({ ...DEMO, version: "2.0" });
  expect(again.status).toBe(400);
  expect(again.text).toContain("already exist");
  await pypi.api("POST", "/demo/versions/2.0/restore");
  expect((await pypi.simple("demo")).versions).toEqual(["1.0", "2.0"]);
  expect((await pypi.api("GET", "/demo/tags")).json.items ?? []).toEqual([]);
});
