import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { Cli } from "../../support/cli.ts";
import { type MisbehavingUpstream, startUpstream } from "../../support/misbehaving-upstream.ts";
import { startServer, type TestServer } from "../../support/server.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import {
  servePackage,
  tarballPath,
  type UpstreamVersion,
  upstreamVersion,
} from "../npm/upstream-packages.ts";

let upstream: MisbehavingUpstream;
let server: TestServer;
let admin: Cli;
let one: UpstreamVersion;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

beforeEach(async () => {
  upstream = await startUpstream();
  const folder = await temporaryFolder("cli-prefetch");
  onTestFinished(async () => {
    await folder[Symbol.asyncDispose]();
    await upstream.close();
  });
  admin = Cli.of(server, folder.path, server.url);
  one = await upstreamVersion("left-pad", "1.0.0");
  servePackage(upstream, "left-pad", [one]);
  servePackage(upstream, "is-odd", [await upstreamVersion("is-odd", "3.0.0")]);
});

let count = 0;
/** A new proxy of the upstream; gives its slug. */
async function proxy(): Promise<string> {
  const slug = `mirror-${count++}`;
  const made = ["upstream", "create", slug, upstream.url, "--ecosystem", "npm", "--allow-private"];
  await admin.json(made);
  const kind = ["--ecosystem", "npm", "--kind", "proxy", "--upstream", slug];
  await admin.json(["registry", "create", slug, ...kind]);
  return slug;
}

const sri = (bytes: Buffer): string =>
  `sha512-${createHash("sha512").update(bytes).digest("base64")}`;

/** Writes a lockfile with these packages. */
async function lock(packages: Readonly<Record<string, string | undefined>>): Promise<void> {
  const entries = Object.entries(packages).map(([spec, integrity]) => {
    const [name = "", version = ""] = spec.split("@");
    return [`node_modules/${name}`, { version, ...(integrity === undefined ? {} : { integrity }) }];
  });
  const text = JSON.stringify({ lockfileVersion: 3, packages: Object.fromEntries(entries) });
  await writeFile(join(admin.folder, "package-lock.json"), text);
}

describe("prefetch", () => {
  test("fetches what a lockfile names and compares its sums", async () => {
    const slug = await proxy();
    await lock({ "left-pad@1.0.0": sri(one.tarball), "is-odd@3.0.0": undefined });
    const first = await admin.run(["prefetch", slug, "package-lock.json"]);
    expect(first).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^2 fetched \(.*\), 0 /),
    });
    const again = await admin.run(["prefetch", slug, "package-lock.json"]);
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining("2 were here") });
    expect(upstream.requests(tarballPath("left-pad", "1.0.0"))).toBe(1);
  });

  test("fails when the bytes are not those of the lockfile, and when one is missing", async () => {
    const slug = await proxy();
    await lock({
      "left-pad@1.0.0": sri(Buffer.from("other")),
      "is-odd@3.0.0": undefined,
      "gone@1.0.0": undefined,
    });
    const { code, stdout, stderr } = await admin.run(["prefetch", slug, "package-lock.json"]);
    expect(code).toBe(1);
    expect(stdout).toContain("1 fetched");
    expect(stderr).toContain("2 of 3 are not here as locked");
    expect(stderr).toMatch(/left-pad 1\.0\.0: differs: .*not what the lockfile says/);
    expect(stderr).toContain("gone 1.0.0: missing");
  });

  test("prints its outcomes as JSON, what it left out among them", async () => {
    const slug = await proxy();
    const packages = {
      "node_modules/left-pad": { version: "1.0.0" },
      "node_modules/b": { version: "1.0.0", resolved: "git+https://git.example/b.git#1" },
    };
    const path = join(admin.folder, "my.json");
    await writeFile(path, JSON.stringify({ lockfileVersion: 3, packages }));
    const { code, stdout, stderr } = await admin.run([
      "prefetch",
      slug,
      path,
      "--kind",
      "npm",
      "--json",
    ]);
    expect({ code, printed: JSON.parse(stdout) }).toMatchObject({
      code: 0,
      printed: {
        items: [{ package: "left-pad", status: "fetched" }],
        skipped: [expect.any(String)],
      },
    });
    expect(stderr).toContain("1 entries are pinned to no version of a registry");
  });

  test("says what is wrong with a file that is no lockfile", async () => {
    const slug = await proxy();
    await writeFile(join(admin.folder, "package-lock.json"), "{");
    await writeFile(join(admin.folder, "notes.md"), "# Notes");
    const broken = await admin.run(["prefetch", slug, "package-lock.json"]);
    expect(broken).toMatchObject({ code: 1, stderr: expect.stringContaining("it is no JSON") });
    const unknown = await admin.run(["prefetch", slug, "notes.md"]);
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining("--kind") });
    const absent = await admin.run(["prefetch", slug, "yarn.lock"]);
    expect(absent).toMatchObject({ code: 1, stderr: expect.stringContaining("cannot be read") });
  });
});

describe("registry purge", () => {
  test("removes a version, a package, or everything once it is confirmed", async () => {
    const slug = await proxy();
    await lock({ "left-pad@1.0.0": undefined, "is-odd@3.0.0": undefined });
    await admin.json(["prefetch", slug, "package-lock.json"]);
    const version = ["registry", "purge", slug, "--package", "left-pad", "--version", "1.0.0"];
    expect(await admin.json(version)).toMatchObject({ files: 1, documents: 0 });
    const documents = await admin.run(["registry", "purge", slug, "--documents"]);
    expect(documents.stdout).toContain("2 documents");
    const unsure = await admin.run(["registry", "purge", slug]);
    expect(unsure).toMatchObject({ code: 2, stderr: expect.stringContaining(`--confirm ${slug}`) });
    expect((await admin.run(["registry", "purge", slug, "--confirm", "other"])).code).toBe(2);
    const all = await admin.run(["registry", "purge", slug, "--confirm", slug]);
    expect(all).toMatchObject({ code: 0, stdout: expect.stringContaining("Removed 1 files") });
    await admin.json(["prefetch", slug, "package-lock.json"]);
    expect(upstream.requests(tarballPath("is-odd", "3.0.0"))).toBe(2);
  });
});
