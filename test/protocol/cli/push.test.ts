import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { Cli } from "../../support/cli.ts";
import { buildTarball } from "../../support/npm-package.ts";
import { Proxy, type Seen } from "../../support/proxy.ts";
import { startServer, type TestServer } from "../../support/server.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const MIB = 1024 * 1024;
const LARGE_BYTES = 64 * MIB;
const PART_COUNT = 4;

let server: TestServer;
let proxy: Proxy;
let cli: Cli;
let version = 0;

beforeAll(async () => {
  server = await startServer();
  await server.createRegistry({ slug: "builds", ecosystem: "generic" });
  await server.createRegistry({
    slug: "mutable",
    ecosystem: "generic",
    policies: { mutableFiles: true },
  });
  await server.createRegistry({ slug: "my-npm", ecosystem: "npm" });
  proxy = await Proxy.open(server.url);
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await server.stop();
});
beforeEach(async () => {
  const folder = await temporaryFolder("cli-push");
  onTestFinished(() => folder[Symbol.asyncDispose]());
  cli = Cli.of(server, folder.path, proxy.url);
  proxy.reset();
  version++;
});

const isPart = ({ method, path }: Seen): boolean =>
  method === "PUT" && path.startsWith("/_blobs/parts/");

async function makeFile(name: string, bytes: Uint8Array): Promise<string> {
  await writeFile(join(cli.folder, name), bytes);
  return createHash("sha256").update(bytes).digest("hex");
}

function pushArgs(file: string, ...more: readonly string[]): readonly string[] {
  return ["push", "builds", file, "--package", "app", "--version", `1.${version}.0`, ...more];
}

async function publishedSha256(path: string): Promise<string> {
  const response = await fetch(`${server.url}/generic/builds/app/1.${version}.0/${path}`, {
    headers: { authorization: `Bearer ${server.adminToken}` },
  });
  expect(response.status).toBe(200);
  return createHash("sha256")
    .update(Buffer.from(await response.arrayBuffer()))
    .digest("hex");
}

describe("push", () => {
  test("publishes a file and prints its checksum and URL", async () => {
    const sha256 = await makeFile("a.txt", Buffer.from("hello"));
    const { code, stdout } = await cli.run(pushArgs("a.txt"));
    expect(code).toBe(0);
    expect(stdout).toContain(sha256);
    expect(stdout).toContain(`/generic/builds/app/1.${version}.0/a.txt`);
    expect(await publishedSha256("a.txt")).toBe(sha256);
  });

  test("publishes an empty file", async () => {
    const sha256 = await makeFile("empty", Buffer.alloc(0));
    expect((await cli.run(pushArgs("empty"))).code).toBe(0);
    expect(await publishedSha256("empty")).toBe(sha256);
  });

  test("publishes several files into a folder", async () => {
    await makeFile("a", Buffer.from("a"));
    await makeFile("b", Buffer.from("b"));
    const args = ["push", "builds", "a", "b", "--package", "app", "--version", `1.${version}.0`];
    const answer = await cli.json([...args, "--path", "linux/x64/"]);
    expect(answer).toMatchObject({ files: [{ path: "linux/x64/a" }, { path: "linux/x64/b" }] });
  });

  test("never sends the token along with the bytes", async () => {
    await makeFile("a.txt", Buffer.from("hello"));
    await cli.run(pushArgs("a.txt"));
    const parts = proxy.seen.filter(isPart);
    expect(parts).toHaveLength(1);
    expect(parts[0]?.authorization).toBeUndefined();
  });

  test("sends nothing when the same bytes are there already", async () => {
    await makeFile("a.txt", Buffer.from("hello"));
    await cli.run(pushArgs("a.txt"));
    proxy.reset();
    expect(await cli.json(pushArgs("a.txt"))).toMatchObject({ outcome: "unchanged" });
    expect(proxy.seen.every(({ method }) => method === "GET")).toBe(true);
  });

  test("refuses other bytes before it sends them, where files never change", async () => {
    await makeFile("a.txt", Buffer.from("hello"));
    await cli.run(pushArgs("a.txt"));
    await makeFile("a.txt", Buffer.from("other"));
    proxy.reset();
    const { code, stderr } = await cli.run(pushArgs("a.txt"));
    expect(code).toBe(5);
    expect(stderr).toContain("published before");
    expect(proxy.sentParts()).toEqual([]);
  });

  test("replaces a file where the registry allows it", async () => {
    const args = ["push", "mutable", "a.txt", "--package", "app", "--version", "1.0.0"];
    await makeFile("a.txt", Buffer.from("hello"));
    await cli.run(args);
    const sha256 = await makeFile("a.txt", Buffer.from("other"));
    expect(await cli.json(args)).toMatchObject({ outcome: "published", sha256 });
  });

  test("takes name and version of an npm package from its tarball", async () => {
    const name = `@acme/app-${version}`;
    await makeFile("any-name.tgz", await buildTarball({ name, version: "1.2.3" }));
    const answer = await cli.json(["push", "my-npm", "any-name.tgz"]);
    expect(answer).toMatchObject({
      package: name,
      version: "1.2.3",
      path: `app-${version}-1.2.3.tgz`,
    });
    const again = await cli.json(["push", "my-npm", "any-name.tgz"]);
    expect(again).toMatchObject({ outcome: "unchanged" });
  });

  test.each([
    ["a file that is not there", ["push", "builds", "nope", "--package", "a", "--version", "1"]],
    ["a folder", ["push", "builds", ".", "--package", "a", "--version", "1"]],
    ["a generic registry without package and version", ["push", "builds", "a.txt"]],
    [
      "one path for several files",
      ["push", "builds", "a.txt", "b", "--package", "a", "--version", "1", "--path", "x"],
    ],
    [
      "another version than that of the npm package",
      ["push", "my-npm", "p.tgz", "--version", "2.0.0"],
    ],
  ])("refuses %s as wrong usage", async (_what, args) => {
    await makeFile("a.txt", Buffer.from("hello"));
    await makeFile("p.tgz", await buildTarball({ name: "p", version: "1.0.0" }));
    const { code, stderr } = await cli.run(args);
    expect(stderr).toMatch(/^Error: /);
    expect(code).toBe(2);
    expect(proxy.sentParts()).toEqual([]);
  });
});

