import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningProxy, startProxy } from "../../../cli/proxy/run-proxy.ts";
import { Cli } from "../../support/cli.ts";
import { describeWith } from "../../support/programs.ts";
import { startServer, type TestServer } from "../../support/server.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/temporary-folder.ts";
import { bytesOf, digestOf, errorOf, IMAGE } from "./builders.ts";

const run = promisify(execFile);
const MIB = 1024 * 1024;

let server: TestServer;
let folder: TemporaryFolder;
let spoolFolder: string;
let proxy: RunningProxy;
const warnings: string[] = [];
beforeAll(async () => {
  server = await startServer({ args: ["--limits", "lambda", "--downloads", "redirect"] });
  await server.createRegistry({ slug: "images", ecosystem: "oci", kind: "source" });
  folder = await temporaryFolder("proxy-test");
  spoolFolder = join(folder.path, "spool");
  await mkdir(spoolFolder);
  proxy = await start({});
});
afterAll(async () => {
  await proxy.stop();
  const left = await readdir(spoolFolder);
  await server.stop();
  await folder[Symbol.asyncDispose]();
  expect(left).toEqual([]);
});

async function start(options: { token?: string; spoolLimitBytes?: number }): Promise<RunningProxy> {
  const { token = server.adminToken, spoolLimitBytes = 100 * MIB } = options;
  const connection = { url: server.url, ...(token === "" ? {} : { token }) };
  const warn = (text: string): unknown => warnings.push(text);
  return startProxy(connection, { port: 0, spoolFolder, spoolLimitBytes, warn });
}

/** At the proxy, which gives relative Locations only. */
async function send(path: string, init: RequestInit = {}, at = proxy): Promise<Response> {
  return fetch(at.url + path, { redirect: "manual", ...init });
}

async function begin(query = "", name = "images/app", at = proxy): Promise<string> {
  const response = await send(`/v2/${name}/blobs/uploads/${query}`, { method: "POST" }, at);
  expect(response.status).toBe(202);
  const location = response.headers.get("location") ?? "";
  expect(location).toMatch(/^\/v2\//);
  return location;
}

/** A body of unknown length, as a client streams one. */
function streamed(bytes: Uint8Array): RequestInit {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += 65_536)
        controller.enqueue(bytes.subarray(at, at + 65_536));
      controller.close();
    },
  });
  return { body, duplex: "half" };
}

/** As docker up to 28 and skopeo push: POST, PATCH of unknown length, empty PUT. */
async function pushStreamed(bytes: Uint8Array, at = proxy): Promise<Response> {
  const patched = await send(
    await begin("", "images/app", at),
    { method: "PATCH", ...streamed(bytes) },
    at,
  );
  expect([patched.status, patched.headers.get("range")]).toEqual([202, `0-${bytes.length - 1}`]);
  const location = patched.headers.get("location") ?? "";
  return send(`${location}?digest=${digestOf(bytes)}`, { method: "PUT" }, at);
}

async function heldBytes(): Promise<number> {
  const folders = await readdir(spoolFolder, { recursive: true, withFileTypes: true });
  return folders.filter((entry) => entry.isFile()).length;
}

