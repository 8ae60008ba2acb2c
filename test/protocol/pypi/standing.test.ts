import { expect, test } from "vitest";
import { buildWheel } from "../../support/python-package.ts";
import { createComposite } from "../../support/upstreams.ts";
import { openPypiRegistry, type PypiRegistry } from "./pypi-registry.ts";

const DEMO = { name: "demo", version: "1.0", metadata: ["Summary: A demo"] } as const;
const NEXT = { ...DEMO, version: "2.0" } as const;
const FILE = "/files/demo/1.0/demo-1.0-py3-none-any.whl";

async function openDemo(change: object): Promise<PypiRegistry> {
  const pypi = await openPypiRegistry();
  await pypi.upload(DEMO);
  const answer = await pypi.api("PATCH", "/demo", change);
  expect(answer.status, answer.text).toBe(200);
  return pypi;
}

test("a project without a status is active", async () => {
  await using pypi = await openPypiRegistry();
  await pypi.upload(DEMO);
  expect((await pypi.api("GET", "/demo")).json).toMatchObject({
    status: "active",
    statusReason: "",
    tracks: [],
    alternateLocations: [],
  });
  expect((await pypi.simple("demo"))["project-status"]).toEqual({ status: "active" });
});

test("an archived project says so, takes no uploads, and offers its files", async () => {
  await using pypi = await openDemo({ status: "archived", statusReason: 'use "other" <now>' });
  expect((await pypi.simple("demo"))["project-status"]).toEqual({
    status: "archived",
    reason: 'use "other" <now>',
  });
  const { text } = await pypi.get("/simple/demo/");
  expect(text).toContain('<meta name="pypi:project-status" content="archived">');
  expect(text).toContain(
    '<meta name="pypi:project-status-reason" content="use &quot;other&quot; &lt;now&gt;">',
  );
  const before = await pypi.blobs();
  for (const [project, file] of [
    [NEXT, buildWheel(NEXT)],
    [DEMO, buildWheel(DEMO, "cp312-cp312-win32")],
  ] as const) {
    const refused = await pypi.upload(project, file);
    expect(refused.status).toBe(403);
    expect(refused.text).toContain('archived and takes no uploads: use "other" <now>');
  }
  expect(await pypi.blobs()).toEqual(before);
  expect((await pypi.get(FILE)).status).toBe(200);
  await pypi.api("PATCH", "/demo", { status: "active" });
  expect((await pypi.simple("demo"))["project-status"]).toEqual({ status: "active" });
  expect((await pypi.upload(NEXT)).status).toBe(200);
});

test("a deprecated project only says so, through uploads and deletions too", async () => {
  await using pypi = await openDemo({ status: "deprecated", statusReason: "old" });
  expect((await pypi.upload(NEXT)).status).toBe(200);
  const told = { status: "deprecated", reason: "old" };
  expect((await pypi.simple("demo"))["project-status"]).toEqual(told);
  await pypi.api("DELETE", "/demo");
  await pypi.api("POST", "/demo/restore");
  expect((await pypi.simple("demo"))["project-status"]).toEqual(told);
  expect((await pypi.get("/simple/demo/")).text).toContain('content="deprecated"');
});

test("a project in quarantine offers no files anywhere, and takes none", async () => {
  await using pypi = await openDemo({ status: "quarantined", statusReason: "steals tokens" });
  const page = await pypi.simple("demo");
  expect(page.files).toEqual([]);
  expect(page["project-status"]).toEqual({ status: "quarantined", reason: "steals tokens" });
  expect((await pypi.get("/simple/demo/")).text).not.toContain("<a ");
  for (const path of [FILE, `${FILE}.metadata`]) {
    const answer = await pypi.get(path);
    expect(answer.status).toBe(403);
    expect(answer.text).toContain("in quarantine");
  }
  for (const path of ["/pypi/demo/json", "/pypi/demo/1.0/json"]) {
    expect((await pypi.get(path)).status).toBe(404);
  }
  expect((await pypi.upload(NEXT)).status).toBe(403);
  // What changes meanwhile brings nothing back.
  await pypi.api("PUT", "/demo/versions/1.0/deprecation", { message: "bad" });
  expect((await pypi.simple("demo")).files).toEqual([]);
});

