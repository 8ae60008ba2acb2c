import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  buildTarball,
  packagePath,
  publishBody,
  readPackument,
} from "../../support/npm-package.ts";
import { startServer, type TestServer } from "../../support/server.ts";

describe("two servers over one data folder", () => {
  let folder: string;
  let servers: readonly TestServer[];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "entrepot-two-"));
    servers = await Promise.all([startServer({ folder }), startServer({ folder })]);
    await servers[0]?.createRegistry({ slug: "shared", ecosystem: "npm" });
  });
  afterAll(async () => {
    for (const server of servers) await server.stop({ keepData: true });
    await rm(folder, { recursive: true });
  });

  const put = async (server: TestServer, name: string, version: string): Promise<number> => {
    const options = { name, version, files: { from: server.url } };
    const body = JSON.stringify(publishBody(options, await buildTarball(options)));
    const response = await fetch(server.url + packagePath("shared", name), {
      method: "PUT",
      headers: { authorization: `Bearer ${server.adminToken}`, "content-type": "application/json" },
      body,
    });
    await response.arrayBuffer();
    return response.status;
  };

  it("publish different versions of one package at once and lose none", async () => {
    const versions = Array.from({ length: 40 }, (_, n) => `1.0.${n}`);
    const statuses = await Promise.all(
      versions.map((version, n) => {
        const server = servers[n % 2];
        if (server === undefined) throw new Error("no server");
        return put(server, "busy", version);
      }),
    );
    expect(statuses.every((status) => status === 200 || status === 201)).toBe(true);
    for (const server of servers) {
      const response = await fetch(server.url + packagePath("shared", "busy"), {
        headers: { authorization: `Bearer ${server.adminToken}` },
      });
      const packument = await readPackument(response);
      expect(Object.keys(packument.versions).sort()).toEqual([...versions].sort());
      expect(Object.keys(packument.time)).toHaveLength(versions.length + 2);
    }
  });

  it("publish the same version at once and one of them wins", async () => {
    for (let round = 0; round < 5; round++) {
      const statuses = await Promise.all(
        servers.map((server) => put(server, "contested", `1.0.${round}`)),
      );
      expect(statuses.filter((status) => status === 200 || status === 201)).toHaveLength(1);
      expect(statuses.filter((status) => status === 403)).toHaveLength(1);
    }
  });
});