describe("The push proxy", () => {
  test("gets a streamed layer of 20 MB past the limits of functions", async () => {
    const layer = randomBytes(20_000_000);
    // What the proxy is for: the server by itself refuses such a stream.
    const authorization = `Bearer ${server.adminToken}`;
    const begun = await fetch(`${server.url}/v2/images/app/blobs/uploads/`, {
      method: "POST",
      headers: { authorization },
    });
    const direct = await fetch(server.url + (begun.headers.get("location") ?? ""), {
      method: "PATCH",
      headers: { authorization },
      ...streamed(layer),
    });
    expect(direct.status).toBe(413);
    const response = await pushStreamed(layer);
    expect(response.status).toBe(201);
    expect(response.headers.get("docker-content-digest")).toBe(digestOf(layer));
    expect(response.headers.get("location")).toBe(`/v2/images/app/blobs/${digestOf(layer)}`);
    const head = await send(`/v2/images/app/blobs/${digestOf(layer)}`, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, "20000000"]);
    const pulled = await send(`/v2/images/app/blobs/${digestOf(layer)}`, { redirect: "follow" });
    const bytes = await pulled.bytes();
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(digestOf(layer).slice(7));
  });

  test("sends what it redirects to straight to where the bytes are", async () => {
    const layer = bytesOf("redirected");
    await pushStreamed(layer);
    const response = await send(`/v2/images/app/blobs/${digestOf(layer)}`);
    expect(response.status).toBe(307);
    expect(response.headers.get("location")).toMatch(new RegExp(`^${server.url}/_blobs/`));
  });

  test("takes chunks in order, a last one with the PUT, and whole blobs in one POST", async () => {
    let location = await begin();
    for (const [range, text] of [
      ["0-2", "abc"],
      ["3-4", "de"],
    ] as const) {
      const headers = { "content-range": range };
      const patched = await send(location, { method: "PATCH", body: text, headers });
      expect(patched.status).toBe(202);
      location = patched.headers.get("location") ?? "";
    }
    const wrong = await send(location, {
      method: "PATCH",
      body: "x",
      headers: { "content-range": "9-9" },
    });
    expect([wrong.status, wrong.headers.get("range")]).toEqual([416, "0-4"]);
    const status = await send(location);
    expect([status.status, status.headers.get("range")]).toEqual([204, "0-4"]);
    const url = `${location}?digest=${encodeURIComponent(digestOf("abcdef"))}`;
    expect((await send(url, { method: "PUT", body: "f" })).status).toBe(201);
    const whole = await send(`/v2/images/app/blobs/uploads/?digest=${digestOf("whole")}`, {
      method: "POST",
      body: "whole",
    });
    expect(whole.status).toBe(201);
    expect((await send(`/v2/images/app/blobs/${digestOf("whole")}`)).status).toBe(307);
  });

  test("refuses a chunk that is not as long as its range says, and forgets the upload", async () => {
    for (const range of ["0-1", "0-9"]) {
      const location = await begin();
      const headers = { "content-range": range };
      const init = { method: "PATCH", headers, ...streamed(bytesOf("abcd")) };
      const response = await send(location, init);
      expect([response.status, (await errorOf(response)).code]).toEqual([400, "SIZE_INVALID"]);
      expect((await send(location)).status).toBe(404);
    }
  });

  test("passes manifests, tags and mounts through", async () => {
    const config = bytesOf("{}");
    await pushStreamed(config);
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: IMAGE,
      config: { mediaType: "application/json", digest: digestOf(config), size: 2 },
      layers: [],
    });
    const put = await send("/v2/images/app/manifests/v1", {
      method: "PUT",
      headers: { "content-type": IMAGE },
      body: manifest,
    });
    expect(put.status).toBe(201);
    expect(put.headers.get("location")).toBe(`/v2/images/app/manifests/${digestOf(manifest)}`);
    const tags = await send("/v2/images/app/tags/list");
    expect(await tags.json()).toEqual({ name: "images/app", tags: ["v1"] });
    const got = await send("/v2/images/app/manifests/v1");
    expect(got.headers.get("content-type")).toBe(IMAGE);
    expect(await got.text()).toBe(manifest);
    const mounted = await send(
      `/v2/images/other/blobs/uploads/?mount=${digestOf(config)}&from=images/app`,
      { method: "POST" },
    );
    expect(mounted.status).toBe(201);
    await begin(`?mount=${digestOf("nowhere")}&from=images/app`);
  });

  test("refuses a blob that is not what its digest says, and forgets it", async () => {
    const location = await begin();
    await send(location, { method: "PATCH", body: "some bytes" });
    const put = await send(`${location}?digest=${digestOf("others")}`, { method: "PUT" });
    expect(put.status).toBe(400);
    expect((await errorOf(put)).code).toBe("DIGEST_INVALID");
    expect((await send(location)).status).toBe(404);
  });

  test("passes on what the server refuses, before any byte is sent", async () => {
    const post = await send("/v2/nowhere/app/blobs/uploads/", { method: "POST" });
    expect(post.status).toBe(404);
    expect((await errorOf(post)).code).toBe("NAME_UNKNOWN");
    const anonymous = await start({ token: "" });
    const ping = await send("/v2/", {}, anonymous);
    expect(ping.status).toBe(401);
    expect(ping.headers.get("www-authenticate")).toContain(`realm="${anonymous.url}/v2/_token"`);
    const basic = Buffer.from(`someone:${server.adminToken}`).toString("base64");
    const known = await send("/v2/", { headers: { authorization: `Basic ${basic}` } }, anonymous);
    expect(known.status).toBe(200);
    await anonymous.stop();
  });

  test("leaves nothing of a push that was killed in the middle", async () => {
    const location = await begin();
    const request = httpRequest(proxy.url + location, { method: "PATCH" });
    request.on("error", () => {});
    request.write(randomBytes(3 * MIB));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await send(location)).headers.get("range")).not.toBe("0-0");
    expect(await heldBytes()).toBe(0);
    request.destroy();
    await expect.poll(async () => (await send(location)).status).toBe(404);
  });

  test("has room for so much, gives it back, and says when there is none", async () => {
    const small = await start({ spoolLimitBytes: MIB });
    const location = await begin("", "images/app", small);
    const full = await send(
      location,
      { method: "PATCH", ...streamed(randomBytes(2 * MIB)) },
      small,
    );
    expect(full.status).toBe(413);
    expect((await errorOf(full)).code).toBe("UNSUPPORTED");
    for (let round = 0; round < 3; round++)
      expect((await pushStreamed(randomBytes(MIB), small)).status).toBe(201);
    await small.stop();
  });

  test("serves programs of this machine, and no web page", async () => {
    const page = await send("/v2/", { headers: { origin: "https://example.com" } });
    expect(page.status).toBe(403);
    const rebound = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { host: "evil.example:5051" };
      httpRequest(`${proxy.url}/v2/`, { headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on("error", reject)
        .end();
    });
    expect(rebound).toBe(403);
  });

  test("says when the server cannot be reached", async () => {
    const gone = await start({});
    await gone.stop();
    const lost = await startProxy(
      { url: gone.url },
      { port: 0, spoolFolder, spoolLimitBytes: MIB, warn: () => {} },
    );
    const response = await send("/v2/", {}, lost);
    expect(response.status).toBe(502);
    expect((await errorOf(response)).message).toContain("nothing listens there");
    await lost.stop();
  });

  test("is a command that uses the login, and ends with Ctrl-C", async () => {
    const cli = Cli.of(server, folder.path, server.url);
    const running = cli.start(["proxy", "--port", "0", "--spool", spoolFolder]);
    const url = await running.printed(/listening on (\S+),/);
    expect((await fetch(`${url}/v2/`)).status).toBe(200);
    running.kill("SIGINT");
    expect((await running.finished).code).toBe(0);
  });
});

