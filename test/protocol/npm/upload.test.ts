import { expect, test } from "vitest";
import { FILE_DIGESTS, requireDigests } from "../../../shared/domain/digest.ts";
import { takeNpmUpload } from "../../../functions/npm/upload-intake.ts";
import { buildTarball, type PackageOptions } from "../../support/npm-package.ts";
import { ADMIN_TOKEN } from "../../support/services.ts";
import { BASE_URL, type NpmRegistry, openNpmRegistry } from "./npm-registry.ts";

const PAD = { name: "@acme/pad", version: "1.0.0" } as const;

/** Publishes bytes that came by an upload ticket, under the name and version of `as`. */
async function upload(
  npm: NpmRegistry,
  as: PackageOptions,
  bytes: Buffer,
  path = "any.tgz",
): Promise<void> {
  const { services, stores } = npm.test;
  const principal = await services.tokens.authenticate(ADMIN_TOKEN);
  if (principal === undefined) throw new Error("no admin");
  const grant = await services.access.open(
    { principal, address: "", requestId: "", baseUrl: BASE_URL },
    "js",
    "npm",
    "packages:write",
  );
  const blob = await stores.blobs.put(bytes, { algorithms: FILE_DIGESTS });
  await takeNpmUpload(services, grant, {
    packageName: as.name,
    version: as.version,
    path,
    contentType: "application/gzip",
    sizeBytes: bytes.length,
    digests: requireDigests(blob.digests),
  });
}

test("an uploaded tarball is published with the package.json in it, and installed like any other", async () => {
  await using npm = await openNpmRegistry();
  const manifest = { description: "by ticket", bin: "cli.js", dependencies: { a: "^1" } };
  const tarball = await buildTarball({ ...PAD, version: "v1.0.0", manifest });
  await upload(npm, PAD, tarball);
  const packument = await npm.packument(PAD.name);
  expect(packument["dist-tags"]).toEqual({ latest: "1.0.0" });
  expect(packument.versions["1.0.0"]).toMatchObject({
    ...manifest,
    ...PAD,
    bin: { pad: "cli.js" },
    dist: { fileCount: 1, signatures: [expect.anything()] },
  });
  const { pathname } = new URL(packument.versions["1.0.0"].dist.tarball);
  const response = await npm.test.request(pathname);
  expect(Buffer.from(await response.arrayBuffer()).equals(tarball)).toBe(true);
});

test("an upload becomes latest only where it is the highest release", async () => {
  await using npm = await openNpmRegistry();
  for (const version of ["2.0.0", "1.5.0", "3.0.0-beta.1"]) {
    await upload(npm, { ...PAD, version }, await buildTarball({ ...PAD, version }));
  }
  const packument = await npm.packument(PAD.name);
  expect(packument["dist-tags"]).toEqual({ latest: "2.0.0" });
  expect(Object.keys(packument.versions)).toHaveLength(3);
});

test("an upload of another package, of no tarball, or a second time is refused", async () => {
  await using npm = await openNpmRegistry();
  const tarball = await buildTarball(PAD);
  await expect(upload(npm, { ...PAD, version: "1.0.1" }, tarball)).rejects.toThrow(
    /package\.json in the tarball/,
  );
  await expect(upload(npm, PAD, Buffer.from("x"))).rejects.toThrow(/damaged/);
  await expect(upload(npm, PAD, tarball, "pad.zip")).rejects.toThrow(/one tarball/);
  expect((await npm.send("/@acme%2fpad")).status).toBe(404);
  await upload(npm, PAD, tarball);
  await expect(upload(npm, PAD, tarball)).rejects.toThrow(/published before/);
});
