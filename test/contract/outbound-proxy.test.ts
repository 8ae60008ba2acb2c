import { createServer } from "node:http";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { answer, redirect } from "../support/misbehaving-upstream.ts";
import { failureOf, kindOf, Outbound, trust, upstream } from "../support/outbound.ts";
import { selfSignedCertificate } from "../support/self-signed-certificate.ts";

interface ConnectProxy {
  readonly url: string;
  /** What it was asked to connect to. */
  readonly asked: string[];
}

/** A proxy of a company: whatever name it is asked for, it leads to 127.0.0.1; `refused.example` it refuses. */
async function startProxy(): Promise<ConnectProxy> {
  const asked: string[] = [];
  const server = createServer();
  server.on("connect", ({ url = "" }, client) => {
    asked.push(url);
    const [host, port] = url.split(":");
    if (host === "refused.example") {
      client.end("HTTP/1.1 403 Forbidden\r\n\r\n");
      return;
    }
    const target = connect(Number(port), "127.0.0.1", () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      target.pipe(client).pipe(target);
    });
    for (const socket of [client, target]) {
      socket.on("error", () => socket.destroy());
      socket.on("close", () => [client, target].map((one) => one.destroy()));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { url: `http://user:secret@127.0.0.1:${port}`, asked };
}

test("a proxy is gone by where the variables say so, and looks names up itself", async () => {
  const certificate = selfSignedCertificate();
  trust(certificate.cert);
  const [proxy, server] = [await startProxy(), await upstream({ certificate })];
  server.on("/a", answer("words"));
  const { port } = new URL(server.url);
  const outbound = new Outbound({ proxyEnv: { HTTPS_PROXY: proxy.url } });
  // For us this name leads to loopback. That it is used shows who judges.
  const strict = { allowPrivate: false };
  for (let time = 0; time < 2; time += 1) {
    expect(await outbound.text(`https://localhost:${port}/a`, strict)).toBe("words");
  }
  expect(proxy.asked).toEqual([`localhost:${port}`]);

  const direct = new Outbound({ proxyEnv: { HTTPS_PROXY: proxy.url, NO_PROXY: "localhost" } });
  const failure = await failureOf(direct.send(`https://localhost:${port}/a`, strict));
  expect(failure.message).toContain("localhost leads to no public address");
  expect(await direct.text(`https://localhost:${port}/a`)).toBe("words");
  expect(proxy.asked).toHaveLength(1);
});

test("addresses and schemes are judged before a proxy hears of them", async () => {
  const certificate = selfSignedCertificate();
  trust(certificate.cert);
  const [proxy, server] = [await startProxy(), await upstream({ certificate })];
  const outbound = new Outbound({ proxyEnv: { HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url } });
  server.on("/a", redirect("http://169.254.169.254/latest/meta-data/"));
  const url = `https://localhost:${new URL(server.url).port}/a`;
  expect(await kindOf(outbound.send(url))).toBe("refused-address");
  expect(await kindOf(outbound.send("https://10.0.0.1/", { allowPrivate: false }))).toBe(
    "refused-address",
  );
  expect(proxy.asked).toHaveLength(1);
});

test("what a proxy refuses cannot be reached, and its password stays secret", async () => {
  const proxy = await startProxy();
  const outbound = new Outbound({ proxyEnv: { HTTPS_PROXY: proxy.url } });
  const failure = await failureOf(outbound.send("https://refused.example/"));
  expect(failure.kind).toBe("unreachable");
  expect(failure.message).toMatch(/^refused\.example cannot be reached/);
  expect(failure.message).not.toContain("secret");
});
