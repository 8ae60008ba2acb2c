import { setTimeout as wait } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import { NodeOutboundHttp } from "../../shared/adapters/http/node-outbound-http.ts";
import {
  type OutboundAnswer,
  OutboundError,
  type OutboundRequest,
} from "../../shared/ports/outbound-http.ts";
import { decodedBody, readBody } from "../../shared/services/outbound-body.ts";
import {
  answer,
  BROKEN,
  endless,
  gzipBomb,
  half,
  hangUp,
  type MisbehavingUpstream,
  raw,
  redirect,
  slowBody,
  slowHead,
  startUpstream,
  wrongBytes,
} from "../support/misbehaving-upstream.ts";
import { selfSignedCertificate } from "../support/self-signed-certificate.ts";

const BYTES = 1_000_000;
const FILE = Buffer.alloc(BYTES, "entrepot ");

type Options = Partial<Omit<OutboundRequest, "url">>;

class Outbound {
  readonly http = new NodeOutboundHttp();

  constructor() {
    onTestFinished(() => this.http.close());
  }

  send(url: string, options: Options = {}): Promise<OutboundAnswer> {
    return this.http.send({
      method: "GET",
      url,
      headers: {},
      credentials: {},
      allowPrivate: true,
      headTimeoutMs: 2000,
      idleTimeoutMs: 2000,
      maxBodyBytes: 2 * BYTES,
      ...options,
    });
  }

  /** Sends, reads the body and gives it as text. */
  async text(url: string, options: Options = {}): Promise<string> {
    const bytes = await readBody(await this.send(url, options), 2 * BYTES);
    return Buffer.from(bytes).toString();
  }
}

async function upstream(
  ...options: Parameters<typeof startUpstream>
): Promise<MisbehavingUpstream> {
  const started = await startUpstream(...options);
  onTestFinished(() => started.close());
  return started;
}

async function failureOf(attempt: Promise<unknown>): Promise<OutboundError> {
  const failure = await attempt.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(failure instanceof OutboundError)) throw new Error(`no OutboundError: ${String(failure)}`);
  return failure;
}

const kindOf = async (attempt: Promise<unknown>): Promise<string> =>
  (await failureOf(attempt)).kind;

/** Trusts a certificate until the test is over, as `NODE_EXTRA_CA_CERTS` does from the start. */
function trust(cert: string): void {
  const before = getCACertificates("default");
  setDefaultCACertificates([...before, cert]);
  onTestFinished(() => setDefaultCACertificates(before));
}

describe("an answer", () => {
  test("has status, headers, URL and the bytes as they came", async () => {
    const [outbound, server] = [new Outbound(), await upstream()];
    server.on("/file", answer(FILE, { headers: { etag: '"a"', "x-two": "ü" } }));
    const got = await outbound.send(`${server.url}/file?b=c#d`, { headers: { accept: "x/y" } });
    expect([got.status, got.url]).toEqual([200, `${server.url}/file?b=c`]);
    expect(got.headers.get("etag")).toBe('"a"');
    expect(Buffer.from(await readBody(got, BYTES)).equals(FILE)).toBe(true);
    expect(server.received).toMatchObject([
      { method: "GET", path: "/file?b=c", headers: { accept: "x/y", "user-agent": "entrepot" } },
    ]);
    expect(server.received[0]?.headers).not.toHaveProperty("accept-encoding");
  });

  test.each([401, 403, 404, 410, 429, 500, 503])("of status %i is one", async (status) => {
    const [outbound, server] = [new Outbound(), await upstream()];
    server.on("/a", answer("words", { status, headers: { "retry-after": "7" } }));
    const got = await outbound.send(`${server.url}/a`);
    expect([got.status, got.headers.get("retry-after")]).toEqual([status, "7"]);
    expect(Buffer.from(await readBody(got, 10)).toString()).toBe("words");
  });

  test("to HEAD has no body, and its length is no promise", async () => {
    const [outbound, server] = [new Outbound(), await upstream()];
    server.on("/file", answer(FILE));
    const got = await outbound.send(`${server.url}/file`, { method: "HEAD", maxBodyBytes: 1 });
    expect(got.headers.get("content-length")).toBe(String(BYTES));
    expect(await readBody(got, 0)).toHaveLength(0);
    expect(server.received).toMatchObject([{ method: "HEAD" }]);
  });

  test("says 304 to what has not changed", async () => {
    const [outbound, server] = [new Outbound(), await upstream()];
    const date = "Sat, 21 Nov 2026 10:00:00 GMT";
    server.on("/a", answer("words", { headers: { etag: '"a"', "last-modified": date } }));
    for (const condition of [{ "if-none-match": '"a"' }, { "if-modified-since": date }]) {
      const got = await outbound.send(`${server.url}/a`, { headers: condition });
      expect([got.status, got.headers.get("etag")]).toEqual([304, '"a"']);
      expect(await readBody(got, 0)).toHaveLength(0);
    }
    const changed = await outbound.text(`${server.url}/a`, { headers: { "if-none-match": '"b"' } });
    expect(changed).toBe("words");
  });

  test.each([
    ["bytes that are wrong", wrongBytes(FILE), BYTES],
    ["JSON that is cut", answer(BROKEN.json), BROKEN.json.length],
    ["HTML that is cut", answer(BROKEN.html), BROKEN.html.length],
    ["XML that is cut", answer(BROKEN.xml), BROKEN.xml.length],
  ])("of %s is the reader's affair", async (_words, behaviour, lengthBytes) => {
    const [outbound, server] = [new Outbound(), await upstream()];
    server.on("/a", behaviour);
    expect(await outbound.text(`${server.url}/a`)).toHaveLength(lengthBytes);
  });
});

