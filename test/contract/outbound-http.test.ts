import { getEventListeners } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { readBody } from "../../shared/services/outbound-body.ts";
import {
  answer,
  BROKEN,
  endless,
  half,
  hangUp,
  raw,
  redirect,
  slowHead,
  wrongBytes,
} from "../support/misbehaving-upstream.ts";
import { BYTES, failureOf, FILE, kindOf, Outbound, readOn, upstream } from "../support/outbound.ts";

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

  test("that the server closes as they are used again are replaced, and nobody notices", async () => {
    const [outbound, server] = [new Outbound(), await upstream()];
    const kept = new Set<unknown>();
    server.on("/a", (request, response) => {
      kept.add(request.socket);
      return slowHead(50, answer("words"))(request, response);
    });
    server.on("/b", (request, response) =>
      kept.has(request.socket) ? hangUp(request, response) : answer("more")(request, response),
    );
    await Promise.all([1, 2, 3].map(() => outbound.text(`${server.url}/a`)));
    expect(await server.connections()).toBe(3);
    // One is tried, and then none of the other two, which are likely to be as dead.
    expect(await outbound.text(`${server.url}/b`)).toBe("more");
    expect(server.requests("/b")).toBe(2);
  });

  test("that are new and closed at once are not tried again", async () => {
    const [outbound, server] = [new Outbound(), await upstream()];
    server.on("/a", hangUp);
    expect(await kindOf(outbound.send(`${server.url}/a`))).toBe("reset");
    expect(server.requests("/a")).toBe(1);
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
      await wait(100);
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
    expect(getEventListeners(stop.signal, "abort")).toEqual([]);
    stop.abort();
    expect(await next).toBe("words");
    expect(await server.connections()).toBe(1);
  });
});
