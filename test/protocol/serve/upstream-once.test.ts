import { expect, test } from "vitest";
import { startUpstream } from "../../support/misbehaving-upstream.ts";
import { startServer } from "../../support/server.ts";
import { servePackage, tarballPath, upstreamVersion } from "../npm/upstream-packages.ts";

test("two processes over one folder ask an upstream once for what 100 clients want at the same time", async () => {
  await using upstream = await startUpstream();
  const version = await upstreamVersion("left-pad", "1.0.0");
  servePackage(upstream, "left-pad", [version]);
  const first = await startServer();
  const second = await startServer({ folder: first.folder });
  try {
    const settings = { key: "public", ecosystem: "npm", url: upstream.url, allowPrivate: true };
    await first.api("/upstreams", { method: "POST", body: JSON.stringify(settings) });
    const proxy = { slug: "mirror", ecosystem: "npm", kind: "proxy", upstream: "public" };
    await first.createRegistry(proxy);
    const ask = (path: string): Promise<readonly number[]> =>
      Promise.all(
        Array.from({ length: 100 }, async (_, number) => {
          const { url, adminToken } = number % 2 === 0 ? first : second;
          const response = await fetch(`${url}/npm/mirror${path}`, {
            headers: { authorization: `Bearer ${adminToken}` },
          });
          await response.arrayBuffer();
          return response.status;
        }),
      );
    for (const path of ["/left-pad", tarballPath("left-pad", "1.0.0")]) {
      expect(new Set(await ask(path))).toEqual(new Set([200]));
      expect(upstream.requests(path)).toBe(1);
    }
  } finally {
    await second.stop({ keepData: true });
    await first.stop();
  }
});