describe("connections", () => {
  test("are used again", async () => {
    const [outbound, server] = [new Outbound(), await upstream()];
    server.on("/a", answer("words"));
    const { port } = new URL(server.url);
    for (let time = 0; time < 5; time += 1) {
      expect(await outbound.text(`http://localhost:${port}/a`)).toBe("words");
    }
    expect(await server.connections()).toBe(1);
  });

  test("are used again after a redirect, HEAD and 304", async () => {
    const [outbound, server] = [new Outbound(), await upstream()];
    server.on("/a", answer("words", { headers: { etag: '"a"' } }));
    server.on("/b", redirect("/a"));
    for (const path of ["/a", "/b", "/a", "/b"]) {
      const url = server.url + path;
      for (const method of ["HEAD", "GET"] as const) {
        const got = await outbound.send(url, { method, headers: { "if-none-match": '"a"' } });
        expect([got.status, got.url]).toEqual([304, `${server.url}/a`]);
        await wait(20);
      }
    }
    // One is still reading a redirect's body away when the next request leaves.
    expect(await server.connections()).toBeLessThanOrEqual(2);
  });

  test("that the server closes as they are used again are replaced once, and nobody notices", async () => {
    const [outbound, server] = [new Outbound(), await upstream()];
    server.on("/a", answer("words"));
    let hungUp = 0;
    server.on("/b", (request, response) => {
      hungUp += 1;
      return hungUp === 1 ? hangUp(request, response) : answer("more")(request, response);
    });
    expect(await outbound.text(`${server.url}/a`)).toBe("words");
    expect(await outbound.text(`${server.url}/b`)).toBe("more");
    server.on("/b", hangUp);
    expect(await outbound.text(`${server.url}/a`)).toBe("words");
    expect(await kindOf(outbound.send(`${server.url}/b`))).toBe("reset");
    expect(server.requests("/b")).toBe(4);
  });

  test("are closed by whoever cancels a body", async () => {
    const [outbound, server] = [new Outbound(), await upstream()];
    server.on("/endless", endless());
    server.on("/stall", half(FILE, "stall"));
    for (const path of ["/endless", "/stall"]) {
      const { body } = await outbound.send(server.url + path);
      const reader = body.getReader();
      await reader.read();
      // One that waits for bytes is not in the way.
      const waiting = path === "/stall" ? readOn(reader) : undefined;
      await reader.cancel();
      await waiting;
      await expect.poll(() => server.connections()).toBe(0);
    }
  });

  test("that nobody reads from are not read from either", async () => {
    const [outbound, server] = [new Outbound(), await upstream()];
    let sentBytes = 0;
    server.on("/endless", async (_request, response) => {
      response.writeHead(200);
      while (response.write(Buffer.alloc(65_536)) && sentBytes < 100 * BYTES) {
        sentBytes += 65_536;
        await wait(1);
      }
    });
    const { body } = await outbound.send(`${server.url}/endless`, { idleTimeoutMs: 50 });
    await wait(300);
    expect(sentBytes).toBeLessThan(20 * BYTES);
    // A reader who takes long is no server that does.
    await expect(body.getReader().read()).resolves.toMatchObject({ done: false });
  });

  test("that are kept are closed with it", async () => {
    const [outbound, server] = [new Outbound(), await upstream()];
    server.on("/a", answer("words"));
    await outbound.text(`${server.url}/a`);
    await outbound.http.close();
    await expect.poll(() => server.connections()).toBe(0);
  });
});

