import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Client } from "../clients/oci/client.ts";
import { testImageTool } from "../clients/oci/image-tool.ts";
import { crane, oras, skopeo } from "../clients/oci/image-tools.ts";
import { useSession } from "../clients/oci/session.ts";
import { buildImage, writeLayout } from "../support/oci-image.ts";
import { describeWith } from "../support/programs.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { describeDeployed } from "./describe-deployed.ts";
import { deployedRegistry } from "./oci-registry.ts";

describeDeployed("a deployed registry of images", (deployment) => {
  for (const [name, tool] of Object.entries({ skopeo, crane, oras })) {
    describeWith(name, `with ${name}`, (program) => {
      testImageTool(
        useSession(program, deployment.trust, () => deployedRegistry(deployment)),
        tool,
      );
    });
  }

  describeWith("crane", "with crane", (program) => {
    test("sends for a layer to the store, and says what it is itself", async () => {
      const folder = await temporaryFolder("deployed-layer");
      onTestFinished(() => folder[Symbol.asyncDispose]());
      const image = await buildImage();
      const layout = join(folder.path, "layout");
      await writeLayout(layout, image, "v1");
      const registry = await deployment.createRegistry("oci", "public");
      const client = await Client.create(program, join(folder.path, "client"), deployment.trust);
      const host = new URL(deployment.url).host;
      await client.succeed(crane.login(host, "builder", deployment.adminToken));
      await client.succeed(crane.push(layout, "v1", `${host}/${registry}/app:v1`));
      const [layer] = image.layers;
      const path = `/v2/${registry}/app/blobs/${layer?.digest ?? ""}`;
      const head = await deployment.request(path, { method: "HEAD" });
      expect(head.status).toBe(200);
      expect(head.headers.get("content-length")).toBe(String(layer?.size));
      const answer = await deployment.request(path);
      expect(answer.status).toBe(307);
      const bytes = await fetch(answer.headers.get("location") ?? "");
      expect(bytes.url).toContain(`${deployment.endpoint.url}/`);
      expect(Buffer.from(await bytes.arrayBuffer())).toEqual(image.blobs.get(layer?.digest ?? ""));
    });
  });
});
