import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { startServer, type TestServer } from "../support/server.ts";

describe("on the wire", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
    await server.createRegistry({ slug: "files", ecosystem: "generic" });
  });
  afterAll(async () => server.stop());

  /** A path exactly as it is written: `fetch` would resolve its dots. */
  const send = (method: string, path: string, body = ""): Promise<number> =>
    new Promise((resolve, reject) => {
      const request = httpRequest(server.url, {
        method,
        path,
        headers: {
          authorization: `Bearer ${server.adminToken}`,
          "content-length": String(body.length),
        },
      });
      request.on("response", (response) => {
        response.resume();
        response.on("end", () => resolve(response.statusCode ?? 0));
      });
      request.on("error", reject);
      request.end(body);
    });

  test.each([
    "/generic/files/tool/1.0.0/../../../../etc/passwd",
    "/generic/files/tool/1.0.0/%2e%2e/%2e%2e/x",
    "/generic/files/tool/1.0.0/./x",
    "/generic/files/../files/tool/1.0.0/x//y",
    "/generic/files/tool/1.0.0/a\\b",
  ])("%s never stores anything outside of its version", async (path) => {
    const status = await send("PUT", path, "hostile");
    const listing = await server.api("/registries/files/packages");
    const { items } = z
      .object({ items: z.array(z.looseObject({ name: z.string() })) })
      .parse(await listing.json());
    if (status < 300) {
      expect(items.map(({ name }) => name)).toEqual(["tool"]);
      expect(
        (await server.api("/registries/files/packages/tool", { method: "DELETE" })).status,
      ).toBe(204);
    } else {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
      expect(items).toEqual([]);
    }
  });

  test("a client that goes away in the middle of an upload leaves nothing", async () => {
    await new Promise<void>((resolve) => {
      const request = httpRequest(`${server.url}/generic/files/tool/9.0.0/half`, {
        method: "PUT",
        headers: { authorization: `Bearer ${server.adminToken}`, "content-length": "1000000" },
      });
      request.on("error", () => resolve());
      request.write("half of it");
      setTimeout(() => request.destroy(new Error("gone")), 200);
    });
    expect(await send("GET", "/generic/files/tool/9.0.0/half")).toBe(404);
    expect(server.output()).not.toContain("request.failed");
  });
});
