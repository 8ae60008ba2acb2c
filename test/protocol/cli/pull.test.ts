import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { Cli } from "../../support/cli.ts";
import { buildTarball } from "../../support/npm-package.ts";
import { Proxy, type Seen } from "../../support/proxy.ts";
import { startServer, type TestServer } from "../../support/server.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const MIB = 1024 * 1024;
const LARGE = randomBytes(8 * MIB);

let server: TestServer;
let proxy: Proxy;
let cli: Cli;

beforeAll(async () => {
  server = await startServer();
  await server.createRegistry({ slug: "builds", ecosystem: "generic" });
  await server.createRegistry({ slug: "my-npm", ecosystem: "npm" });
  await put("app/1.0.0/large.bin", LARGE);
  await put("app/1.0.0/docs/read me.txt", "hello");
  await put("single/1.0.0/only.txt", "first");
  await put("single/2.0.0/only.txt", "second");
  proxy = await Proxy.open(server.url);
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await server.stop();
});
beforeEach(async () => {
  const folder = await temporaryFolder("cli-pull");
  onTestFinished(() => folder[Symbol.asyncDispose]());
  cli = Cli.of(server, folder.path, proxy.url);
  proxy.reset();
});

async function put(path: string, body: string | Uint8Array<ArrayBuffer>): Promise<void> {
  const response = await fetch(`${server.url}/generic/builds/${encodeURI(path)}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${server.adminToken}` },
    body,
  });
  expect(response.status).toBe(201);
}

const isDownload = ({ method, path }: Seen): boolean =>
  method === "GET" && path.startsWith("/generic/");
const downloads = (): readonly Seen[] => proxy.seen.filter(isDownload);
const read = (name: string): Promise<Buffer> => readFile(join(cli.folder, name));
const write = (name: string, content: string | Uint8Array): Promise<void> =>
  writeFile(join(cli.folder, name), content);

describe("pull", () => {
  test("downloads a file, under its own name, and tells its checksum", async () => {
    const { code, stdout } = await cli.run(["pull", "builds", "app@1.0.0", "large.bin"]);
    expect(code).toBe(0);
    expect(stdout).toContain(createHash("sha256").update(LARGE).digest("hex"));
    expect((await read("large.bin")).equals(LARGE)).toBe(true);
    expect(await readdir(cli.folder)).toEqual(["large.bin"]);
  });

  test("takes the only file of the latest version when nothing else is named", async () => {
    const answer = await cli.json(["pull", "builds", "single"]);
    expect(answer).toMatchObject({ version: "2.0.0", path: "only.txt", downloaded: true });
    expect((await read("only.txt")).toString()).toBe("second");
  });

  test("writes only the last part of a path, where it was told to", async () => {
    await mkdir(join(cli.folder, "out"));
    await cli.json(["pull", "builds", "app", "docs/read me.txt", "-o", "out"]);
    await cli.json(["pull", "builds", "app", "docs/read me.txt", "-o", "other.txt"]);
    expect((await read("out/read me.txt")).toString()).toBe("hello");
    expect((await read("other.txt")).toString()).toBe("hello");
  });

  test("gets the tarball of an npm package, by version or tag", async () => {
    const tarball = await buildTarball({ name: "@acme/app", version: "1.0.0" });
    await write("app.tgz", tarball);
    await cli.json(["push", "my-npm", "app.tgz"]);
    for (const [spec, out] of [
      ["@acme/app", "a.tgz"],
      ["@acme/app@1.0.0", "b.tgz"],
      ["@acme/app@latest", "c.tgz"],
    ] as const) {
      await cli.json(["pull", "my-npm", spec, "-o", out]);
      expect((await read(out)).equals(tarball)).toBe(true);
    }
  });

  test("follows the dist-tags of an npm package, latest included, as npm does", async () => {
    for (const version of ["1.0.0", "1.1.0"]) {
      await write("tagged.tgz", await buildTarball({ name: "tagged", version }));
      await cli.json(["push", "my-npm", "tagged.tgz"]);
    }
    for (const tag of ["latest", "stable"]) {
      const { status } = await server.api(`/registries/my-npm/packages/tagged/tags/${tag}`, {
        method: "PUT",
        body: JSON.stringify({ version: "1.0.0" }),
      });
      expect(status).toBe(200);
    }
    for (const spec of ["tagged", "tagged@latest", "tagged@stable"]) {
      const answer = await cli.json(["pull", "my-npm", spec, "-o", `${spec}.tgz`]);
      expect(answer).toMatchObject({ version: "1.0.0" });
    }
    const { code, stderr } = await cli.run(["pull", "my-npm", "tagged@nothing"]);
    expect(code).toBe(4);
    expect(stderr).toContain('"nothing"');
  });

  test("downloads nothing that is there already", async () => {
    await write("only.txt", "second");
    const answer = await cli.json(["pull", "builds", "single"]);
    expect(answer).toMatchObject({ downloaded: false });
    expect(downloads()).toEqual([]);
  });

  test("replaces another file only when told to", async () => {
    await write("only.txt", "precious");
    const { code, stderr } = await cli.run(["pull", "builds", "single"]);
    expect(code).toBe(5);
    expect(stderr).toContain("--force");
    expect((await read("only.txt")).toString()).toBe("precious");
    await cli.json(["pull", "builds", "single", "--force"]);
    expect((await read("only.txt")).toString()).toBe("second");
  });

  test.each([
    ["a package that is not there", ["nope"], 4, "nope"],
    ["a version that is not there", ["single@9"], 4, "9"],
    ["a file that is not there, naming those that are", ["single", "x"], 4, "only.txt"],
    ["a choice of files, naming them", ["app"], 2, "docs/read me.txt, large.bin"],
    ["a name that would leave the registry", [".."], 2, "cannot be a name"],
  ])("refuses %s", async (_what, args, code, words) => {
    const result = await cli.run(["pull", "builds", ...args]);
    expect(result.stderr).toContain(words);
    expect(result.code).toBe(code);
    expect(await readdir(cli.folder)).toEqual([]);
  });
});

