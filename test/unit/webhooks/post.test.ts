import { createServer } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { post } from "../../../shared/services/webhooks/post.ts";
import { type Receiver, startReceiver, status } from "../../support/webhook-receiver.ts";

const DEFAULTS = {
  headers: { "webhook-id": "a" },
  body: "{}",
  allowPrivate: true,
  connectMs: 1000,
  totalMs: 2000,
};

async function receiver(): Promise<Receiver> {
  const started = await startReceiver();
  onTestFinished(() => started[Symbol.asyncDispose]());
  return started;
}

describe("a POST", () => {
  test("sends body and headers, and gives the status", async () => {
    const target = await receiver();
    expect(await post(new URL(`${target.url}/a?b=c`), DEFAULTS)).toBe(204);
    expect(target.received).toMatchObject([{ path: "/a?b=c", body: "{}" }]);
    expect(target.received[0]?.headers).toMatchObject({ "webhook-id": "a", "content-length": "2" });
  });

  test("follows no redirect", async () => {
    const [target, other] = [await receiver(), await receiver()];
    for (const code of [301, 302, 303, 307, 308]) {
      target.answer(status(code, { location: `${other.url}/` }));
      expect(await post(new URL(target.url), DEFAULTS)).toBe(code);
    }
    expect(other.received).toEqual([]);
  });

  test("ends when there is no answer in time", async () => {
    const target = await receiver();
    target.answer(() => {});
    const started = Date.now();
    await expect(post(new URL(target.url), { ...DEFAULTS, totalMs: 200 })).rejects.toThrow(
      "no answer in time",
    );
    expect(Date.now() - started).toBeLessThan(1500);
  });

  test("ends when a receiver takes the connection but never speaks TLS", async () => {
    const mute = createServer((socket) => socket.on("error", () => {}));
    await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void mute.close());
    const address = mute.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const url = new URL(`https://127.0.0.1:${port}`);
    await expect(post(url, { ...DEFAULTS, connectMs: 200 })).rejects.toThrow(
      "no connection in time",
    );
  });

  test("counts the status of an answer that goes on for ever, and soon hangs up", async () => {
    const target = await receiver();
    let closed: () => void = () => {};
    const hungUp = new Promise<void>((resolve) => (closed = resolve));
    let sentBytes = 0;
    target.answer((_request, response) => {
      response.writeHead(200);
      response.on("close", closed);
      const more = (): void => {
        if (response.destroyed) return;
        sentBytes += 65_536;
        if (response.write(Buffer.alloc(65_536))) setImmediate(more);
        else response.once("drain", more);
      };
      more();
    });
    const started = Date.now();
    expect(await post(new URL(target.url), DEFAULTS)).toBe(200);
    await hungUp;
    expect(Date.now() - started).toBeLessThan(1500);
    // What the kernel's buffers hold has been sent, too.
    expect(sentBytes).toBeLessThan(32 * 1024 * 1024);
  });

  test("counts the status of an answer whose body comes too slowly", async () => {
    const target = await receiver();
    target.answer((_request, response) => void response.writeHead(200).write("a"));
    expect(await post(new URL(target.url), { ...DEFAULTS, totalMs: 300 })).toBe(200);
  });

  test("fails when the connection is reset", async () => {
    const target = await receiver();
    target.answer((request) => request.socket.resetAndDestroy());
    await expect(post(new URL(target.url), DEFAULTS)).rejects.toThrow(/ECONNRESET|socket hang up/);
  });

  test("fails when the headers of the answer are endless", async () => {
    const target = await receiver();
    target.answer((_request, response) => {
      response.writeHead(200, { "x-long": "a".repeat(100_000) }).end();
    });
    await expect(post(new URL(target.url), DEFAULTS)).rejects.toThrow();
  });

  test("is broken off by its caller", async () => {
    const target = await receiver();
    target.answer(() => {});
    const stop = new AbortController();
    const sending = post(new URL(target.url), { ...DEFAULTS, signal: stop.signal });
    await target.arrived(1);
    stop.abort(new Error("stopping"));
    await expect(sending).rejects.toThrow("stopping");
  });
});

describe("without private addresses", () => {
  const strict = { ...DEFAULTS, allowPrivate: false };

  test("a name that leads to loopback is not connected to", async () => {
    const target = await receiver();
    const { port } = new URL(target.url);
    await expect(post(new URL(`https://localhost:${port}/`), strict)).rejects.toThrow(
      "localhost leads to no public address",
    );
    expect(target.received).toEqual([]);
    // The same name, allowed, is the receiver's.
    expect(await post(new URL(`http://localhost:${port}/`), DEFAULTS)).toBe(204);
  });

  test("an address that is private is not connected to", async () => {
    const target = await receiver();
    const { port } = new URL(target.url);
    for (const host of ["127.0.0.1", "[::ffff:127.0.0.1]", "2130706433"]) {
      await expect(post(new URL(`https://${host}:${port}/`), strict)).rejects.toThrow(
        "not a public address",
      );
    }
  });

  test("plain http is refused", async () => {
    await expect(post(new URL("http://example.com/"), strict)).rejects.toThrow("only https");
  });

  test("metadata services are refused even when private addresses are allowed", async () => {
    await expect(post(new URL("http://169.254.169.254/"), DEFAULTS)).rejects.toThrow(
      "metadata service",
    );
  });
});