async function readOn(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  for (;;) if ((await reader.read()).done) return;
}

describe("a body", () => {
  test.each([
    ["ends before its length", half(FILE, "truncate"), "truncated"],
    ["is reset", half(FILE, "reset"), "reset"],
    ["stalls", half(FILE, "stall"), "timeout"],
    ["is endless", endless(), "too-large"],
    ["says that it is too large", answer(Buffer.alloc(3 * BYTES)), "too-large"],
    [
      "ends within a chunk",
      raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab"),
      "truncated",
    ],
    [
      "ends without the last chunk",
      raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n"),
      "truncated",
    ],
    [
      "has chunks that are none",
      raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\nzz\r\n"),
      "malformed",
    ],
  ])("that %s fails, and the connection with it", async (_words, behaviour, kind) => {
    const [outbound, server] = [new Outbound(), await upstream()];
    server.on("/file", behaviour);
    const got = await outbound.send(`${server.url}/file?signature=secret`, { idleTimeoutMs: 200 });
    expect(got.status).toBe(200);
    const failure = await failureOf(readBody(got, 10 * BYTES));
    expect(failure.kind).toBe(kind);
    expect(failure.message).toContain(new URL(server.url).host);
    expect(failure.message).not.toContain("secret");
    await expect.poll(() => server.connections()).toBe(0);
  });

  test("that is slow comes whole, while each byte comes in time", async () => {
    const [outbound, server] = [new Outbound(), await upstream()];
    server.on("/slow", slowBody("twelve bytes", 40));
    const text = await outbound.text(`${server.url}/slow`, { idleTimeoutMs: 300 });
    expect(text).toBe("twelve bytes");
  });

  test("of many tiny chunks arrives in few", async () => {
    const [outbound, server] = [new Outbound(), await upstream()];
    const chunks = "1\r\na\r\n".repeat(20_000);
    server.on("/a", raw(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`));
    const { body } = await outbound.send(`${server.url}/a`);
    let [count, bytes] = [0, 0];
    for await (const chunk of body) {
      count += 1;
      bytes += chunk.byteLength;
    }
    expect(bytes).toBe(20_000);
    expect(count).toBeLessThan(200);
  });
});

describe("no answer", () => {
  test("in time", async () => {
    const [outbound, server] = [new Outbound(), await upstream()];
    server.on("/slow", slowHead(5000, answer("words")));
    const started = Date.now();
    const failure = await failureOf(outbound.send(`${server.url}/slow`, { headTimeoutMs: 150 }));
    expect([failure.kind, failure.message]).toEqual([
      "timeout",
      `${new URL(server.url).host} did not answer within 150 ms`,
    ]);
    expect(Date.now() - started).toBeLessThan(1500);
    server.on("/slow", slowHead(100, answer("words")));
    expect(await outbound.text(`${server.url}/slow`)).toBe("words");
  });

  test.each([
    ["nobody there", "unreachable"],
    ["a hang-up", "reset"],
    ["something else than HTTP", "malformed"],
    ["a head without end", "malformed"],
    ["a change of protocol", "reset"],
  ])("but %s", async (words, kind) => {
    const [outbound, server] = [new Outbound(), await upstream()];
    if (words === "nobody there") await server.close();
    server.on(
      "/a",
      words === "a hang-up"
        ? hangUp
        : raw(
            words === "a head without end"
              ? `HTTP/1.1 200 OK\r\nx-long: ${"a".repeat(100_000)}`
              : words === "a change of protocol"
                ? "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"
                : "SSH-2.0-OpenSSH_9.2\r\n",
          ),
    );
    expect(await kindOf(outbound.send(`${server.url}/a`))).toBe(kind);
  });

  test("from a name that does not exist", async () => {
    const failure = await failureOf(new Outbound().send("https://upstream.invalid/?a=secret"));
    expect(failure.kind).toBe("unreachable");
    expect(failure.message).toMatch(/^upstream\.invalid cannot be reached \(E\w+\)$/);
  });

  test("to a header that cannot be sent, which stays secret", async () => {
    const [outbound, server] = [new Outbound(), await upstream()];
    const credentials = { authorization: "Bearer secret\n" };
    const failure = await failureOf(outbound.send(server.url, { credentials }));
    expect(failure.kind).toBe("malformed");
    expect(failure.message).toContain("a character that cannot be sent");
    expect(failure.message).not.toContain("secret");
  });
});

describe("a signal", () => {
  test("breaks off waiting for the head, and the body", async () => {
    const [outbound, server] = [new Outbound(), await upstream()];
    const reason = new Error("stopping");
    server.on("/slow", slowHead(5000, answer("words")));
    const stop = new AbortController();
    const waiting = outbound.send(`${server.url}/slow`, { signal: stop.signal });
    await expect.poll(() => server.requests("/slow")).toBe(1);
    stop.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(outbound.send(server.url, { signal: stop.signal })).rejects.toBe(reason);

    server.on("/stall", half(FILE, "stall"));
    const next = new AbortController();
    const got = await outbound.send(`${server.url}/stall`, { signal: next.signal });
    const reading = readBody(got, BYTES);
    setTimeout(() => next.abort(reason), 50);
    await expect(reading).rejects.toBe(reason);
    await expect.poll(() => server.connections()).toBe(0);
  });

  test("that comes after the end breaks nothing", async () => {
    const [outbound, server] = [new Outbound(), await upstream()];
    server.on("/a", answer("words"));
    const stop = new AbortController();
    await outbound.text(`${server.url}/a`, { signal: stop.signal });
    const next = outbound.text(`${server.url}/a`);
    stop.abort();
    expect(await next).toBe("words");
    expect(await server.connections()).toBe(1);
  });
});

describe("redirects", () => {
  test.each([301, 302, 303, 307, 308])("of %i are followed", async (status) => {
    const [outbound, server] = [new Outbound(), await upstream()];
    server.on("/a", answer("words"));
    server.on("/b", redirect("a?signature=x#y", status));
    const got = await outbound.send(`${server.url}/b`, { method: "HEAD" });
    expect([got.status, got.url]).toEqual([200, `${server.url}/a?signature=x`]);
    expect(server.received.map(({ method }) => method)).toEqual(["HEAD", "HEAD"]);
  });

  test("without a place are answers, and so is a place without a redirect", async () => {
    const [outbound, server] = [new Outbound(), await upstream()];
    server.on("/a", answer("", { status: 302 }));
    server.on("/b", answer("", { status: 201, headers: { location: "/a" } }));
    expect((await outbound.send(`${server.url}/a`)).status).toBe(302);
    expect((await outbound.send(`${server.url}/b`)).status).toBe(201);
  });

  test("may lead to a path that is not escaped", async () => {
    const [outbound, server] = [new Outbound(), await upstream()];
    server.on("/a", redirect(Buffer.from("/ü").toString("latin1")));
    server.on("/%C3%BC", answer("words"));
    expect(await outbound.text(`${server.url}/a`)).toBe("words");
  });

  test("are followed five times, and a loop so often", async () => {
    const [outbound, server] = [new Outbound(), await upstream()];
    for (let hop = 5; hop > 0; hop -= 1) server.on(`/${hop}`, redirect(`/${hop - 1}`));
    server.on("/0", answer("words"));
    expect(await outbound.text(`${server.url}/5`)).toBe("words");
    server.on("/loop", redirect("/loop"));
    expect(await kindOf(outbound.send(`${server.url}/loop`))).toBe("redirects");
    expect(server.requests("/loop")).toBe(6);
  });

  test.each([
    "file:///etc/passwd",
    "ftp://127.0.0.1/",
    "data:text/plain,a",
    "http://169.254.169.254/latest/meta-data/?secret",
    "http://[fd00:ec2::254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://user:secret@127.0.0.1/",
  ])("to %s are refused, whatever is allowed", async (location) => {
    const [outbound, server] = [new Outbound(), await upstream()];
    server.on("/a", redirect(location));
    const failure = await failureOf(outbound.send(`${server.url}/a`));
    expect(failure.kind).toBe("refused-address");
    expect(failure.message).not.toContain("secret");
  });

  test("to no URL are malformed", async () => {
    const [outbound, server] = [new Outbound(), await upstream()];
    server.on("/a", redirect("http://[secret"));
    const failure = await failureOf(outbound.send(`${server.url}/a`));
    expect([failure.kind, failure.message]).toEqual([
      "malformed",
      `${new URL(server.url).host} redirects to no URL`,
    ]);
  });

  test("take credentials along within an origin, and never to another nor back", async () => {
    const [outbound, first, second] = [new Outbound(), await upstream(), await upstream()];
    first.on("/a", redirect("/b"));
    first.on("/b", redirect(`${second.url}/c`));
    second.on("/c", redirect(`${first.url}/d`));
    first.on("/d", answer("words"));
    const credentials = { authorization: "Bearer secret", "x-api-key": "secret" };
    const headers = { accept: "x/y" };
    expect(await outbound.text(`${first.url}/a`, { headers, credentials })).toBe("words");
    const [a, b, d] = first.received;
    for (const one of [a, b]) expect(one?.headers).toMatchObject({ ...headers, ...credentials });
    for (const one of [d, second.received[0]]) {
      expect(one?.headers).toMatchObject(headers);
      for (const name of Object.keys(credentials)) expect(one?.headers).not.toHaveProperty(name);
    }
  });

  test("with a body of their own, long or slow, do not wait for it", async () => {
    const [outbound, server] = [new Outbound(), await upstream()];
    const headers = { location: "/a" };
    server.on("/a", answer("words"));
    server.on("/long", answer(FILE, { status: 302, headers }));
    server.on("/stalled", half("some words", "stall", { status: 302, headers }));
    const started = Date.now();
    for (const path of ["/long", "/stalled", "/stalled"]) {
      expect(await outbound.text(server.url + path)).toBe("words");
    }
    expect(Date.now() - started).toBeLessThan(900);
    // Only the one that was read to its end is kept.
    await expect.poll(() => server.connections(), { timeout: 5000 }).toBe(1);
  });
});

describe("without private addresses", () => {
  const strict = { allowPrivate: false };

  test.each(["https://127.0.0.1:1", "https://[::1]:1", "https://2130706433:1", "https://10.0.0.1"])(
    "%s is not connected to",
    async (url) => {
      const failure = await failureOf(new Outbound().send(url, strict));
      expect(failure.kind).toBe("refused-address");
      expect(failure.message).toContain("is not a public address");
    },
  );

  test("a name that leads to loopback is not connected to, also not over a connection of others", async () => {
    const certificate = selfSignedCertificate();
    trust(certificate.cert);
    const [outbound, server] = [new Outbound(), await upstream({ certificate })];
    server.on("/a", answer("words"));
    const url = `https://localhost:${new URL(server.url).port}/a`;
    expect(await outbound.text(url)).toBe("words");
    const failure = await failureOf(outbound.send(url, strict));
    expect(failure.kind).toBe("refused-address");
    expect(failure.message).toContain("localhost leads to no public address");
    expect(server.requests("/a")).toBe(1);
  });

  test("plain http is refused", async () => {
    const failure = await failureOf(new Outbound().send("http://example.com/", strict));
    expect([failure.kind, failure.message]).toEqual([
      "refused-address",
      "example.com would be without TLS",
    ]);
  });
});

describe("TLS", () => {
  test("with a certificate that nobody trusts is refused, and spoken once it is trusted", async () => {
    const certificate = selfSignedCertificate();
    const [outbound, server] = [new Outbound(), await upstream({ certificate })];
    server.on("/a", answer("words"));
    const failure = await failureOf(outbound.send(`${server.url}/a`));
    expect([failure.kind, failure.message]).toEqual([
      "tls",
      `${new URL(server.url).host} has no TLS that is trusted (DEPTH_ZERO_SELF_SIGNED_CERT)`,
    ]);
    expect(server.requests()).toBe(0);
    trust(certificate.cert);
    expect(await outbound.text(`${server.url}/a`)).toBe("words");
  });

  test("with a certificate of another host is refused", async () => {
    const certificate = selfSignedCertificate("127.0.0.9");
    trust(certificate.cert);
    const [outbound, server] = [new Outbound(), await upstream({ certificate })];
    expect(await kindOf(outbound.send(server.url))).toBe("tls");
    expect(server.requests()).toBe(0);
  });

  test("is not spoken by a server of plain HTTP", async () => {
    const [outbound, server] = [new Outbound(), await upstream()];
    expect(await kindOf(outbound.send(server.url.replace("http:", "https:")))).toBe("tls");
  });

  test("is left only where private addresses are allowed, without credentials", async () => {
    const certificate = selfSignedCertificate();
    trust(certificate.cert);
    const [outbound, plain] = [new Outbound(), await upstream()];
    const server = await upstream({ certificate });
    plain.on("/a", answer("words"));
    server.on("/a", redirect(`${plain.url}/a`));
    const credentials = { authorization: "secret" };
    expect(await outbound.text(`${server.url}/a`, { credentials })).toBe("words");
    expect(plain.received[0]?.headers).not.toHaveProperty("authorization");
  });
});

describe("a decoded body", () => {
  test.each([
    ["gzip", gzipSync],
    ["x-gzip", gzipSync],
    ["br", brotliCompressSync],
    ["deflate", deflateSync],
    ["identity", (bytes: Buffer) => bytes],
  ] as const)("of %s is what was encoded", async (encoding, encode) => {
    const [outbound, server] = [new Outbound(), await upstream()];
    const headers = { "content-encoding": encoding };
    server.on("/a", answer(encode(FILE), { headers }));
    const text = await outbound.text(`${server.url}/a`, { headers: { "accept-encoding": "gzip" } });
    expect(text).toBe(FILE.toString());
    expect(server.received[0]?.headers["accept-encoding"]).toBe("gzip");
  });

  test("of a bomb is decoded no further than the limit", async () => {
    const [outbound, server] = [new Outbound(), await upstream()];
    server.on("/bomb", gzipBomb(500_000_000));
    const got = await outbound.send(`${server.url}/bomb`);
    const before = process.memoryUsage().rss;
    expect(await kindOf(readBody(got, BYTES))).toBe("too-large");
    expect(process.memoryUsage().rss - before).toBeLessThan(50_000_000);
    await expect.poll(() => server.connections()).toBe(0);
  });

  test.each([
    ["is not what it says", "gzip", Buffer.from("words"), "malformed"],
    ["ends early", "gzip", gzipSync(FILE).subarray(0, 500), "malformed"],
    ["ends early in brotli", "br", brotliCompressSync(FILE).subarray(0, 20), "malformed"],
    ["is encoded twice", "gzip, gzip", gzipSync(gzipSync(FILE)), "malformed"],
    ["is encoded in a new way", "zstd", FILE, "malformed"],
  ])("that %s fails, and the connection with it", async (_words, encoding, bytes, kind) => {
    const [outbound, server] = [new Outbound(), await upstream()];
    const headers = { "content-encoding": encoding };
    server.on("/a", answer(bytes, { headers }));
    expect(await kindOf(outbound.text(`${server.url}/a`))).toBe(kind);
  });

  test.each(["truncate", "reset", "stall"] as const)(
    "fails as the body itself does: %s",
    async (then) => {
      const [outbound, server] = [new Outbound(), await upstream()];
      const headers = { "content-encoding": "gzip" };
      const random = Buffer.from(Array.from({ length: 500_000 }, (_, at) => (at * at) % 251));
      server.on("/a", half(gzipSync(random), then, { headers }));
      const kind = { truncate: "truncated", reset: "reset", stall: "timeout" }[then];
      expect(await kindOf(outbound.text(`${server.url}/a`, { idleTimeoutMs: 200 }))).toBe(kind);
    },
  );

  test("that is cancelled closes the connection", async () => {
    const [outbound, server] = [new Outbound(), await upstream()];
    const headers = { "content-encoding": "gzip" };
    server.on("/a", half(gzipSync(FILE), "stall", { headers }));
    server.on("/b", half(FILE, "stall"));
    for (const path of ["/a", "/b"]) {
      const reader = decodedBody(await outbound.send(server.url + path), BYTES).getReader();
      const waiting = readOn(reader);
      await wait(50);
      await reader.cancel();
      await waiting;
      await expect.poll(() => server.connections()).toBe(0);
    }
  });
});