describe("an interrupted pull", () => {
  const pullLarge = ["pull", "builds", "app", "large.bin"];

  test("goes on after a lost connection where it stopped", async () => {
    let cuts = 0;
    proxy.judge = (seen) => (isDownload(seen) && ++cuts === 1 ? { cutAfterBytes: MIB } : "pass");
    await cli.json(pullLarge);
    expect(downloads().map(({ range }) => range)).toEqual([
      undefined,
      expect.stringMatching(/^bytes=[1-9]\d+-$/),
    ]);
    expect((await read("large.bin")).equals(LARGE)).toBe(true);
  });

  test("goes on in another run with what is in the .part file", async () => {
    await write("large.bin.part", LARGE.subarray(0, 3 * MIB));
    const { code, stderr } = await cli.run(pullLarge);
    expect(code).toBe(0);
    expect(stderr).toContain("3.0 MiB");
    expect(downloads().map(({ range }) => range)).toEqual([`bytes=${3 * MIB}-`]);
    expect((await read("large.bin")).equals(LARGE)).toBe(true);
    expect(await readdir(cli.folder)).toEqual(["large.bin"]);
  });

  test("starts anew when the .part file is of another file", async () => {
    await write("large.bin.part", randomBytes(MIB));
    await cli.json(pullLarge);
    expect(downloads().map(({ range }) => range)).toEqual([`bytes=${MIB}-`, undefined]);
    expect((await read("large.bin")).equals(LARGE)).toBe(true);
  });

  test("keeps what arrived when a person ends it", async () => {
    let started = false;
    proxy.judge = (seen) => {
      if (!isDownload(seen)) return "pass";
      if (started) return "stall";
      started = true;
      return { cutAfterBytes: MIB };
    };
    const running = cli.start(pullLarge);
    await expect.poll(() => downloads().length, { timeout: 20_000 }).toBe(2);
    running.kill("SIGINT");
    const { code, stderr } = await running.finished;
    expect(code).toBe(130);
    expect(stderr).toContain("large.bin.part");
    const kept = await read("large.bin.part");
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.equals(LARGE.subarray(0, kept.length))).toBe(true);
  });

  test("never leaves damaged bytes behind", async () => {
    proxy.judge = (seen) => (isDownload(seen) ? "damage" : "pass");
    const { code, stderr } = await cli.run(pullLarge);
    expect(code).toBe(1);
    expect(stderr).toContain("sha256");
    expect(await readdir(cli.folder)).toEqual([]);
  });
});

test("downloads that are redirected to storage are verified and resumed too", async () => {
  const redirecting = await startServer({ args: ["--downloads", "redirect"] });
  onTestFinished(() => redirecting.stop());
  await redirecting.createRegistry({ slug: "builds", ecosystem: "generic" });
  const { folder } = cli;
  const other = Cli.of(redirecting, folder, redirecting.url);
  await write("large.bin", LARGE);
  await other.json(["push", "builds", "large.bin", "--package", "app", "--version", "1.0.0"]);
  await write("copy.part", LARGE.subarray(0, MIB));
  await other.json(["pull", "builds", "app", "-o", "copy"]);
  expect((await read("copy")).equals(LARGE)).toBe(true);
});
