import { expect, test } from "vitest";
import { buildTarball } from "../../support/npm-package.ts";
import { ABBREVIATED, openNpmRegistry } from "./npm-registry.ts";

const LEFT_PAD = { name: "left-pad", version: "1.0.0" } as const;

test("a name with capital letters, which npm has long had, is published as it is", async () => {
  await using npm = await openNpmRegistry();
  expect((await npm.publish({ name: "JSONStream", version: "1.0.0" })).status).toBe(201);
  expect((await npm.send("/jsonstream")).status).toBe(404);
  expect((await npm.packument("JSONStream")).name).toBe("JSONStream");
});

test("the abbreviated packument has what installs need, right", async () => {
  await using npm = await openNpmRegistry();
  const kept = {
    bin: "cli.js",
    directories: { lib: "lib" },
    engines: { node: ">=20" },
    os: ["linux"],
    cpu: ["x64"],
    libc: ["glibc"],
    funding: { url: "https://example.com" },
    dependencies: { a: "1" },
    devDependencies: { b: "1" },
    optionalDependencies: { c: "1" },
    peerDependencies: { d: "1" },
    peerDependenciesMeta: { d: { optional: true } },
    bundleDependencies: ["a"],
  };
  const manifest = {
    ...kept,
    description: "not for installs",
    scripts: { postinstall: "node x", test: "no" },
    _secret: "no",
    _nodeVersion: "24.0.0",
    readme: "# not per version",
  };
  await npm.publish({ ...LEFT_PAD, manifest, files: { "npm-shrinkwrap.json": "{}" } });
  const abbreviated = (await npm.packument("left-pad", ABBREVIATED)).versions["1.0.0"];
  expect(abbreviated).toEqual({
    ...kept,
    ...LEFT_PAD,
    bin: { "left-pad": "cli.js" },
    _hasShrinkwrap: true,
    hasInstallScript: true,
    dist: expect.objectContaining({ fileCount: 2 }),
  });
  const full = await npm.packument("left-pad");
  expect(full.versions["1.0.0"]).toMatchObject({
    description: "not for installs",
    scripts: manifest.scripts,
    _id: "left-pad@1.0.0",
    _nodeVersion: "24.0.0",
    _npmUser: { name: "admin", email: "" },
  });
  expect(full.versions["1.0.0"]).not.toHaveProperty("_secret");
  expect(full.versions["1.0.0"]).not.toHaveProperty("readme");
  expect(full.readme).toBe("# not per version");
});

test("an install script that only the tarball's package.json names is told too", async () => {
  await using npm = await openNpmRegistry();
  const tarball = await buildTarball({
    ...LEFT_PAD,
    manifest: { scripts: { install: "curl evil" } },
  });
  await npm.publishTarball(LEFT_PAD, tarball);
  expect((await npm.packument("left-pad", ABBREVIATED)).versions["1.0.0"].hasInstallScript).toBe(
    true,
  );
});

test("a package with a binding.gyp has an install script", async () => {
  await using npm = await openNpmRegistry();
  await npm.publish({ ...LEFT_PAD, files: { "binding.gyp": "{}" } });
  await npm.publish({ name: "left-pad", version: "1.0.1" });
  const { versions } = await npm.packument("left-pad", ABBREVIATED);
  expect(versions["1.0.0"].hasInstallScript).toBe(true);
  expect(versions["1.0.1"]).not.toHaveProperty("hasInstallScript");
});

test("the README comes from the tarball when the client sends none, and is that of latest", async () => {
  await using npm = await openNpmRegistry();
  await npm.publish({
    ...LEFT_PAD,
    files: { README: "plain", "README.md": "# one", "docs/README.md": "no" },
  });
  await npm.publish({
    name: "left-pad",
    version: "2.0.0-beta.1",
    tag: "beta",
    files: { "README.md": "# beta" },
  });
  expect((await npm.packument("left-pad")).readme).toBe("# one");
  await npm.publish({ name: "left-pad", version: "2.0.0", files: { "readme.markdown": "# two" } });
  expect((await npm.packument("left-pad")).readme).toBe("# two");
});
