import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Cli } from "../support/cli.ts";
import { describeWith } from "../support/programs.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { describeDeployed } from "./describe-deployed.ts";

const MIB = 1024 * 1024;
/** Several parts of an upload, and more than any request to API Gateway may hold. */
const LARGE_BYTES = 40 * MIB;
const run = promisify(execFile);

describeDeployed("a deployed registry of files", (deployment) => {
  let folder: TemporaryFolder;
  let registry: string;
  const path = (name: string): string => join(folder.path, name);
  const url = (name: string): string => `${deployment.url}/generic/${registry}/${name}`;
  beforeAll(async () => {
    folder = await temporaryFolder("deployed-generic");
    registry = await deployment.createRegistry("generic");
  });
  afterAll(() => folder[Symbol.asyncDispose]());

  describeWith("curl", "with curl", (curl) => {
    const send = async (...args: readonly string[]): Promise<string> => {
      const login = ["--user", `ci:${deployment.adminToken}`, "--silent", "--show-error"];
      const env = { PATH: process.env["PATH"], ...deployment.trust };
      const { stdout } = await run(curl, [...login, ...args], { env });
      return stdout;
    };

    test("takes a file and gives it back, byte for byte, from the store", async () => {
      const bytes = randomBytes(3 * MIB);
      await writeFile(path("small.bin"), bytes);
      await send("--fail", "--upload-file", path("small.bin"), url("tool/1.0.0/small.bin"));
      const format = "%{http_code} %{num_redirects} %{url_effective}";
      const seen = await send(
        "--fail",
        "--location",
        "--output",
        path("back.bin"),
        "--write-out",
        format,
        url("tool/1.0.0/small.bin"),
      );
      expect(seen).toMatch(/^200 1 /);
      expect(seen).toContain(`${deployment.endpoint.url}/`);
      expect(seen).not.toContain(deployment.adminToken);
      expect((await readFile(path("back.bin"))).equals(bytes)).toBe(true);
    });

    test("refuses a file that is not what its checksum says, and keeps nothing of it", async () => {
      await writeFile(path("wrong.bin"), "these bytes");
      const checksum = createHash("sha256").update("other bytes").digest("hex");
      const status = await send(
        "--upload-file",
        path("wrong.bin"),
        "--header",
        `x-checksum-sha256: ${checksum}`,
        "--output",
        path("answer"),
        "--write-out",
        "%{http_code}",
        url("tool/1.0.1/wrong.bin"),
      );
      expect(status).toBe("400");
      expect((await deployment.request(`/generic/${registry}/tool/1.0.1/wrong.bin`)).status).toBe(
        404,
      );
    });

    test("answers a request that API Gateway would not pass on as API Gateway does", async () => {
      await writeFile(path("large.bin"), Buffer.alloc(11 * MIB));
      const status = await send(
        "--upload-file",
        path("large.bin"),
        "--output",
        path("answer"),
        "--write-out",
        "%{http_code}",
        url("tool/1.0.2/large.bin"),
      );
      expect(status).toBe("413");
    });
  });

  test("takes a large file of entrepot push in parts that go to the store, and entrepot pull gets it", async () => {
    const cli = new Cli(folder.path, {
      ENTREPOT_URL: deployment.url,
      ENTREPOT_TOKEN: deployment.adminToken,
      ...deployment.trust,
    });
    const bytes = randomBytes(LARGE_BYTES);
    await writeFile(path("pushed.bin"), bytes);
    const name = ["--package", "app", "--version", "2.0.0"];
    await cli.json(["push", registry, "pushed.bin", ...name]);
    await cli.json(["pull", registry, "app@2.0.0", "pushed.bin", "-o", "pulled.bin"]);
    expect((await readFile(path("pulled.bin"))).equals(bytes)).toBe(true);
  });

  test("gives nothing of a private registry to strangers, nor of the store without a signature", async () => {
    const name = "tool/3.0.0/secret.txt";
    await deployment.request(`/generic/${registry}/${name}`, { method: "PUT", body: "secret" });
    expect((await fetch(url(name), { redirect: "manual" })).status).toBe(401);
    const redirect = await deployment.request(`/generic/${registry}/${name}`);
    const signed = redirect.headers.get("location") ?? "";
    expect(await (await fetch(signed)).text()).toBe("secret");
    expect((await fetch(signed.slice(0, signed.indexOf("?")))).status).toBe(403);
    expect((await fetch(signed.replace("secret.txt", "other.txt"))).status).toBe(403);
  });
});
