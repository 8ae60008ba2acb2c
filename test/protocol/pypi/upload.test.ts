import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { startBlake2b256 } from "../../../functions/pypi/intake/distribution-intake.ts";
import {
  buildSdist,
  buildWheel,
  metadataText,
  sha256Of,
  uploadForm,
} from "../../support/python-package.ts";
import { takePypiUpload } from "../../../functions/pypi/upload-intake.ts";
import { FILE_DIGESTS, requireDigests } from "../../../shared/domain/digest.ts";
import { ADMIN_TOKEN } from "../../support/services.ts";
import { BASE_URL, openPypiRegistry } from "./pypi-registry.ts";

const DEMO = {
  name: "Acme.Demo_pkg",
  version: "1.0.0",
  metadata: ["Summary: A demo", "Requires-Python: >=3.9", "Requires-Dist: six>=1"],
  description: "# Demo\n",
} as const;

test("a wheel is published with the metadata in it, and downloaded as it was sent", async () => {
  await using pypi = await openPypiRegistry();
  const wheel = buildWheel(DEMO);
  const answer = await pypi.upload(DEMO, wheel);
  expect(answer.status).toBe(200);
  const metadata = { sha256: sha256Of(Buffer.from(metadataText(DEMO))) };
  expect(await pypi.simple("acme-demo-pkg")).toEqual({
    files: [
      {
        filename: "acme_demo_pkg-1.0.0-py3-none-any.whl",
        url: `${BASE_URL}/pypi/py/files/acme-demo-pkg/1.0.0/acme_demo_pkg-1.0.0-py3-none-any.whl`,
        hashes: { sha256: sha256Of(wheel.bytes) },
        "requires-python": ">=3.9",
        size: wheel.bytes.length,
        "upload-time": expect.stringMatching(/^20.*Z$/),
        yanked: false,
        "core-metadata": metadata,
        "data-dist-info-metadata": metadata,
        provenance: null,
      },
    ],
    meta: { "_last-serial": 1, "api-version": "1.4" },
    name: "acme-demo-pkg",
    versions: ["1.0.0"],
    "alternate-locations": [],
    "project-status": { status: "active" },
  });
  const path = `/files/acme-demo-pkg/1.0.0/${wheel.fileName}`;
  const file = await pypi.test.request(`/pypi/py${path}`);
  expect(Buffer.from(await file.arrayBuffer()).equals(wheel.bytes)).toBe(true);
  expect((await pypi.get(`${path}.metadata`)).text).toBe(metadataText(DEMO));
  const part = await pypi.get(path, { range: "bytes=0-3" });
  expect(part.status).toBe(206);
  expect(part.text).toBe("PK\u0003\u0004");
});

test("files join their release, and both pages show each once", async () => {
  await using pypi = await openPypiRegistry();
  const other = { ...DEMO, version: "1.1rc1" };
  const files = [
    buildWheel(DEMO),
    await buildSdist(DEMO),
    buildWheel(DEMO, "cp312-cp312-win_amd64"),
  ];
  await pypi.upload(DEMO, files[0]);
  await pypi.upload(other);
  for (const file of files.slice(1)) expect((await pypi.upload(DEMO, file)).status).toBe(200);
  const names = [...files.map(({ fileName }) => fileName), buildWheel(other).fileName].sort();
  const page = await pypi.simple("acme-demo-pkg");
  expect(page.files.map((file: { filename: string }) => file.filename).sort()).toEqual(names);
  expect(page.versions).toEqual(["1.0.0", "1.1rc1"]);
  const { text } = await pypi.get("/simple/acme-demo-pkg/");
  expect(
    [...text.matchAll(/>([^<]+)<\/a>/g)]
      .map(([, name = ""]) => name)
      .sort((a, b) => (a < b ? -1 : 1)),
  ).toEqual(names);
  const releases = (await pypi.get("/pypi/acme-demo-pkg/json")).json;
  expect(Object.keys(releases.releases)).toEqual(["1.0.0", "1.1rc1"]);
  expect(releases.releases["1.0.0"]).toHaveLength(3);
  expect(releases.urls).toEqual(releases.releases["1.0.0"]);
  expect(releases.info).toMatchObject({
    name: "Acme.Demo_pkg",
    version: "1.0.0",
    summary: "A demo",
    description: "# Demo\n",
    requires_dist: ["six>=1"],
  });
});

test("the same bytes again are 200, others are refused in the words that clients skip by", async () => {
  await using pypi = await openPypiRegistry();
  const wheel = buildWheel(DEMO);
  await pypi.upload(DEMO, wheel);
  const before = await pypi.blobs();
  expect((await pypi.upload(DEMO, wheel)).status).toBe(200);
  const others = { ...buildWheel({ ...DEMO, files: { "x.py": "" } }), fileName: wheel.fileName };
  const refused = await pypi.upload(DEMO, others);
  expect(refused.status).toBe(400);
  expect(refused.text).toContain("File already exists");
  const asJson = await pypi.post(uploadForm(DEMO, others), { accept: "application/json" });
  expect(asJson.json.code).toContain("400 File already exists");
  expect((await pypi.simple("acme-demo-pkg")).files).toHaveLength(1);
  expect(await pypi.blobs()).toEqual(before);
});

test("1.0 and 1.0.0 are one release, under the name that came first", async () => {
  await using pypi = await openPypiRegistry();
  await pypi.upload({ ...DEMO, version: "1.0" });
  const sdist = await buildSdist({ ...DEMO, version: "1.0.0" });
  expect((await pypi.upload({ ...DEMO, version: "1.0.0" }, sdist)).status).toBe(200);
  const page = await pypi.simple("acme-demo-pkg");
  expect(page.versions).toEqual(["1.0"]);
  expect(page.files).toHaveLength(2);
  expect((await pypi.get("/pypi/acme-demo-pkg/1/json")).json.urls).toHaveLength(2);
});