describeWith("skopeo", "skopeo through the push proxy", (skopeo) => {
  test("pushes an image with a large layer, and pulls it", { timeout: 60_000 }, async () => {
    const image = join(folder.path, "image");
    const digest = await writeImage(image, randomBytes(15_000_000));
    const { host } = new URL(proxy.url);
    const policy = ["--insecure-policy"];
    await run(skopeo, [
      ...policy,
      "copy",
      "--preserve-digests",
      "--dest-tls-verify=false",
      `oci:${image}:latest`,
      `docker://${host}/images/large:v1`,
    ]);
    const stored = await server.api(`/registries/images/packages/large/tags`);
    expect(JSON.stringify(await stored.json())).toContain(digest);
    await run(skopeo, [
      ...policy,
      "copy",
      "--src-tls-verify=false",
      `docker://${host}/images/large:v1`,
      `oci:${join(folder.path, "copy")}:latest`,
    ]);
    expect(warnings.filter((text) => text.includes("mistake"))).toEqual([]);
  });
});

/** An OCI layout of one image; gives the digest of its manifest. */
async function writeImage(folder: string, layer: Buffer): Promise<string> {
  const blobs = join(folder, "blobs", "sha256");
  await mkdir(blobs, { recursive: true });
  const add = async (mediaType: string, bytes: Uint8Array): Promise<object> => {
    await writeFile(join(blobs, digestOf(bytes).slice(7)), bytes);
    return { mediaType, digest: digestOf(bytes), size: bytes.length };
  };
  const config = {
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: [digestOf(layer)] },
  };
  const manifest = bytesOf(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: IMAGE,
      config: await add(
        "application/vnd.oci.image.config.v1+json",
        bytesOf(JSON.stringify(config)),
      ),
      layers: [await add("application/vnd.oci.image.layer.v1.tar", layer)],
    }),
  );
  const descriptor = await add(IMAGE, manifest);
  const annotations = { "org.opencontainers.image.ref.name": "latest" };
  const index = { schemaVersion: 2, manifests: [{ ...descriptor, annotations }] };
  await writeFile(join(folder, "index.json"), JSON.stringify(index));
  await writeFile(join(folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  return digestOf(manifest);
}