test("a project in quarantine offers no files through a composite either", async () => {
  await using pypi = await openDemo({});
  await createComposite(pypi.test, { slug: "all", ecosystem: "pypi", upstreams: ["py"] });
  const status = async (path: string) => (await pypi.test.request(`/pypi/all${path}`)).status;
  expect(await status(FILE)).toBe(200);
  await pypi.api("PATCH", "/demo", { status: "quarantined" });
  expect(await status(FILE)).toBe(403);
  expect(await status(`${FILE}.metadata`)).toBe(403);
  expect(await status("/simple/demo/")).toBe(404);
});

test("a project comes out of quarantine as it went in", async () => {
  await using pypi = await openPypiRegistry();
  await pypi.upload({ ...DEMO, description: "# Demo\n" });
  const page = await pypi.simple("demo");
  const api = (await pypi.get("/pypi/demo/json")).json;
  await pypi.api("PATCH", "/demo", { status: "quarantined" });
  await pypi.api("PATCH", "/demo", { status: "active" });
  expect(await pypi.simple("demo")).toEqual({
    ...page,
    meta: { ...page.meta, "_last-serial": 3 },
  });
  expect((await pypi.get("/pypi/demo/json")).json).toEqual({ ...api, last_serial: 3 });
  expect((await pypi.get(FILE)).status).toBe(200);
});

test("quarantine, and its end, take the right to delete", async () => {
  await using pypi = await openDemo({});
  const token = await pypi.token(["packages:write"]);
  const patch = (change: object) => pypi.api("PATCH", "/demo", change, token);
  expect((await patch({ status: "archived" })).status).toBe(200);
  expect((await patch({ status: "quarantined" })).status).toBe(403);
  await pypi.api("PATCH", "/demo", { status: "quarantined" });
  expect((await patch({ status: "active" })).status).toBe(403);
  const reader = await pypi.token(["packages:read"]);
  expect((await pypi.api("PATCH", "/demo", { status: "active" }, reader)).status).toBe(403);
});

test("tracked and alternate locations (PEP 708) stand on both pages", async () => {
  const tracks = ["https://pypi.org/simple/demo/"];
  const alternateLocations = ["https://a.test/simple/demo/", "https://b.test/simple/demo/"];
  await using pypi = await openDemo({ tracks, alternateLocations });
  const page = await pypi.simple("demo");
  expect(page.meta.tracks).toEqual(tracks);
  expect(page["alternate-locations"]).toEqual(alternateLocations);
  const { text } = await pypi.get("/simple/demo/");
  expect(text).toContain(`<meta name="pypi:tracks" content="${tracks[0]}">`);
  for (const url of alternateLocations) {
    expect(text).toContain(`<meta name="pypi:alternate-locations" content="${url}">`);
  }
  expect((await pypi.api("GET", "/demo")).json).toMatchObject({ tracks, alternateLocations });
});

test.each([
  [{ status: "gone" }],
  [{ status: 1 }],
  [{ tracks: ["ftp://a.test/"] }],
  [{ tracks: ["javascript:alert(1)"] }],
  [{ alternateLocations: Array.from({ length: 21 }, (_, n) => `https://a.test/${n}/`) }],
  [{ statusReason: "x".repeat(2001) }],
  [{ unknown: true }],
])("a change to %j is refused", async (change) => {
  await using pypi = await openDemo({});
  expect((await pypi.api("PATCH", "/demo", change)).status).toBe(400);
});

test("a package that does not exist, or of an ecosystem without statuses, has none", async () => {
  await using pypi = await openPypiRegistry();
  expect((await pypi.api("PATCH", "/demo", { status: "archived" })).status).toBe(404);
  await pypi.test.createRegistry({ slug: "files", ecosystem: "generic" });
  const answer = await pypi.test.request("/api/v1/registries/files/packages/demo", {
    method: "PATCH",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ status: "archived" }),
  });
  expect(answer.status).toBe(400);
  expect(await answer.text()).toContain("have no status");
});
