import { createHash } from "node:crypto";
import { Agent, type IncomingHttpHeaders, request } from "node:http";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildTarball, packagePath, publishBody } from "../../support/npm-package.ts";
import { startServer, type TestServer } from "../../support/server.ts";
import { ADMIN_TOKEN, openTestRegistry } from "../../support/services.ts";
import { Metrics } from "../../../cli/serve/metrics.ts";
import { createRouter } from "../../../cli/serve/router.ts";

const LAYER = Buffer.from("a layer");
const DIGEST = `sha256:${createHash("sha256").update(LAYER).digest("hex")}`;
const LARGE = Buffer.alloc(100 * 1024, "x");

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
}

describe("HEAD of the embedded server", () => {
  let server: TestServer;
  // One connection: bytes behind an answer that has none would break the next one.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });

  const send = async (method: string, path: string, body?: Uint8Array): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${server.adminToken}` };
      const sent = request(server.url + path, { method, agent, headers }, (answer) => {
        const { statusCode: status = 0, headers } = answer;
        buffer(answer).then((bytes) => resolve({ status, headers, bytes }), reject);
      });
      sent.once("error", reject).end(body);
    });

  beforeAll(async () => {
    server = await startServer();
    for (const ecosystem of ["generic", "npm", "oci"]) {
      await server.createRegistry({ slug: ecosystem, ecosystem, kind: "source" });
    }
    await send("PUT", "/generic/generic/tool/1.0.0/small", Buffer.from("small"));
    await send("PUT", "/generic/generic/tool/1.0.0/large", LARGE);
    await send("POST", `/v2/oci/app/blobs/uploads/?digest=${DIGEST}`, LAYER);
    const tarball = await buildTarball({ name: "demo", version: "1.0.0" });
    const published = publishBody({ name: "demo", version: "1.0.0" }, tarball);
    await send("PUT", packagePath("npm", "demo"), Buffer.from(JSON.stringify(published)));
  });

  afterAll(async () => {
    agent.destroy();
    await server.stop();
  });

  it.each([
    "/generic/generic/tool/1.0.0/small",
    "/generic/generic/tool/1.0.0/large",
    "/generic/generic/tool/1.0.0/",
    `/v2/oci/app/blobs/${DIGEST}`,
    "/npm/npm/demo",
    "/npm/npm/demo/-/demo-1.0.0.tgz",
    "/npm/npm/-/ping",
    "/api/v1/registries",
    "/",
  ])("of %s has what GET says, and no bytes", async (path) => {
    const got = await send("GET", path);
    const head = await send("HEAD", path);
    const again = await send("GET", path);
    const said = ({ status, headers }: Answer): unknown => ({
      ...headers,
      status,
      date: "",
      "x-request-id": "",
    });
    expect(got.status).toBe(200);
    expect(head.bytes.length).toBe(0);
    expect(said(head)).toEqual(said(got));
    expect(again.bytes.equals(got.bytes)).toBe(true);
    await expect
      .poll(() => server.output(), { timeout: 5000 })
      .toContain(`"method":"HEAD","path":"${path}"`);
  });

  it("of what is not there is a failure without bytes", async () => {
    for (const path of ["/generic/generic/tool/1.0.0/none", "/v2/oci/app/blobs/none", "/nowhere"]) {
      const head = await send("HEAD", path);
      expect([head.status >= 400, head.bytes.length]).toEqual([true, 0]);
    }
  });

  it.each(["small", "large"])("reads no bytes of a %s file", async (name) => {
    const registry = await openTestRegistry();
    await registry.createRegistry({ slug: "files", ecosystem: "generic" });
    const path = `/generic/files/tool/1.0.0/${name}`;
    await registry.request(path, { method: "PUT", body: name === "large" ? LARGE : "small" });
    const route = createRouter(registry.services, undefined, new Metrics(), { limits: "none" });
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
    const asked = new Request(`http://registry.test${path}`, { method: "HEAD", headers });
    const context = { address: "", requestId: "", actor: "" };
    const { status, body } = await route(path).handle(asked, context);
    expect([status, body]).toEqual([200, null]);
    await registry.close();
  });
});
