import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request as httpsRequest } from "node:https";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { programPath } from "../../support/programs.ts";
import {
  buildTarball,
  packagePath,
  publishBody,
  readPackument,
} from "../../support/npm-package.ts";
import { startServer, type TestServer } from "../../support/server.ts";

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function start(options?: Parameters<typeof startServer>[0]): Promise<TestServer> {
  const server = await startServer(options);
  stops.push(() => server.stop());
  return server;
}

const put = (server: TestServer, path: string, body: RequestInit["body"]): Promise<Response> =>
  fetch(`${server.url}/generic/files/${path}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${server.adminToken}` },
    ...(body === undefined || body === null ? {} : { body }),
    ...(body instanceof ReadableStream ? { duplex: "half" } : {}),
  });

/** The beginning of what the server answers to bytes on a connection of their own. */
function exchange(server: TestServer, bytes: string): Promise<string> {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve) => {
    let received = "";
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    socket.on("data", (chunk) => {
      received += chunk.toString();
      socket.destroy();
    });
    socket.on("close", () => resolve(received));
    socket.on("error", () => resolve(received));
    socket.setTimeout(3000, () => socket.destroy());
  });
}

describe("the embedded server", () => {
  it("answers each request with an id, which stands in its log with no secret", async () => {
    const server = await start();
    const secret = `ep_at_000000000000_${"s".repeat(38)}`;
    const response = await fetch(`${server.url}/npm/nothing/here?token=${secret}`, {
      headers: { authorization: `Bearer ${secret}` },
    });
    expect(response.status).toBe(401);
    const id = response.headers.get("x-request-id") ?? "";
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    await expect.poll(() => server.output(), { timeout: 5000 }).toContain(id);
    await fetch(`${server.url}/npm/nothing/-/user/token/${secret}`, { method: "DELETE" });
    await expect.poll(() => server.output(), { timeout: 5000 }).toContain("/-/user/token/");
    expect(server.output()).not.toContain("ssssss");
    expect(server.output()).not.toContain(server.adminToken);
  });

  it("logs a request in one line for people too", async () => {
    const server = await start({ args: ["--log", "pretty"] });
    await fetch(`${server.url}/npm/%1b%5b31mred%0anew`);
    const line = /^\[[\d:.]+\] INFO: request \{.*"path":"\/npm\/%1b%5b31mred%0anew".*\}$/m;
    await expect.poll(() => server.output(), { timeout: 5000 }).toMatch(line);
  });

  it.each(["/", "/healthz", "/readyz", "/metrics"])("only reads %s", async (path) => {
    const server = await start();
    expect((await fetch(`${server.url}${path}`, { method: "HEAD" })).status).toBe(200);
    for (const method of ["OPTIONS", "POST", "DELETE"]) {
      const answer = await fetch(`${server.url}${path}`, { method });
      expect(answer.status).toBe(405);
      expect(answer.headers.get("allow")).toBe("GET, HEAD");
    }
  });

  it("tells a health check how it is", async () => {
    const server = await start();
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect(await (await fetch(`${server.url}/readyz`)).json()).toMatchObject({ status: "ready" });
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toContain('entrepot_http_requests_total{protocol="health"');
  });

  it("finishes the requests in flight before it stops", async () => {
    const server = await start();
    await server.createRegistry({ slug: "files", ecosystem: "generic" });
    let finish = (): void => {};
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(Buffer.from("first half, "));
        finish = () => {
          controller.enqueue(Buffer.from("second half"));
          controller.close();
        };
      },
    });
    const uploading = put(server, "slow/1.0.0/file", body);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const stopped = server.stop({ keepData: true });
    await new Promise((resolve) => setTimeout(resolve, 200));
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
    finish();
    expect((await uploading).status).toBe(201);
    // The client keeps its connection for a next request, which the server must not wait for (it gives up after 30 s).
    const waited = sleep(15_000, "waits for nothing", { ref: false });
    expect(await Promise.race([stopped, waited])).toBeUndefined();
    expect(server.process.exitCode).toBe(0);
    const again = await start({ folder: server.folder });
    const response = await fetch(`${again.url}/generic/files/slow/1.0.0/file`, {
      headers: { authorization: `Bearer ${again.adminToken}` },
    });
    expect(await response.text()).toBe("first half, second half");
  });

  it("drops an upload whose client goes away, and keeps nothing of it", async () => {
    const server = await start();
    await server.createRegistry({ slug: "files", ecosystem: "generic" });
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    socket.write(
      `PUT /generic/files/gone/1.0.0/file HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${server.adminToken}\r\nContent-Length: 1000000\r\n\r\n${"x".repeat(5000)}`,
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
    socket.destroy();
    await expect.poll(() => server.output(), { timeout: 5000 }).toContain('"status":499');
    expect((await put(server, "gone/1.0.0/other", "x")).status).toBe(201);
    const response = await fetch(`${server.url}/generic/files/gone/1.0.0/file`, {
      headers: { authorization: `Bearer ${server.adminToken}` },
    });
    expect(response.status).toBe(404);
  });

  it("keeps or ends a connection as the client says, also when it asks before it sends", async () => {
    const server = await start();
    await server.createRegistry({ slug: "files", ecosystem: "generic" });
    for (const connection of ["close", "keep-alive"]) {
      const request = httpRequest(`${server.url}/generic/files/asked/1.0.0/${connection}`, {
        method: "PUT",
        headers: {
          authorization: `Bearer ${server.adminToken}`,
          "content-length": "5",
          expect: "100-continue",
          connection,
        },
      });
      request.on("continue", () => request.end("bytes"));
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        request.on("response", resolve);
        request.on("error", reject);
        request.flushHeaders();
      });
      expect([response.statusCode, response.headers.connection]).toEqual([201, connection]);
      response.destroy();
    }
  });

  it("refuses what is no HTTP without falling over", async () => {
    const server = await start();
    for (const bytes of [
      "nonsense\r\n\r\n",
      `GET /${"a".repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      "GET / HTTP/1.1\r\nHost: x y\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
      "GET /npm/%ff%fe/%00 HTTP/1.1\r\nHost: x\r\n\r\n",
      "PUT /npm/a/b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ]) {
      expect(await exchange(server, bytes)).toMatch(/^HTTP\/1\.1 4\d\d/);
    }
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  });

  it.each([
    ["of HTTP/1.0 without a Host, as health checks send", "GET /healthz HTTP/1.0\r\n\r\n", 200],
    [
      "that names the whole URL, as for proxies (RFC 9112, 3.2.2)",
      "GET http://127.0.0.1/healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
      200,
    ],
    ["that Node refuses by itself", "GET /healthz HTTP/1.1\r\n\r\n", 400],
    [
      "whose body is coded in a way that nobody undoes here",
      "PUT /generic/f/p/1/f HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      501,
    ],
    ["that expects what nobody can", "GET / HTTP/1.1\r\nHost: x\r\nExpect: x\r\n\r\n", 417],
  ])("answers a request %s, with an id", async (_what, bytes, status) => {
    const answer = await exchange(await start(), bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toMatch(/^x-request-id: [0-9a-f-]{36}\r$/m);
  });

  it("sends downloads to blob storage with --downloads redirect, and no credentials with them", async () => {
    const server = await start({ args: ["--downloads", "redirect"] });
    await server.createRegistry({ slug: "files", ecosystem: "generic" });
    await put(server, "tool/1.0.0/file", "the bytes");
    const url = `${server.url}/generic/files/tool/1.0.0/file`;
    const headers = { authorization: `Bearer ${server.adminToken}` };
    const redirect = await fetch(url, { headers, redirect: "manual" });
    expect(redirect.status).toBe(307);
    expect(redirect.headers.get("cache-control")).toBe("no-store");
    const target = new URL(redirect.headers.get("location") ?? "", server.url);
    expect(await (await fetch(target)).text()).toBe("the bytes");
    const head = await fetch(url, { headers, method: "HEAD", redirect: "manual" });
    expect(head.status).toBe(200);
    expect(head.headers.get("content-length")).toBe("9");
  });

  it("refuses with --limits lambda what Lambda could not take, and says what to do", async () => {
    const server = await start({ args: ["--limits", "lambda"] });
    await server.createRegistry({ slug: "files", ecosystem: "generic" });
    await server.createRegistry({ slug: "libs", ecosystem: "maven" });
    expect((await put(server, "a/1.0.0/small", Buffer.alloc(4_000_000))).status).toBe(201);
    const large = await put(server, "a/1.0.0/large", Buffer.alloc(5_000_000));
    expect(large.status).toBe(413);
    const problem = { status: 413, detail: expect.stringContaining("entrepot push") };
    expect(await large.json()).toMatchObject(problem);
    const jar = await fetch(`${server.url}/maven/libs/org/example/demo/1.0/demo-1.0.jar`, {
      method: "PUT",
      headers: { authorization: `Bearer ${server.adminToken}` },
      body: Buffer.alloc(5_000_000),
    });
    expect([jar.status, await jar.json()]).toMatchObject([413, problem]);
  });

  it("limits requests by token and spares exempt ones", async () => {
    const server = await start({ args: ["--rate-limit", "30"] });
    const token = async (rateLimitExempt: boolean): Promise<string> => {
      const response = await server.api("/tokens", {
        method: "POST",
        body: JSON.stringify({
          description: "t",
          scopes: ["packages:read"],
          registries: [],
          rateLimitExempt,
        }),
      });
      return z.object({ token: z.string() }).parse(await response.json()).token;
    };
    const statuses = async (text: string): Promise<readonly number[]> => {
      const headers = { authorization: `Bearer ${text}` };
      const answers = await Promise.all(
        Array.from({ length: 40 }, () => fetch(`${server.url}/api/v1/whoami`, { headers })),
      );
      return answers.map(({ status }) => status);
    };
    const limited = await statuses(await token(false));
    expect(limited.filter((status) => status === 429)).toHaveLength(10);
    expect(await statuses(await token(true))).not.toContain(429);
  });

  it("slows down an address that keeps sending wrong credentials, and still serves right ones", async () => {
    const server = await start();
    const attempt = (text: string): Promise<Response> =>
      fetch(`${server.url}/api/v1/whoami`, { headers: { authorization: `Bearer ${text}` } });
    const statuses: number[] = [];
    for (let n = 0; n < 25; n++) statuses.push((await attempt(`wrong-${n}`)).status);
    expect(statuses.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 401));
    const refused = await attempt("wrong again");
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await attempt(server.adminToken)).status).toBe(200);
  });

  it("writes links for the host name that each client came by", async () => {
    const server = await start();
    await server.createRegistry({ slug: "js", ecosystem: "npm", visibility: "public" });
    const options = { name: "demo", version: "1.0.0" };
    const published = await fetch(server.url + packagePath("js", "demo"), {
      method: "PUT",
      headers: { authorization: `Bearer ${server.adminToken}`, "content-type": "application/json" },
      body: JSON.stringify(publishBody(options, await buildTarball(options))),
    });
    expect(published.ok).toBe(true);
    const other = server.url.replace("127.0.0.1", "localhost");
    for (const origin of [server.url, other]) {
      const response = await fetch(`${origin}/npm/js/demo`);
      const { versions } = await readPackument(response);
      expect(versions["1.0.0"]?.dist.tarball).toBe(`${origin}/npm/js/demo/-/demo-1.0.0.tgz`);
    }
  });

  const openssl = programPath("openssl");
  it.skipIf(openssl === undefined)("speaks TLS with --cert and --key (needs openssl)", async () => {
    const folder = mkdtempSync(join(tmpdir(), "entrepot-tls-"));
    const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
    execFileSync(
      openssl ?? "openssl",
      [
        ..."req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost".split(" "),
        "-keyout",
        key,
        "-out",
        cert,
      ],
      { stdio: "ignore" },
    );
    const server = await start({ args: ["--cert", cert, "--key", key] });
    expect(server.url).toMatch(/^https:/);
    const status = await new Promise((resolve, reject) => {
      httpsRequest(
        `${server.url}/healthz`,
        { ca: readFileSync(cert), servername: "localhost" },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      )
        .on("error", reject)
        .end();
    });
    expect(status).toBe(200);
    rmSync(folder, { recursive: true });
  });
});

it("takes the client's address from before its own proxies, and from nowhere else", async () => {
  const server = await startServer({ args: ["--trust-proxy", "--proxies", "2"] });
  try {
    const headers = { "x-forwarded-for": "198.51.100.9, 192.0.2.7, 203.0.113.5" };
    await fetch(`${server.url}/api/v1/whoami-of-nobody`, { headers });
    await expect.poll(() => server.output()).toContain('"address":"192.0.2.7"');
  } finally {
    await server.stop();
  }
});
