import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { digestOf, Repository } from "../protocol/oci/builders.ts";
import { type Deployment, openDeployment } from "../support/aws/deployment.ts";
import { buildTarball, packagePath, publishBody, readPackument } from "../support/npm-package.ts";
import { describeWhen } from "../support/programs.ts";
import { deploymentNeeds, NEEDS } from "./needs.ts";

describeWhen(deploymentNeeds(), NEEDS, "the protocols as functions", (source) => {
  let aws: Deployment;
  beforeAll(async () => {
    aws = await openDeployment(source);
    await aws.createRegistry("node", "npm");
    await aws.createRegistry("files", "generic");
    await aws.createRegistry("images", "oci");
  });
  afterAll(async () => aws[Symbol.asyncDispose]());

  const publishNpm = async (name: string, version: string, files = {}): Promise<Response> => {
    const tarball = await buildTarball({ name, version, files });
    return aws.request(packagePath("node", name), {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(publishBody({ name, version }, tarball)),
    });
  };

  test("a scoped package is published, read and downloaded by redirect, though its slash comes decoded", async () => {
    expect((await publishNpm("@team/left-pad", "1.0.0")).status).toBe(201);
    const answer = await aws.request(packagePath("node", "@team/left-pad"));
    expect(answer.headers.get("x-request-id")).not.toBe("");
    const packument = await readPackument(answer);
    const { tarball, integrity } = packument.versions["1.0.0"]?.dist ?? {
      tarball: "",
      integrity: "",
    };
    const redirect = await aws.request(new URL(tarball).pathname);
    expect(redirect.status).toBe(307);
    const bytes = await (await fetch(redirect.headers.get("location") ?? "")).bytes();
    expect(`sha512-${createHash("sha512").update(bytes).digest("base64")}`).toBe(integrity);
  });

  test("a version's registry signature names the key that KMS holds", async () => {
    await publishNpm("signed", "1.0.0");
    const keys = await (await aws.request("/npm/node/-/npm/v1/keys")).text();
    const packument = await readPackument(await aws.request("/npm/node/signed"));
    const keyId = /"keyid":"(SHA256:[^"]+)"/.exec(keys)?.[1];
    expect(keyId).toBeDefined();
    expect(packument.versions["1.0.0"]?.dist["signatures"]).toMatchObject([{ keyid: keyId }]);
  });

  test("compressed documents leave as they are, and 304 and HEAD have no body", async () => {
    await publishNpm("packed", "1.0.0");
    const path = packagePath("node", "packed");
    const packed = await aws.request(path, { headers: { "accept-encoding": "gzip" } });
    expect(packed.headers.get("content-encoding")).toBe("gzip");
    expect(Object.keys((await readPackument(packed)).versions)).toEqual(["1.0.0"]);
    const etag = packed.headers.get("etag") ?? "";
    const unchanged = await aws.request(path, { headers: { "if-none-match": etag } });
    expect([unchanged.status, await unchanged.text()]).toEqual([304, ""]);
    const head = await aws.request(path, { method: "HEAD" });
    expect(Number(head.headers.get("content-length"))).toBeGreaterThan(100);
    expect(await head.text()).toBe("");
  });

  test("a file whose name needs escapes is stored and found under it", async () => {
    const path = `/generic/files/tool/1.0.0/${encodeURIComponent("größe +1 #2.bin")}`;
    const bytes = Uint8Array.from({ length: 1000 }, (_, index) => index % 256);
    const put = await aws.request(path, { method: "PUT", body: bytes });
    expect(put.status).toBe(201);
    const listed = await (await aws.request("/generic/files/tool/1.0.0/")).text();
    expect(listed).toContain("größe +1 #2.bin");
    const redirect = await aws.request(path);
    expect(redirect.status).toBe(307);
    expect(await (await fetch(redirect.headers.get("location") ?? "")).bytes()).toEqual(bytes);
  });

  test("an image is pushed and pulled, its uploads by tickets of a MAC from KMS", async () => {
    const repository = new Repository(aws, "images/app");
    const image = await repository.pushImage("1.0", ["first layer", "second layer"]);
    const manifest = await repository.send("manifests/1.0");
    expect(digestOf(await manifest.bytes())).toBe(image.digest);
    expect(await repository.tags()).toEqual(["1.0"]);
    const layer = await repository.send(`blobs/${digestOf("first layer")}`);
    expect(layer.status).toBe(307);
    expect(await (await fetch(layer.headers.get("location") ?? "")).text()).toBe("first layer");
  });

  test("both challenges of a 401 arrive, joined", async () => {
    const wrong = await aws.request("/api/v1/registries", { token: "ep_access_wrong" });
    expect(wrong.status).toBe(401);
    expect(wrong.headers.get("www-authenticate")).toMatch(/Basic realm=.*, Bearer realm=/);
  });

  test("the first admin token is given once", async () => {
    expect(await aws.invoke("maintenance", { task: "bootstrap" })).toMatchObject({ token: null });
    expect(aws.adminToken).toMatch(/^ep_/);
    expect(JSON.stringify(aws.logs)).not.toContain(aws.adminToken);
  });

  test("each request is one line of the log and one of metrics, under its id", async () => {
    const answer = await aws.request("/npm/node/-/ping");
    const id = answer.headers.get("x-request-id") ?? "";
    const lines = aws.logs.filter((line) => JSON.stringify(line).includes(id));
    expect(lines).toEqual([
      expect.objectContaining({ message: "request", protocol: "npm", status: 200, requestId: id }),
    ]);
    const metrics = aws.logs.filter((line) => JSON.stringify(line).includes("CloudWatchMetrics"));
    expect(metrics.at(-1)).toMatchObject({
      protocol: "npm",
      operation: "pull",
      Requests: 1,
      Faults: 0,
    });
  });

  test("downloads are counted in the table by the next flush", async () => {
    await publishNpm("counted", "1.0.0");
    const before = Date.now();
    await aws.request("/npm/node/counted/-/counted-1.0.0.tgz");
    await new Promise((resolve) =>
      setTimeout(resolve, Math.max(0, 10_100 - (Date.now() - before))),
    );
    await aws.request("/npm/node/-/ping");
    const versions = await aws.request("/api/v1/registries/node/packages/counted/versions/1.0.0");
    expect(await versions.json()).toMatchObject({ downloads: 1 });
  });
});