describe("an interrupted push", () => {
  const stopAfterFirstPart = (): void => {
    let parts = 0;
    proxy.judge = (seen) => (isPart(seen) && ++parts > 1 ? "stall" : "pass");
  };
  const secondPartUnderWay = async (): Promise<void> => {
    await expect.poll(() => proxy.sentParts().length, { timeout: 20_000 }).toBe(2);
  };

  test.each(["SIGKILL", "SIGINT"] as const)(
    "by %s sends only the missing parts again",
    async (signal) => {
      const sha256 = await makeFile("large.bin", randomBytes(LARGE_BYTES));
      stopAfterFirstPart();
      const first = cli.start(pushArgs("large.bin", "--parallel", "1"));
      await secondPartUnderWay();
      first.kill(signal);
      const { code, stderr } = await first.finished;
      expect(code).toBe(signal === "SIGINT" ? 130 : null);
      if (signal === "SIGINT") {
        expect(stderr).toContain("parts that arrived are kept");
        expect(stderr).toContain(
          `entrepot push builds large.bin --package app --version 1.${version}.0`,
        );
      }
      proxy.reset();
      const second = await cli.json(pushArgs("large.bin"));
      expect(new Set(proxy.sentParts())).toEqual(new Set([2, 3, 4]));
      expect(proxy.sentParts()).toHaveLength(3);
      expect(second).toMatchObject({ outcome: "published", sentParts: 3, resumedParts: 1, sha256 });
      expect(await publishedSha256("large.bin")).toBe(sha256);
      expect(await readdir(cli.uploadsFolder)).toEqual([]);
    },
  );

  test("starts anew when the file is another by now", async () => {
    await makeFile("large.bin", randomBytes(LARGE_BYTES));
    stopAfterFirstPart();
    const first = cli.start(pushArgs("large.bin", "--parallel", "1"));
    await secondPartUnderWay();
    first.kill("SIGKILL");
    await first.finished;
    const sha256 = await makeFile("large.bin", randomBytes(LARGE_BYTES));
    proxy.reset();
    const { code, stderr } = await cli.run(pushArgs("large.bin"));
    expect(code).toBe(0);
    expect(stderr).toContain("starting anew");
    expect(proxy.sentParts()).toHaveLength(PART_COUNT);
    expect(await publishedSha256("large.bin")).toBe(sha256);
  });

  test("starts anew when the server has forgotten the upload", async () => {
    const sha256 = await makeFile("large.bin", randomBytes(LARGE_BYTES));
    stopAfterFirstPart();
    const first = cli.start(pushArgs("large.bin", "--parallel", "1"));
    await secondPartUnderWay();
    first.kill("SIGKILL");
    await first.finished;
    const [state = ""] = await readdir(cli.uploadsFolder);
    const saved = JSON.parse(await readFile(join(cli.uploadsFolder, state), "utf8"));
    await server.api(`/uploads/${saved.uploadId}`, { method: "DELETE" });
    proxy.reset();
    expect(await cli.json(pushArgs("large.bin"))).toMatchObject({ sentParts: PART_COUNT, sha256 });
  });
});

