import { expect, test } from "vitest";
import { CountingTable } from "../../../shared/ports/counting-table.ts";
import { PackageListing } from "../../../shared/services/package-listing.ts";
import { WORKER } from "../../../shared/services/tokens.ts";
import { JSON_TYPE, openPypiRegistry, type PypiRegistry } from "./pypi-registry.ts";

const version = "1.0";

async function indexOf(pypi: PypiRegistry, headers: Record<string, string> = {}) {
  const answer = await pypi.get("/simple/", { accept: JSON_TYPE, ...headers });
  return answer.json;
}

const named = (...names: readonly string[]) => names.map((name) => ({ name }));

test("the index lists every project by name, as JSON and as HTML", async () => {
  await using pypi = await openPypiRegistry();
  expect(await indexOf(pypi)).toEqual({
    meta: { "_last-serial": 0, "api-version": "1.4" },
    projects: [],
  });
  await pypi.upload({ name: "b.demo", version });
  await pypi.upload({ name: "a-demo", version });
  expect(await indexOf(pypi)).toEqual({
    meta: { "_last-serial": 2, "api-version": "1.4" },
    projects: named("a-demo", "b-demo"),
  });
  const { text } = await pypi.get("/simple/");
  expect(text.match(/<a .*<\/a>/g)).toEqual([
    '<a href="a-demo/">a-demo</a>',
    '<a href="b-demo/">b-demo</a>',
  ]);
});

test("the index follows first uploads, deletions and restorations at once, and nothing else", async () => {
  await using pypi = await openPypiRegistry();
  await pypi.upload({ name: "demo", version });
  const first = await indexOf(pypi);
  await pypi.upload({ name: "demo", version: "2.0" });
  expect(await indexOf(pypi)).toEqual(first);
  await pypi.api("DELETE", "/demo");
  expect((await indexOf(pypi)).projects).toEqual([]);
  await pypi.api("POST", "/demo/restore");
  expect((await indexOf(pypi)).projects).toEqual(named("demo"));
  expect((await indexOf(pypi)).meta["_last-serial"]).toBe(3);
});

test("an index that the client has is 304, until a project joins", async () => {
  await using pypi = await openPypiRegistry();
  await pypi.upload({ name: "demo", version });
  for (const accept of [JSON_TYPE, "text/html"]) {
    const { headers } = await pypi.get("/simple/", { accept });
    const etag = headers.get("etag") ?? "";
    expect((await pypi.get("/simple/", { accept, "if-none-match": etag })).status).toBe(304);
    await pypi.upload({ name: `more-${accept.length}`, version });
    expect((await pypi.get("/simple/", { accept, "if-none-match": etag })).status).toBe(200);
  }
});

test("an index that did not change costs one read, however many ask and projects there are", async () => {
  await using pypi = await openPypiRegistry();
  for (let n = 0; n < 5; n++) await pypi.upload({ name: `demo-${n}`, version });
  const { registry } = await pypi.test.services.access.openAny(WORKER, "py");
  const table = new CountingTable(pypi.test.stores.table);
  const listing = new PackageListing({ ...pypi.test.stores, table });
  const read = () => listing.read(registry.id);
  const answers = await Promise.all(Array.from({ length: 4 }, read));
  for (const { names } of answers) expect(names).toHaveLength(5);
  expect(table.counts()).toMatchObject({ gets: 4, queries: 1 });
  table.reset();
  await read();
  expect(table.counts()).toMatchObject({ gets: 1, queries: 0, itemsRead: 1 });
});

test("a token for some projects sees those only, and leaves the index of others whole", async () => {
  await using pypi = await openPypiRegistry();
  await pypi.upload({ name: "mine", version });
  await pypi.upload({ name: "theirs", version });
  const token = await pypi.token(["packages:read"], ["mine"]);
  const authorization = `Bearer ${token}`;
  expect((await indexOf(pypi, { authorization })).projects).toEqual(named("mine"));
  expect((await indexOf(pypi)).projects).toEqual(named("mine", "theirs"));
  expect((await indexOf(pypi, { authorization })).projects).toEqual(named("mine"));
});

test("HEAD answers everything as GET does, without a body", async () => {
  await using pypi = await openPypiRegistry();
  await pypi.upload({ name: "demo", version });
  for (const path of [
    "/simple/",
    "/simple/demo/",
    "/pypi/demo/json",
    "/pypi/demo/1.0/json",
    "/files/demo/1.0/demo-1.0-py3-none-any.whl",
    "/files/demo/1.0/demo-1.0-py3-none-any.whl.metadata",
    "/_/oidc/audience",
  ]) {
    const got = await pypi.get(path);
    const head = await pypi.head(path);
    expect([head.status, head.text], path).toEqual([200, ""]);
    for (const name of ["content-type", "content-length", "etag", "vary"]) {
      expect(head.headers.get(name), `${name} of ${path}`).toBe(got.headers.get(name));
    }
  }
});
