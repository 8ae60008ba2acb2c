import { setTimeout as wait } from "node:timers/promises";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { decodedBody, readBody } from "../../shared/services/outbound-body.ts";
import { answer, endless, gzipBomb, half, raw, slowBody } from "../support/misbehaving-upstream.ts";
import { BYTES, failureOf, FILE, kindOf, Outbound, readOn, upstream } from "../support/outbound.ts";

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
    if (kind === "too-large") expect(failure.message).toMatch(/more than 2000000 bytes$/);
    await expect.poll(() => server.connections()).toBe(0);
  });

  test("that is slow comes whole, while each byte comes in time", async () => {
    const [outbound, server] = [new Outbound(), await upstream()];
    server.on("/slow", slowBody("twelve bytes", 40));
    const text = await outbound.text(`${server.url}/slow`, {
      headTimeoutMs: 250,
      idleTimeoutMs: 250,
    });
    expect(text).toBe("twelve bytes");
  });

  test("that says that it is too large is not begun", async () => {
    const [outbound, server] = [new Outbound(), await upstream()];
    server.on("/a", answer(FILE));
    const { body } = await outbound.send(`${server.url}/a`, { maxBodyBytes: BYTES - 1 });
    expect(await kindOf(body.getReader().read())).toBe("too-large");
  });

  test("is not late while nobody waits for it", async () => {
    const [outbound, server] = [new Outbound(), await upstream()];
    server.on("/a", async (_request, response) => {
      response.flushHeaders();
      await wait(200);
      response.end("words");
    });
    const got = await outbound.send(`${server.url}/a`, { idleTimeoutMs: 100 });
    await wait(250);
    expect(Buffer.from(await readBody(got, BYTES)).toString()).toBe("words");
  });

  test("that is reset while nobody reads it is whoever reads it later's to hear of", async () => {
    const [outbound, server] = [new Outbound(), await upstream()];
    server.on("/a", half(FILE, "reset"));
    const got = await outbound.send(`${server.url}/a`);
    await expect.poll(() => server.connections()).toBe(0);
    await wait(50);
    expect(await kindOf(readBody(got, BYTES))).toBe("reset");
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
