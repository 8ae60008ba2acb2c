import { serve, type ServerType } from "@hono/node-server";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createApiApp } from "../../../functions/api/app.ts";
import { StsIdentities } from "../../../shared/adapters/sts/sts-identities.ts";
import { type KnownCaller, startSts, type StsService } from "../../support/aws/sts-service.ts";
import { Cli } from "../../support/cli.ts";
import { openTestRegistry, type TestRegistry } from "../../support/services.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/temporary-folder.ts";

const REGION = "eu-central-1";
const ROLE: KnownCaller = {
  arn: "arn:aws:sts::111122223333:assumed-role/ci/run-1",
  credentials: {
    accessKeyId: "ASIAAAAAAAAAAAAAAAAA",
    secretAccessKey: "secret",
    sessionToken: "session/token==",
  },
};
const AT_WORK = {
  AWS_ACCESS_KEY_ID: ROLE.credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: ROLE.credentials.secretAccessKey,
  AWS_SESSION_TOKEN: ROLE.credentials.sessionToken ?? "",
  AWS_EC2_METADATA_DISABLED: "true",
};

let sts: StsService;
let registry: TestRegistry;
let server: ServerType;
let url: string;
let folder: TemporaryFolder;
beforeEach(async () => {
  sts = await startSts(REGION, [ROLE]);
  const identities = new StsIdentities({ region: REGION, endpoint: sts.url, now: Date.now });
  const grants = [
    { account: "111122223333", role: "ci", allow: "publish", registries: ["files"] },
  ] as const;
  registry = await openTestRegistry({ roleAccess: { identities, grants } });
  const app = createApiApp(registry.services);
  const context = { address: "192.0.2.1", requestId: "test", actor: "" };
  url = await new Promise((resolve) => {
    server = serve(
      { fetch: (request) => app.fetch(request, { ...context }), hostname: "127.0.0.1", port: 0 },
      ({ port }) => resolve(`http://127.0.0.1:${port}`),
    );
  });
  folder = await temporaryFolder("login-aws");
});
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  await registry.close();
  await sts.close();
  await folder[Symbol.asyncDispose]();
});

test("entrepot login --aws saves a token for the role at work, and no secret is typed", async () => {
  const cli = new Cli(folder.path, AT_WORK);
  const login = await cli.run(["login", url, "--aws"]);
  expect(login.stderr).toBe("");
  expect(login.stdout).toMatch(/^Logged in to http\S+ as aws:111122223333:ci, until /);
  expect(await cli.json(["whoami"])).toMatchObject({
    owner: "aws:111122223333:ci",
    registries: ["files"],
  });
});

test("without credentials of AWS, it says where it looked for them", async () => {
  const cli = new Cli(folder.path, { AWS_EC2_METADATA_DISABLED: "true" });
  const { code, stderr } = await cli.run(["login", url, "--aws"]);
  expect(code).not.toBe(0);
  expect(stderr).toContain("There are no credentials of AWS here");
});
