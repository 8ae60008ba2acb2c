import { randomBytes, randomUUID } from "node:crypto";
import { get, type IncomingHttpHeaders } from "node:http";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Repository } from "../protocol/oci/builders.ts";
import { type Deployment, openDeployment } from "../support/aws/deployment.ts";
import { buildTarball, packagePath, publishBody, readPackument } from "../support/npm-package.ts";
import { describeWhen } from "../support/programs.ts";
import { deploymentNeeds, NEEDS } from "./needs.ts";

const MIB = 1024 ** 2;

/** Not `fetch`, which trips over a connection that ends while it unpacks megabytes (undici, `!this.paused`). */
async function download(url: string): Promise<{ headers: IncomingHttpHeaders; bytes: Buffer }> {
  return new Promise((resolve, reject) => {
    const request = get(url, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => resolve({ headers: answer.headers, bytes: Buffer.concat(chunks) }));
    });
    request.on("error", reject);
  });
}

describeWhen(deploymentNeeds(), NEEDS, "the limits and failures around functions", (source) => {
  let aws: Deployment;
  beforeAll(async () => {
    aws = await openDeployment(source);
    await aws.createRegistry("node", "npm");
    await aws.createRegistry("files", "generic");
    await aws.createRegistry("images", "oci");
  });
  afterAll(async () => aws[Symbol.asyncDispose]());
  beforeEach(() => {
    aws.dynamoProxy.reset();
    aws.s3Proxy.reset();
  });

  const publishNpm = async (version: string, manifest: Record<string, unknown> = {}) => {
    const options = { name: "wide", version, manifest };
    return aws.request(packagePath("node", "wide"), {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(publishBody(options, await buildTarball(options))),
    });
  };

  test("a document beyond what a function can answer leaves by redirect, and in full", async () => {
    const versions = Array.from({ length: 33 }, (_, index) => `1.0.${index}`);
    for (const version of versions) {
      // What does not compress.
      const noise = randomBytes(150_000).toString("base64");
      expect((await publishNpm(version, { noise })).status).toBe(201);
    }
    const headers = { "accept-encoding": "gzip" };
    const head = await aws.request(packagePath("node", "wide"), { method: "HEAD", headers });
    expect(head.status).toBe(200);
    expect(Number(head.headers.get("content-length"))).toBeGreaterThan(4.5 * MIB);
    const answer = await aws.request(packagePath("node", "wide"), { headers });
    expect(answer.status).toBe(307);
    const stored = await download(answer.headers.get("location") ?? "");
    expect(stored.headers["content-encoding"]).toBe("gzip");
    const packument = await readPackument(new Response(gunzipSync(stored.bytes)));
    expect(Object.keys(packument.versions)).toEqual(versions);
    const abbreviated = await aws.request(packagePath("node", "wide"), {
      headers: { accept: "application/vnd.npm.install-v1+json" },
    });
    expect(abbreviated.status).toBe(200);
    expect(await abbreviated.text()).toContain('"1.0.32"');
  });

  test("a client that takes no gzip is told to when such a document is too large for it", async () => {
    const headers = { "accept-encoding": "identity" };
    const answer = await aws.request(packagePath("node", "wide"), { headers });
    expect(answer.status).toBe(413);
    expect(await answer.text()).toContain("Accept-Encoding: gzip");
  });

  test("a method that no request can have is refused", async () => {
    const answer = await aws.invoke("npm", {
      rawPath: "/npm/node/-/ping",
      headers: { host: "registry.test" },
      requestContext: { requestId: randomUUID(), http: { method: "TRACE", sourceIp: "192.0.2.7" } },
    });
    expect(answer).toMatchObject({ statusCode: 400, isBase64Encoded: false });
  });

  test("a body that the function takes is stored, and one above Lambda's limit is refused as JSON", async () => {
    const path = (name: string) => `/generic/files/tool/1.0.0/${name}`;
    const small = await aws.request(path("small"), { method: "PUT", body: randomBytes(4 * MIB) });
    expect(small.status).toBe(201);
    for (const size of [5 * MIB, 11 * MIB]) {
      const large = await aws.request(path("large"), { method: "PUT", body: randomBytes(size) });
      expect(large.status).toBe(413);
      expect(large.headers.get("content-type")).toContain("json");
    }
    expect((await aws.request(path("large"))).status).toBe(404);
  });

  test("a store that throttles becomes 503 with a time to come back, in each protocol's words", async () => {
    aws.dynamoProxy.judge = ({ target }) =>
      target?.endsWith(".TransactWriteItems") === true
        ? { status: 400, body: '{"__type":"ThrottlingException","message":"slow"}' }
        : "pass";
    const answers = await Promise.all([
      publishNpm("2.0.0"),
      aws.request("/generic/files/tool/2.0.0/file", { method: "PUT", body: "bytes" }),
      aws.request("/api/v1/registries", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ slug: "other", ecosystem: "npm", kind: "source" }),
      }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503]);
    for (const answer of answers) {
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(await answer.text()).toContain("try again");
    }
    aws.dynamoProxy.reset();
    expect((await publishNpm("2.0.0")).status).toBe(201);
  });

  test("a function that runs out of time says so before Lambda ends it", async () => {
    aws.dynamoProxy.judge = () => "stall";
    const startedAt = performance.now();
    const linesBefore = aws.logs.length;
    const answer = await aws.invoke("npm?remaining=2500", {
      rawPath: "/npm/node/wide",
      headers: { host: "registry.test", authorization: `Bearer ${aws.adminToken}` },
      requestContext: { requestId: "late", http: { method: "GET", sourceIp: "192.0.2.7" } },
    });
    expect(performance.now() - startedAt).toBeLessThan(2500);
    expect(answer).toMatchObject({
      statusCode: 503,
      headers: { "retry-after": "1", "x-request-id": "late" },
    });
    aws.dynamoProxy.reset();
    // The objectives count it, once, and as the pull that it was.
    const counted = aws.logs
      .slice(linesBefore)
      .filter((line) => /"Faults":\[?1\b/.test(JSON.stringify(line)));
    expect(counted).toEqual([
      expect.objectContaining({ Requests: 1, Throttled: 1, operation: "pull", protocol: "npm" }),
    ]);
  });

  test("no request deletes an object: roles of protocols cannot", async () => {
    const repository = new Repository(aws, "images/app");
    const location = await repository.begin();
    const appended = await repository.at(location, "PATCH", {}, new TextEncoder().encode("a part"));
    expect(appended.status).toBe(202);
    const next = appended.headers.get("location") ?? "";
    expect((await repository.at(next, "DELETE")).status).toBe(204);
    await repository.pushImage("1.1");
    const refused = await aws.request("/generic/files/tool/3.0.0/file", {
      method: "PUT",
      body: "bytes",
      headers: { "x-checksum-sha256": "0".repeat(64) },
    });
    expect(refused.status).toBeGreaterThanOrEqual(400);
    expect((await publishNpm("3.0.0")).status).toBe(201);
    const deletions = aws.s3Proxy.seen.filter(
      ({ method, path }) =>
        (method === "DELETE" && !path.includes("uploadId=")) || /[?&]delete(?:[=&]|$)/.test(path),
    );
    expect(aws.s3Proxy.seen.length).toBeGreaterThan(0);
    expect(deletions).toEqual([]);
  });
});