test("two files of a new release sent at once are both there", async () => {
  await using pypi = await openPypiRegistry();
  const files = ["py3-none-any", "cp311-abi3-linux_x86_64", "cp312-cp312-win32"].map((tags) =>
    buildWheel(DEMO, tags),
  );
  const answers = await Promise.all(files.map((file) => pypi.upload(DEMO, file)));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect((await pypi.simple("acme-demo-pkg")).files).toHaveLength(3);
});

test("all three digests are held against the bytes", async () => {
  await using pypi = await openPypiRegistry();
  const wheel = buildWheel(DEMO);
  const blake2 = (await startBlake2b256()).update(wheel.bytes).digest();
  const wrong = createHash("sha256").update("other").digest("hex");
  for (const fields of [
    { sha256_digest: wrong },
    { md5_digest: wrong.slice(0, 32) },
    { blake2_256_digest: wrong },
    { sha256_digest: "no digest" },
  ]) {
    expect((await pypi.upload(DEMO, wheel, fields)).status).toBe(400);
  }
  expect(await pypi.blobs()).toEqual([]);
  expect((await pypi.upload(DEMO, wheel, { blake2_256_digest: blake2 })).status).toBe(200);
  // Known of a file whose client sent none as well.
  expect((await pypi.upload({ ...DEMO, version: "0.9" })).status).toBe(200);
  const older = (await pypi.get("/pypi/acme-demo-pkg/0.9/json")).json;
  expect(older.urls[0].digests.blake2b_256).toMatch(/^[0-9a-f]{64}$/);
  const { urls } = (await pypi.get("/pypi/acme-demo-pkg/json")).json;
  expect(urls[0].digests.blake2b_256).toBe(blake2);
});

test("the metadata of an sdist is served apart only where it is final", async () => {
  await using pypi = await openPypiRegistry();
  const dynamic = { ...DEMO, metadata: ["Dynamic: Requires-Dist"] };
  await pypi.upload(dynamic, await buildSdist(dynamic));
  expect((await pypi.simple("acme-demo-pkg")).files[0]["core-metadata"]).toBe(false);
});

test("nobody uploads without the right to", async () => {
  await using pypi = await openPypiRegistry({}, { visibility: "public" });
  const response = await pypi.test.request("/pypi/py/", {
    method: "POST",
    body: uploadForm(DEMO, buildWheel(DEMO)),
    token: null,
  });
  expect(response.status).toBe(401);
  expect(response.headers.get("www-authenticate")).toMatch(/^Basic /);
});

test("a file that came by an upload ticket is checked and published like any other", async () => {
  await using pypi = await openPypiRegistry();
  const { services, stores } = pypi.test;
  const principal = await services.tokens.authenticate(ADMIN_TOKEN);
  if (principal === undefined) throw new Error("no admin");
  const caller = { principal, address: "", requestId: "", baseUrl: BASE_URL };
  const grant = await services.access.open(caller, "py", "pypi", "packages:write");
  const upload = async (
    { fileName, bytes }: { fileName: string; bytes: Buffer },
    version: string,
  ) => {
    const blob = await stores.blobs.put(bytes, { algorithms: FILE_DIGESTS });
    await takePypiUpload(services, grant, {
      packageName: "acme-demo-pkg",
      version,
      path: fileName,
      contentType: "application/octet-stream",
      sizeBytes: bytes.length,
      digests: requireDigests(blob.digests),
    });
  };
  const wheel = buildWheel(DEMO);
  await upload(wheel, "1.0.0");
  expect((await pypi.simple("acme-demo-pkg")).files[0]).toMatchObject({
    filename: wheel.fileName,
    "requires-python": ">=3.9",
  });
  const [{ digests }] = (await pypi.get("/pypi/acme-demo-pkg/json")).json.urls;
  expect(digests.blake2b_256).toBe((await startBlake2b256()).update(wheel.bytes).digest());
  const sdist = await buildSdist(DEMO);
  await expect(upload(sdist, "2.0")).rejects.toThrow(/of version 1\.0\.0/);
  const broken = { ...sdist, bytes: sdist.bytes.subarray(0, 40) };
  await expect(upload(broken, "1.0.0")).rejects.toThrow(/damaged|not read/);
});

test("published one by one or built anew, a page lists the same", async () => {
  await using pypi = await openPypiRegistry();
  const versions = ["1.0", "2.0rc1", "2.0"];
  for (const tags of ["py3-none-any", "cp312-cp312-win32"]) {
    for (const version of versions) {
      const project = { ...DEMO, version };
      await pypi.upload(project, buildWheel(project, tags));
    }
  }
  const grown = await pypi.simple("acme-demo-pkg");
  const grownApi = (await pypi.get("/pypi/acme-demo-pkg/json")).json;
  await pypi.api("PUT", "/acme-demo-pkg/versions/1.0/deprecation", { message: "old" });
  await pypi.api("DELETE", "/acme-demo-pkg/versions/1.0/deprecation");
  const rebuilt = await pypi.simple("acme-demo-pkg");
  const byName = (page: { files: { filename: string }[] }) =>
    page.files.toSorted((a, b) => (a.filename < b.filename ? -1 : 1));
  expect(byName(rebuilt)).toEqual(byName(grown));
  expect(rebuilt.versions).toEqual(grown.versions);
  expect((await pypi.get("/pypi/acme-demo-pkg/json")).json).toEqual({
    ...grownApi,
    last_serial: grownApi.last_serial + 2,
  });
});
