import { createPublicKey, randomBytes, verify } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { Cli } from "../support/cli.ts";
import { type ClientHome, npmClientPath, openClientHome } from "../support/npm-clients.ts";
import { packagePath } from "../support/npm-package.ts";
import { describeWhen } from "../support/programs.ts";
import { describeDeployed } from "./describe-deployed.ts";

const NAME = "@acme/greeting";
/** As base64 in JSON more than a request to API Gateway may hold. */
const LARGE_BYTES = 9 * 1024 * 1024;

const keysSchema = z.object({ keys: z.array(z.object({ keyid: z.string(), key: z.string() })) });
const versionSchema = z.object({
  dist: z.object({
    tarball: z.url(),
    integrity: z.string(),
    signatures: z.array(z.object({ keyid: z.string(), sig: z.string() })),
  }),
});

describeDeployed("a deployed npm registry", (deployment) => {
  describeWhen(npmClientPath("npm-11"), "npm 11", "with npm 11", (program) => {
    let home: ClientHome;
    let registry: string;
    const npm = (...args: readonly string[]): Promise<string> =>
      home.ok(args, { env: deployment.trust });
    beforeAll(async () => {
      registry = await deployment.createRegistry("npm");
      home = await openClientHome(program);
      const url = `${deployment.url}/npm/${registry}/`;
      const key = `${url.replace(/^http:/, "")}:_authToken`;
      await home.write(".npmrc", `registry=${url}\n${key}=${deployment.adminToken}\n`);
    });
    afterAll(() => home[Symbol.asyncDispose]());

    const writePackage = async (version: string, extra: Readonly<Record<string, string>> = {}) => {
      const manifest = { name: NAME, version, license: "MIT", main: "index.js" };
      await home.write("package/package.json", JSON.stringify(manifest));
      await home.write("package/index.js", `module.exports = "hello from ${version}";\n`);
      for (const [file, content] of Object.entries(extra)) await home.write(file, content);
    };
    const published = async (version: string) =>
      versionSchema.parse(
        await (await deployment.request(`${packagePath(registry, NAME)}/${version}`)).json(),
      );

    test("takes packages from npm publish, and npm install gets them", async () => {
      for (const version of ["1.0.0", "1.1.0"]) {
        await writePackage(version);
        await npm("publish", "./package");
      }
      await npm("dist-tag", "add", `${NAME}@1.0.0`, "old");
      expect(JSON.parse(await npm("view", NAME, "dist-tags", "--json"))).toEqual({
        latest: "1.1.0",
        old: "1.0.0",
      });
      await home.write("app/package.json", JSON.stringify({ name: "app", version: "0.0.0" }));
      await npm("install", `${NAME}@old`, "--prefix", join(home.path, "app"));
      expect(await home.read(`app/node_modules/${NAME}/index.js`)).toContain("hello from 1.0.0");
    });

    test("refuses a version that is there already", async () => {
      await writePackage("1.0.0");
      const again = await home.run(["publish", "./package"], { env: deployment.trust });
      expect(again.code).not.toBe(0);
      expect(again.output).toMatch(/cannot publish over/);
    });

    test("signs what it takes with the key that only KMS holds", async () => {
      const { dist } = await published("1.1.0");
      const answer = await deployment.request(`/npm/${registry}/-/npm/v1/keys`);
      const { keys } = keysSchema.parse(await answer.json());
      const [signature] = dist.signatures;
      const der = keys.find(({ keyid }) => keyid === signature?.keyid)?.key ?? "";
      const key = createPublicKey({ key: Buffer.from(der, "base64"), format: "der", type: "spki" });
      const signed = Buffer.from(`${NAME}@1.1.0:${dist.integrity}`);
      expect(verify("sha256", signed, key, Buffer.from(signature?.sig ?? "", "base64"))).toBe(true);
    });

    test("sends for a tarball to the store", async () => {
      const { tarball } = (await published("1.1.0")).dist;
      const answer = await deployment.request(tarball.slice(deployment.url.length));
      expect(answer.status).toBe(307);
      expect(answer.headers.get("location")).toContain(`${deployment.endpoint.url}/`);
    });

    test("takes with entrepot push what is too large for npm publish", async () => {
      const filling = randomBytes(LARGE_BYTES).toString("latin1");
      await writePackage("2.0.0", { "package/filling.txt": filling });
      const refused = await home.run(["publish", "./package"], { env: deployment.trust });
      expect(refused.code).not.toBe(0);
      expect(refused.output).toContain("413");
      await npm("pack", "./package");
      const cli = new Cli(home.path, {
        ENTREPOT_URL: deployment.url,
        ENTREPOT_TOKEN: deployment.adminToken,
        ...deployment.trust,
      });
      await cli.json(["push", registry, "acme-greeting-2.0.0.tgz"]);
      await home.write("large/package.json", JSON.stringify({ name: "large", version: "0.0.0" }));
      await npm("install", `${NAME}@2.0.0`, "--prefix", join(home.path, "large"));
      expect(await home.read(`large/node_modules/${NAME}/filling.txt`)).toBe(filling);
    });
  });
});
