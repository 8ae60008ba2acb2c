import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { servePackage, tarballPath, upstreamVersion } from "../protocol/npm/upstream-packages.ts";
import { type MisbehavingUpstream, startUpstream } from "../support/misbehaving-upstream.ts";
import { buildTarball, packagePath, publishBody, readPackument } from "../support/npm-package.ts";
import { createComposite, createProxy } from "../support/upstreams.ts";
import { describeDeployed } from "./describe-deployed.ts";

/** More than a request fetches itself. */
const LARGE_BYTES = 80 * 1024 * 1024;

describeDeployed("proxies and composites of a deployed registry", (deployment) => {
  let upstream: MisbehavingUpstream;
  let own: string;
  let proxy: string;
  let composite: string;
  beforeAll(async () => {
    upstream = await startUpstream();
    const name = randomBytes(5).toString("hex");
    proxy = `proxy-${name}`;
    composite = `all-${name}`;
    own = await deployment.createRegistry("npm");
    await createProxy(deployment, { slug: proxy, ecosystem: "npm", url: upstream.url });
    await createComposite(deployment, {
      slug: composite,
      ecosystem: "npm",
      upstreams: [own, proxy],
    });
  });
  afterAll(() => upstream[Symbol.asyncDispose]());

  const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

  /** Follows the redirect of a file, and comes again after 503 as clients do. */
  async function download(path: string): Promise<Buffer> {
    for (let tries = 1; ; tries++) {
      const answer = await deployment.request(path);
      await answer.arrayBuffer();
      if (answer.status === 503 && tries < 10) continue;
      expect(answer.status).toBe(307);
      const stored = await fetch(answer.headers.get("location") ?? "");
      return Buffer.from(await stored.arrayBuffer());
    }
  }

  test("a composite shows what was published here and what an upstream has, and gives both", async () => {
    const theirs = await upstreamVersion("left-pad", "1.0.0");
    servePackage(upstream, "left-pad", [theirs]);
    const options = { name: "@acme/own", version: "1.0.0" };
    const tarball = await buildTarball(options);
    const published = await deployment.request(packagePath(own, options.name), {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(publishBody(options, tarball)),
    });
    expect(published.status).toBe(201);
    for (const name of [options.name, "left-pad"]) {
      const packument = await readPackument(await deployment.request(packagePath(composite, name)));
      expect(Object.keys(packument.versions)).toEqual(["1.0.0"]);
    }
    const path = `/npm/${composite}${tarballPath("left-pad", "1.0.0")}`;
    for (let times = 0; times < 2; times++) {
      expect(sha256(await download(path))).toBe(sha256(theirs.tarball));
    }
    expect(upstream.requests(tarballPath("left-pad", "1.0.0"))).toBe(1);
  });

  test("the worker fetches a large file of an upstream", async () => {
    const tarball = randomBytes(LARGE_BYTES);
    servePackage(upstream, "large", [await upstreamVersion("large", "1.0.0", { tarball })]);
    const bytes = await download(`/npm/${proxy}${tarballPath("large", "1.0.0")}`);
    expect(sha256(bytes)).toBe(sha256(tarball));
    // The request's, which ended at its head, and the worker's.
    expect(upstream.requests(tarballPath("large", "1.0.0"))).toBe(2);
  });
});
