import { createHash, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import {
  packumentPath,
  servePackage,
  tarballPath,
  type UpstreamVersion,
  upstreamVersion,
} from "../protocol/npm/upstream-packages.ts";
import { type Deployment, openDeployment } from "../support/aws/deployment.ts";
import {
  answer,
  half,
  type MisbehavingUpstream,
  slowHead,
  startUpstream,
  wrongBytes,
} from "../support/misbehaving-upstream.ts";
import { npmClientPath, openClientHome } from "../support/npm-clients.ts";
import { describeWhen } from "../support/programs.ts";
import { createComposite, createProxy } from "../support/upstreams.ts";
import { deploymentNeeds, NEEDS } from "./needs.ts";

const LARGE_BYTES = 80 * 1024 ** 2;
/** Just beyond what a request fetches itself. */
const BEYOND_BYTES = 65 * 1024 ** 2;

describeWhen(deploymentNeeds(), NEEDS, "proxies of upstreams on functions", (source) => {
  let aws: Deployment;
  let upstream: MisbehavingUpstream;
  let large: UpstreamVersion;
  let beyond: UpstreamVersion;
  beforeAll(async () => {
    aws = await openDeployment(source);
    upstream = await startUpstream();
    const proxy = { ecosystem: "npm", url: upstream.url } as const;
    await createProxy(aws, { slug: "mirror", ...proxy });
    await aws.createRegistry("own", "npm");
    await createComposite(aws, { slug: "all", ecosystem: "npm", upstreams: ["own", "mirror"] });
    large = { version: "1.0.0", tarball: randomBytes(LARGE_BYTES) };
    beyond = { version: "1.0.0", tarball: large.tarball.subarray(0, BEYOND_BYTES) };
  });
  afterAll(async () => {
    await aws[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });

  let worker: { readonly stop: () => Promise<readonly unknown[]> };
  beforeEach(() => {
    aws.sqs.queues.clear();
    aws.sqs.refuse = () => false;
  });
  afterEach(async () => {
    await worker?.stop();
  });

  const ordered = (): readonly string[] => aws.sqs.queues.get("fetches") ?? [];
  const queueEvent = (bodies: readonly string[]) => ({
    Records: bodies.map((body, index) => ({ messageId: `message-${index}`, body })),
  });

  /** Lambda's poller: gives each message to the worker. `stop` gives what the worker answered. */
  function startWorker() {
    const answers: unknown[] = [];
    const stopping = new AbortController();
    const running = (async () => {
      let taken = 0;
      while (!stopping.signal.aborted) {
        const next = ordered()[taken];
        if (next === undefined) {
          await sleep(20);
          continue;
        }
        taken++;
        answers.push(await aws.invoke("fetches", queueEvent([next])));
      }
    })();
    const stop = async () => {
      stopping.abort();
      await running;
      return answers;
    };
    worker = { stop };
    return { stop };
  }

  /** A package of one large file, of which each test has one of its own. */
  function serveLarge(name: string, version = beyond): string {
    servePackage(upstream, name, [version]);
    return tarballPath(name, version.version);
  }

  /** As clients do, which come again after 503; a machine of two cores needs that for large files. */
  async function getPatiently(path: string): Promise<Response> {
    for (let tries = 1; ; tries++) {
      const response = await aws.request(`/npm/mirror${path}`);
      if (response.status !== 503 || tries === 5) return response;
    }
  }

  async function sha256At(url: string | null): Promise<string> {
    const response = await fetch(url ?? "");
    return createHash("sha256")
      .update(Buffer.from(await response.arrayBuffer()))
      .digest("hex");
  }
  const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

  describeWhen(npmClientPath("npm-11"), "npm 11", "npm", (program) => {
    test("installs through a composite of a proxy what a redirect leads to, asked for once", async () => {
      const one = await upstreamVersion("left-pad", "1.0.0", { files: { "index.js": "// pad" } });
      servePackage(upstream, "left-pad", [one]);
      await using home = await openClientHome(program);
      const registry = `${aws.url}/npm/all/`;
      const host = registry.replace("http:", "");
      await home.write(".npmrc", `registry=${registry}\n${host}:_authToken=${aws.adminToken}\n`);
      for (const folder of ["first", "second"]) {
        await home.write(`${folder}/package.json`, JSON.stringify({ name: folder, private: true }));
        await home.ok(["install", "left-pad", "--no-audit", "--prefer-online"], { folder });
        expect(await home.read(`${folder}/node_modules/left-pad/index.js`)).toBe("// pad");
      }
      expect(upstream.requests(tarballPath("left-pad", "1.0.0"))).toBe(1);
      expect(upstream.requests(packumentPath("left-pad"))).toBe(1);
      const file = await aws.request(`/npm/all${tarballPath("left-pad", "1.0.0")}`);
      expect(file.status).toBe(307);
      expect(await sha256At(file.headers.get("location"))).toBe(sha256(one.tarball));
    });
  });

  test("a large file is fetched by the worker, once however many ask, and leaves by redirect", async () => {
    const path = serveLarge("large", large);
    const { stop } = startWorker();
    const answers = await Promise.all(Array.from({ length: 10 }, () => getPatiently(path)));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(307));
    expect(await stop()).toEqual([{ batchItemFailures: [] }]);
    expect(await sha256At(answers[0]?.headers.get("location") ?? null)).toBe(sha256(large.tarball));
    // The request's own, which it broke off at its head, and the worker's.
    expect(upstream.requests(path)).toBe(2);
    // Counted where it was fetched, apart from the metrics of requests.
    const lines = aws.logs.filter((line) => JSON.stringify(line).includes('"UpstreamBytes":'));
    const fetched = expect.objectContaining({ service: "entrepot", UpstreamBytes: LARGE_BYTES });
    expect(lines).toContainEqual(fetched);
    expect(lines).not.toContainEqual(expect.objectContaining({ protocol: expect.anything() }));
    // An order that is delivered twice changes nothing.
    const again = await aws.invoke("fetches", queueEvent(ordered()));
    expect(again).toEqual({ batchItemFailures: [] });
    expect(upstream.requests(path)).toBe(2);
  });

  test("a request that cannot wait for a large file is told so, and the next one orders nothing", async () => {
    const path = serveLarge("later");
    const startedAt = performance.now();
    const first = await aws.request(`/npm/mirror${path}`);
    expect(performance.now() - startedAt).toBeLessThan(15_000);
    expect(first.status).toBe(503);
    expect(Number(first.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await first.text()).toContain("is being fetched from its upstream; try again");
    const second = getPatiently(path);
    await sleep(500);
    expect(ordered()).toHaveLength(1);
    startWorker();
    expect((await second).status).toBe(307);
    expect(upstream.requests(path)).toBe(2);
  });

  test("a file whose length nobody knows is ordered when it turns out to be large", async () => {
    const path = serveLarge("unknown");
    upstream.on(path, (_request, response) => {
      response.write(beyond.tarball.subarray(0, 1000));
      response.end(beyond.tarball.subarray(1000));
    });
    startWorker();
    const file = await getPatiently(path);
    expect(file.status).toBe(307);
    expect(ordered()).toHaveLength(1);
    expect(await sha256At(file.headers.get("location"))).toBe(sha256(beyond.tarball));
  });

  test("a file that comes too slowly is ordered, and nothing of it is kept", async () => {
    const one = await upstreamVersion("slow", "1.0.0");
    servePackage(upstream, "slow", [one]);
    const path = tarballPath("slow", "1.0.0");
    upstream.on(path, half(one.tarball, "stall"));
    const file = getPatiently(path);
    await expect.poll(() => ordered().length, { timeout: 12_000 }).toBe(1);
    upstream.on(path, answer(one.tarball));
    startWorker();
    expect((await file).status).toBe(307);
  });

  test("what the worker could not fetch is told to who asks, and tried again after a while", async () => {
    const path = serveLarge("wrong");
    upstream.on(path, wrongBytes(beyond.tarball));
    const { stop } = startWorker();
    const asked = await Promise.all([1, 2].map(() => getPatiently(path)));
    for (const refused of asked) {
      expect(refused.status).toBe(502);
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(await refused.text()).toContain("other bytes than it announced");
    }
    const before = upstream.requests(path);
    expect((await aws.request(`/npm/mirror${path}`)).status).toBe(502);
    expect(upstream.requests(path)).toBe(before);
    expect(await stop()).toEqual([{ batchItemFailures: [] }]);
  });

  test("an order that our own stores fail comes again, and requests may give it anew", async () => {
    const path = serveLarge("stores");
    const waiting = aws.request(`/npm/mirror${path}`);
    await expect.poll(() => ordered().length, { timeout: 5_000 }).toBe(1);
    aws.s3Proxy.judge = ({ method }) =>
      method === "PUT" || method === "POST" ? { status: 503, body: "" } : "pass";
    const failed = await aws.invoke("fetches", queueEvent(ordered()));
    expect(failed).toEqual({ batchItemFailures: [{ itemIdentifier: "message-0" }] });
    expect((await waiting).status).toBe(503);
    aws.s3Proxy.reset();
    expect(await aws.invoke("fetches", queueEvent(ordered()))).toEqual({ batchItemFailures: [] });
    expect((await getPatiently(path)).status).toBe(307);
  });

  test("a queue that takes nothing is told to the client, who may ask again at once", async () => {
    const path = serveLarge("queue");
    aws.sqs.refuse = () => true;
    const refused = await aws.request(`/npm/mirror${path}`);
    expect(refused.status).toBeGreaterThanOrEqual(500);
    aws.sqs.refuse = () => false;
    startWorker();
    expect((await getPatiently(path)).status).toBe(307);
  });

  test("what is no order comes again until it is set aside; one for a registry that is gone ends", async () => {
    const gone = { registry: "gone", registryId: "x", packageName: "a", version: "1", path: "a" };
    const events = queueEvent(["{}", "no order", JSON.stringify(gone)]);
    expect(await aws.invoke("fetches", events)).toEqual({
      batchItemFailures: [{ itemIdentifier: "message-0" }, { itemIdentifier: "message-1" }],
    });
  });

  test("a slow answer of a small file is none of the worker's", async () => {
    const one = await upstreamVersion("tardy", "1.0.0");
    servePackage(upstream, "tardy", [one]);
    const path = tarballPath("tardy", "1.0.0");
    upstream.on(path, slowHead(500, answer(one.tarball)));
    expect((await aws.request(`/npm/mirror${path}`)).status).toBe(307);
    expect(ordered()).toEqual([]);
  });
});
