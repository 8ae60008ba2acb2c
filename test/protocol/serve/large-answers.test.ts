import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServer, type TestServer } from "../../support/server.ts";

const MEGABYTE = 1024 * 1024;
const FILES = 4;

describe("large answers of the embedded server", () => {
  let server: TestServer;
  const files = new Map<string, string>();

  const url = (name: string): string => `${server.url}/generic/files/big/1.0.0/${name}`;
  const auth = (): Record<string, string> => ({ authorization: `Bearer ${server.adminToken}` });
  const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

  beforeAll(async () => {
    server = await startServer();
    await server.createRegistry({ slug: "files", ecosystem: "generic", kind: "source" });
    for (let number = 0; number < FILES; number++) {
      // Sizes that end inside, at the end of and after a buffer of the server.
      const bytes = randomBytes(3 * MEGABYTE + ([0, 1, -1, 12_345][number] ?? 0));
      const name = `file-${number}`;
      files.set(name, sha256(bytes));
      const put = await fetch(url(name), { method: "PUT", headers: auth(), body: bytes });
      expect(put.status).toBe(201);
    }
  });

  afterAll(async () => {
    await server.stop();
  });

  it("have the right bytes, however many share the server's buffers", async () => {
    const names = [...files.keys()];
    const wanted = Array.from({ length: 6 }, () => names).flat();
    const got = await Promise.all(
      wanted.map(async (name) => {
        const answer = await fetch(url(name), { headers: auth() });
        return sha256(new Uint8Array(await answer.arrayBuffer()));
      }),
    );
    expect(got).toEqual(wanted.map((name) => files.get(name)));
  });

  it("come in ranges", async () => {
    const whole = new Uint8Array(
      await (await fetch(url("file-3"), { headers: auth() })).arrayBuffer(),
    );
    const headers = { ...auth(), range: `bytes=${MEGABYTE - 7}-${2 * MEGABYTE + 7}` };
    const answer = await fetch(url("file-3"), { headers });
    expect(answer.status).toBe(206);
    const part = new Uint8Array(await answer.arrayBuffer());
    expect(sha256(part)).toBe(sha256(whole.subarray(MEGABYTE - 7, 2 * MEGABYTE + 8)));
  });

  it("can be left in the middle without harm to others", async () => {
    await Promise.all(
      Array.from(
        { length: 20 },
        () =>
          new Promise<void>((resolve) => {
            const sent = request(url("file-0"), { headers: auth() }, (answer) => {
              answer.once("data", () => sent.destroy());
            });
            sent.on("error", () => undefined);
            sent.once("close", () => resolve());
            sent.end();
          }),
      ),
    );
    const answer = await fetch(url("file-0"), { headers: auth() });
    expect(sha256(new Uint8Array(await answer.arrayBuffer()))).toBe(files.get("file-0"));
    // Nothing is held open for those who left.
    await expect
      .poll(() => server.output().match(/answer\.cut/g)?.length ?? 0, { timeout: 5000 })
      .toBeGreaterThan(0);
  });

  it("leave the process with the allocator's frugal settings", () => {
    if (process.platform !== "linux") return;
    const environment = readFileSync(`/proc/${server.process.pid}/environ`, "latin1");
    expect(environment).toContain("MALLOC_ARENA_MAX=1");
  });
});
