import { expect, test } from "vitest";
import { buildSdist, buildWheel } from "../../support/python-package.ts";
import { type Json, openPypiRegistry, type PypiRegistry } from "./pypi-registry.ts";

const DEMO = { name: "demo", version: "1.0", description: "# One\n" } as const;
const NEXT = { ...DEMO, version: "2.0", description: "# Two\n" } as const;
const WHEEL = "demo-1.0-py3-none-any.whl";
const WINDOWS = "demo-1.0-cp312-cp312-win32.whl";
const SDIST = "demo-1.0.tar.gz";

/** A release of two wheels and an sdist. */
async function openRelease(): Promise<PypiRegistry> {
  const pypi = await openPypiRegistry();
  for (const file of [
    buildWheel(DEMO),
    buildWheel(DEMO, "cp312-cp312-win32"),
    await buildSdist({ ...DEMO, metadata: ["Dynamic: Requires-Dist"] }),
  ]) {
    expect((await pypi.upload(DEMO, file)).status).toBe(200);
  }
  return pypi;
}

const yankedOf = (page: Json): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    page.files.map((file: { filename: string; yanked: unknown }) => [file.filename, file.yanked]),
  );

test("one file of a release is yanked with its reason, and comes back", async () => {
  await using pypi = await openRelease();
  const yank = { message: 'crashes "x"', file: WINDOWS };
  expect((await pypi.api("PUT", "/demo/versions/1.0/deprecation", yank)).status).toBe(200);
  const yanked = { [WHEEL]: false, [WINDOWS]: 'crashes "x"', [SDIST]: false };
  expect(yankedOf(await pypi.simple("demo"))).toEqual(yanked);
  const { text } = await pypi.get("/simple/demo/");
  expect(text.match(/data-yanked="[^"]*"/g)).toEqual(['data-yanked="crashes &quot;x&quot;"']);
  const { info, urls } = (await pypi.get("/pypi/demo/1.0/json")).json;
  expect(info.yanked).toBe(false);
  expect(urls.map((file: Json) => file.yanked_reason)).toEqual([null, 'crashes "x"', null]);
  // With the release all are, and behind it this one is still.
  await pypi.api("PUT", "/demo/versions/1.0/deprecation", { message: "all" });
  expect(yankedOf(await pypi.simple("demo"))).toEqual({
    [WHEEL]: "all",
    [WINDOWS]: "all",
    [SDIST]: "all",
  });
  await pypi.api("DELETE", "/demo/versions/1.0/deprecation");
  expect(yankedOf(await pypi.simple("demo"))).toEqual(yanked);
  await pypi.api("DELETE", `/demo/versions/1.0/deprecation?file=${WINDOWS}`);
  expect(Object.values(yankedOf(await pypi.simple("demo")))).toEqual([false, false, false]);
});

test("a file that is not there cannot be yanked, nor what lies beside one", async () => {
  await using pypi = await openRelease();
  for (const file of ["other.whl", `${WHEEL}.metadata`]) {
    const body = { message: "bad", file };
    expect((await pypi.api("PUT", "/demo/versions/1.0/deprecation", body)).status).toBe(404);
    expect((await pypi.api("DELETE", `/demo/versions/1.0/files/${file}`)).status).toBe(404);
  }
});

test("one file of a release is deleted with what lies beside it, and counts no more", async () => {
  await using pypi = await openRelease();
  expect((await pypi.api("DELETE", `/demo/versions/1.0/files/${WINDOWS}`)).status).toBe(204);
  expect(Object.keys(yankedOf(await pypi.simple("demo")))).toEqual([WHEEL, SDIST]);
  expect((await pypi.get("/simple/demo/")).text).not.toContain(WINDOWS);
  expect((await pypi.get("/pypi/demo/json")).json.urls).toHaveLength(2);
  for (const path of [WINDOWS, `${WINDOWS}.metadata`]) {
    expect((await pypi.get(`/files/demo/1.0/${path}`)).status).toBe(404);
  }
  const { items } = (await pypi.api("GET", "/demo/versions/1.0/files")).json;
  const version = (await pypi.api("GET", "/demo/versions/1.0")).json;
  expect(version.fileCount).toBe(items.length);
  const bytes = items.reduce((sum: number, file: Json) => sum + file.sizeBytes, 0);
  expect(version.sizeBytes).toBe(bytes);
});

test("the name of a deleted file is never used for other bytes; the same may come back", async () => {
  await using pypi = await openRelease();
  await pypi.api("DELETE", `/demo/versions/1.0/files/${WINDOWS}`);
  const before = await pypi.blobs();
  const others = buildWheel({ ...DEMO, files: { "x.py": "" } }, "cp312-cp312-win32");
  const refused = await pypi.upload(DEMO, others);
  expect(refused.status).toBe(400);
  expect(refused.text).toContain("was published before");
  expect(await pypi.blobs()).toEqual(before);
  const again = await pypi.upload(DEMO, buildWheel(DEMO, "cp312-cp312-win32"));
  expect(again.status).toBe(200);
  expect(Object.keys(yankedOf(await pypi.simple("demo")))).toEqual([WHEEL, SDIST, WINDOWS]);
});

test("with its last file the release goes, and can be restored", async () => {
  await using pypi = await openPypiRegistry();
  await pypi.upload(DEMO);
  await pypi.upload(NEXT);
  expect((await pypi.api("DELETE", `/demo/versions/1.0/files/${WHEEL}`)).status).toBe(204);
  expect((await pypi.simple("demo")).versions).toEqual(["2.0"]);
  await pypi.api("POST", "/demo/versions/1.0/restore");
  expect((await pypi.get(`/files/demo/1.0/${WHEEL}`)).status).toBe(200);
});

test("two files deleted at once are both gone, and two last ones take the release with them", async () => {
  await using pypi = await openRelease();
  const files = [WHEEL, WINDOWS, SDIST];
  const answers = await Promise.all(
    files.map((file) => pypi.api("DELETE", `/demo/versions/1.0/files/${file}`)),
  );
  expect(answers.map(({ status }) => status)).toEqual([204, 204, 204]);
  expect((await pypi.get("/simple/demo/")).status).toBe(404);
});

test("deleting takes its right", async () => {
  await using pypi = await openRelease();
  const token = await pypi.token(["packages:write"]);
  const path = `/demo/versions/1.0/files/${WHEEL}`;
  expect((await pypi.api("DELETE", path, undefined, token)).status).toBe(403);
});

test("the JSON API tells of the newest release that was not yanked, description and all", async () => {
  await using pypi = await openPypiRegistry();
  await pypi.upload(DEMO);
  await pypi.upload(NEXT);
  const told = async () => {
    const { info, urls } = (await pypi.get("/pypi/demo/json")).json;
    return [info.version, info.description, info.yanked, urls[0].filename];
  };
  const one = ["1.0", "# One\n", false, WHEEL];
  const two = ["2.0", "# Two\n", false, "demo-2.0-py3-none-any.whl"];
  expect(await told()).toEqual(two);
  await pypi.api("PUT", "/demo/versions/2.0/deprecation", { message: "bad" });
  expect(await told()).toEqual(one);
  expect((await pypi.api("GET", "/demo")).json.latestVersion).toBe("1.0");
  // Where all were yanked, the newest of them.
  await pypi.api("PUT", "/demo/versions/1.0/deprecation", { message: "bad" });
  expect((await told()).slice(0, 3)).toEqual(["2.0", "# Two\n", true]);
  // A lower version that was not is the latest.
  const lower = { ...DEMO, version: "0.9", description: "" };
  await pypi.upload(lower);
  expect((await told()).slice(0, 3)).toEqual(["0.9", "", false]);
  await pypi.api("DELETE", "/demo/versions/2.0/deprecation");
  expect(await told()).toEqual(two);
  await pypi.api("DELETE", "/demo/versions/2.0");
  await pypi.api("DELETE", "/demo/versions/1.0/deprecation");
  expect(await told()).toEqual(one);
});

test("a description is known of an sdist too whose metadata installers must not use", async () => {
  await using pypi = await openPypiRegistry();
  const dynamic = { ...DEMO, metadata: ["Dynamic: Requires-Dist"] };
  await pypi.upload(dynamic, await buildSdist(dynamic));
  await pypi.upload(NEXT);
  await pypi.api("DELETE", "/demo/versions/2.0");
  expect((await pypi.get("/pypi/demo/json")).json.info.description).toBe("# One\n");
  expect((await pypi.get("/pypi/demo/1.0/json")).json.info.description).toBe("# One\n");
  const [file] = (await pypi.simple("demo")).files;
  expect(file["core-metadata"]).toBe(false);
  expect((await pypi.get(`/files/demo/1.0/${SDIST}.metadata`)).status).toBe(404);
});
