import { describe, expect, test } from "vitest";
import { answer, half, redirect } from "../support/misbehaving-upstream.ts";
import { failureOf, FILE, kindOf, Outbound, trust, upstream } from "../support/outbound.ts";
import { selfSignedCertificate } from "../support/self-signed-certificate.ts";

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

  test("to a closed port are refused by any name for this machine, although private addresses are allowed", async () => {
    const [server, runtime] = [await upstream(), await upstream()];
    const { port } = new URL(runtime.url);
    const outbound = new Outbound({ closedPorts: [Number(port)] });
    for (const host of ["127.0.0.1", "localhost", "[::1]"]) {
      server.on("/a", redirect(`http://${host}:${port}/2018-06-01/runtime/invocation/next`));
      const failure = await failureOf(outbound.send(`${server.url}/a`));
      expect([failure.kind, failure.message]).toEqual([
        "refused-address",
        `${new URL(server.url).host} redirects to where we do not go: port ${port} is closed`,
      ]);
    }
    expect(runtime.requests()).toBe(0);
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
    server.on("/long-stalled", half(FILE, "stall", { status: 302, headers }));
    expect(await outbound.text(`${server.url}/long-stalled`)).toBe("words");
    await expect.poll(() => server.connections(), { timeout: 500 }).toBe(1);
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