describe("a push over a bad network", () => {
  const failOnce = (
    verdict: ReturnType<Proxy["judge"]>,
    matches: (seen: Seen) => boolean,
  ): void => {
    let failed = false;
    proxy.judge = (seen) => {
      if (failed || !matches(seen)) return "pass";
      failed = true;
      return verdict;
    };
  };

  test("sends a part again after a lost connection", async () => {
    const sha256 = await makeFile("a.bin", randomBytes(20 * MIB));
    failOnce({ cutAfterBytes: 0 }, isPart);
    expect(await cli.json(pushArgs("a.bin"))).toMatchObject({ outcome: "published", sha256 });
    expect(proxy.sentParts()).toHaveLength(3);
  });

  test("fetches a fresh ticket when one has expired", async () => {
    await makeFile("a.bin", randomBytes(MIB));
    const body = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
    failOnce({ status: 403, body }, isPart);
    expect(await cli.json(pushArgs("a.bin"))).toMatchObject({ outcome: "published" });
    expect(proxy.seen.some(({ path }) => /^\/api\/v1\/uploads\/\w+\/parts$/.test(path))).toBe(true);
  });

  test("does not send a part again that is refused for good", async () => {
    await makeFile("a.bin", randomBytes(MIB));
    const body = "<Error><Code>SignatureDoesNotMatch</Code><Message>no</Message></Error>";
    proxy.judge = (seen) => (isPart(seen) ? { status: 403, body } : "pass");
    const { code, stderr } = await cli.run(pushArgs("a.bin"));
    expect(code).toBe(3);
    expect(stderr).toContain("SignatureDoesNotMatch");
    expect(proxy.sentParts()).toHaveLength(1);
  });

  test("finds out by itself how it went when the last answer is lost", async () => {
    const sha256 = await makeFile("a.bin", randomBytes(MIB));
    failOnce({ cutAfterBytes: 0 }, ({ path }) => path.endsWith("/complete"));
    expect(await cli.json(pushArgs("a.bin"))).toMatchObject({ outcome: "published", sha256 });
    expect(await publishedSha256("a.bin")).toBe(sha256);
  });

  test("tells a gateway's time-out from a failure", async () => {
    const sha256 = await makeFile("a.bin", randomBytes(MIB));
    // API Gateway answers so after 30 seconds while Lambda goes on.
    let completions = 0;
    proxy.judge = ({ path }) => {
      if (!path.endsWith("/complete")) return "pass";
      completions++;
      void server.api(path.replace("/api/v1", ""), { method: "POST" });
      return { status: 503, body: '{"message":"Service Unavailable"}' };
    };
    expect(await cli.json(pushArgs("a.bin"))).toMatchObject({ outcome: "published", sha256 });
    expect(completions).toBe(1);
  });

  test("says that the server cannot be reached, and how to start one", async () => {
    await makeFile("a.bin", randomBytes(10));
    const { code, stderr } = await cli.run(pushArgs("a.bin", "--url", "http://127.0.0.1:2"));
    expect(code).toBe(6);
    expect(stderr).toContain("Cannot reach http://127.0.0.1:2");
    expect(stderr).toContain("entrepot serve");
  });
});
