import { randomBytes } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startProxy } from "../../cli/proxy/run-proxy.ts";
import { Client } from "../clients/oci/client.ts";
import type { ImageTool } from "../clients/oci/image-tool.ts";
import { crane, skopeo } from "../clients/oci/image-tools.ts";
import { type Deployment, openDeployment } from "../support/aws/deployment.ts";
import { npmClientPath, openClientHome } from "../support/npm-clients.ts";
import { buildImage, digestOf, writeLayout } from "../support/oci-image.ts";
import { Proxy, type Seen } from "../support/proxy.ts";
import { describeWhen, describeWith } from "../support/programs.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { deploymentNeeds, NEEDS } from "./needs.ts";

describeWhen(deploymentNeeds(), NEEDS, "clients of the functions", (source) => {
  let aws: Deployment;
  let folder: TemporaryFolder;
  beforeAll(async () => {
    aws = await openDeployment(source);
    folder = await temporaryFolder("lambda-clients");
    await aws.createRegistry("node", "npm");
    await aws.createRegistry("images", "oci");
  });
  afterAll(async () => {
    await aws[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  describeWhen(npmClientPath("npm-11"), "npm 11", "npm", (program) => {
    test("publishes and installs a scoped package whose bytes come from S3", async () => {
      await using home = await openClientHome(program);
      const registry = `${aws.url}/npm/node/`;
      const host = registry.replace("http:", "");
      await home.write(".npmrc", `registry=${registry}\n${host}:_authToken=${aws.adminToken}\n`);
      const manifest = { name: "@team/greeting", version: "1.0.0", main: "index.js" };
      await home.write("source/package.json", JSON.stringify(manifest));
      await home.write("source/index.js", "module.exports = 'hello';\n");
      await home.ok(["publish"], { folder: "source" });
      await home.write("target/package.json", JSON.stringify({ name: "target", private: true }));
      await home.ok(["install", "@team/greeting", "--no-audit"], { folder: "target" });
      const installed = await home.read("target/node_modules/@team/greeting/index.js");
      expect(installed).toBe("module.exports = 'hello';\n");
      const again = await home.run(["publish"], { folder: "source" });
      expect(again.code).not.toBe(0);
      expect(again.output).toMatch(/previously published|published before/);
    });
  });

  /** `entrepot proxy` with the administrator's login; `blobPuts` are those that it sent to the functions. */
  async function openProxy(
    parent: string,
  ): Promise<AsyncDisposable & { readonly host: string; blobPuts(): number }> {
    const front = await Proxy.open(aws.url);
    const spoolFolder = join(parent, "spool");
    await mkdir(spoolFolder);
    const options = { port: 0, spoolFolder, spoolLimitBytes: 1024 ** 3, warn: () => {} };
    const proxy = await startProxy({ url: front.url, token: aws.adminToken }, options);
    const isBlob = ({ method, path }: Seen): boolean =>
      method === "PUT" && path.includes("/blobs/uploads/");
    return {
      host: new URL(proxy.url).host,
      blobPuts: () => front.seen.filter(isBlob).length,
      [Symbol.asyncDispose]: async () => {
        await proxy.stop();
        await front[Symbol.asyncDispose]();
      },
    };
  }

  const tools: readonly (readonly [string, ImageTool])[] = [
    ["skopeo", skopeo],
    ["crane", crane],
  ];
  describe.each(tools)("%s", (name, tool) => {
    describeWith(name, name, (program) => {
      test("pushes an image through the functions and pulls it from S3", async () => {
        const host = new URL(aws.url).host;
        const client = await Client.create(program, join(folder.path, name));
        const image = await buildImage();
        const layout = join(folder.path, name, "layout");
        await writeLayout(layout, image, "app");
        await client.succeed(tool.login(host, "token", aws.adminToken));
        await client.succeed(tool.push(layout, "app", `${host}/images/${name}:1.0`));
        expect(await client.succeed(tool.tags(`${host}/images/${name}`))).toContain("1.0");
        const pulled = join(folder.path, name, "pulled");
        await client.succeed(tool.pull(`${host}/images/${name}:1.0`, pulled, "app"));
        const { digest } = image.descriptor;
        const manifest = await readFile(join(pulled, "blobs", ...digest.split(":")));
        expect(manifest).toEqual(Buffer.from(image.blobs.get(digest) ?? []));
      });

      test("pushes a layer of 20 MB through entrepot proxy, past functions without an edge", async () => {
        const client = await Client.create(program, join(folder.path, `${name}-large`));
        const image = await buildImage({ layers: [{ "large.bin": randomBytes(20 * 1024 ** 2) }] });
        const layout = join(client.folder, "layout");
        await writeLayout(layout, image, "app");
        await using proxy = await openProxy(client.folder);
        aws.s3Proxy.reset();
        await client.succeed(tool.push(layout, "app", `${proxy.host}/images/${name}:large`));
        const parts = aws.s3Proxy.seen.filter(
          ({ method, path }) => method === "PUT" && path.includes("partNumber="),
        );
        expect(parts).toHaveLength(2);
        // The configuration; the layer is not even tried.
        expect(proxy.blobPuts()).toBe(1);
        const [layer] = image.layers;
        const head = await aws.request(`/v2/images/${name}/blobs/${layer?.digest}`);
        expect(head.status).toBe(307);
        const stored = await (await fetch(head.headers.get("location") ?? "")).bytes();
        // By digest: a comparison of millions of bytes takes all memory when it fails.
        expect(digestOf(stored)).toBe(layer?.digest);
      });
    });
  });
});
